/** Serving a store over HTTP, and the tokens of those who may ask. */
import type { Session } from './session.ts'
import {
  type ServeOptions as ServerOptions,
  type Serving,
  serveStore,
} from './sync/serve/server.ts'
import { addToken, listTokens, removeToken, type Scope, type Token } from './sync/serve/tokens.ts'

export interface ServeOptions extends Omit<ServerOptions, 'limits'> {}
export type { Serving, Token }

/** See `Store.serve`. */
export function serve(session: Session, options?: ServeOptions): Promise<Serving> {
  const { opened, defaults } = session
  return serveStore(opened, defaults, options)
}

/** Who may ask the server of a store. */
export interface TokenList {
  list(): Promise<readonly Token[]>
  /** Makes a token and returns it; it is kept nowhere. @throws ArtifactsError ERR_EXISTS, ERR_INVALID_NAME. */
  add(name: string, options: { readonly scope: Scope }): Promise<string>
  /** @throws ArtifactsError ERR_NOT_FOUND. */
  remove(name: string): Promise<void>
}

export function tokensOf({ opened }: Session): TokenList {
  return {
    list: async () => listTokens(opened),
    add: async (name, { scope }) => addToken(opened, name, scope),
    remove: async (name) => removeToken(opened, name),
  }
}
