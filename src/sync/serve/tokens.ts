/**
 * Who may ask for what: `serve-tokens.json` in the store, which no request reaches. It holds hashes; the tokens are 256
 * random bits, which nobody guesses, so a plain SHA-256 is enough.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { isName } from '../../names.ts'
import type { Io } from '../../store/io/io.ts'
import { type Layout, temporaryName } from '../../store/layout.ts'

export type Scope = 'read' | 'write'

export interface Token {
  readonly name: string
  readonly scope: Scope
  /** UTC, ISO 8601. */
  readonly createdAt: string
}

interface KeptToken extends Token {
  /** Of the whole token, hex. */
  readonly sha256: string
}

const schema = v.strictObject({
  tokens: v.array(
    v.strictObject({
      name: v.pipe(v.string(), v.check(isName)),
      scope: v.picklist(['read', 'write']),
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      createdAt: v.string(),
    }),
  ),
})

interface Place {
  readonly io: Io
  readonly layout: Layout
}

/** Without anything that a token could be found by. */
export function listTokens({ layout }: Place): Token[] {
  return readTokens(layout).map(({ name, scope, createdAt }) => ({ name, scope, createdAt }))
}

/**
 * Makes a token and returns it: it is kept nowhere.
 * @throws ArtifactsError ERR_EXISTS where the name is taken, ERR_INVALID_NAME.
 */
export function addToken(place: Place, name: string, scope: Scope): string {
  if (!isName(name)) {
    throw new ArtifactsError('ERR_INVALID_NAME', `"${name}" is not a valid name of a token.`, {
      hint: 'Use 1 to 128 of the characters A-Z a-z 0-9 . _ - without "..".',
    })
  }
  const kept = readTokens(place.layout)
  if (kept.some((token) => token.name === name)) {
    throw new ArtifactsError('ERR_EXISTS', `There is a token "${name}".`, {
      hint: `Give it up with \`artifacts serve token rm ${name}\`, or choose another name.`,
    })
  }
  const token = `artifacts_${randomBytes(32).toString('base64url')}`
  const createdAt = new Date().toISOString()
  writeTokens(place, [...kept, { name, scope, createdAt, sha256: hashOf(token).toString('hex') }])
  return token
}

/** @throws ArtifactsError ERR_NOT_FOUND */
export function removeToken(place: Place, name: string): void {
  const kept = readTokens(place.layout)
  const left = kept.filter((token) => token.name !== name)
  if (left.length === kept.length) {
    throw new ArtifactsError('ERR_NOT_FOUND', `There is no token "${name}".`, {
      hint: 'Run `artifacts serve token ls` to see all tokens.',
    })
  }
  writeTokens(place, left)
}

/** The tokens of a store as they are now, so that one can be given or taken away while the server runs. */
export class Tokens {
  readonly #layout: Layout
  #tokens: readonly KeptToken[] = []
  #seen = ''

  constructor(layout: Layout) {
    this.#layout = layout
  }

  get areThere(): boolean {
    return this.#current().length > 0
  }

  /** Whose token it is. How long that takes says nothing about the tokens. */
  find(token: string): Token | undefined {
    const hash = hashOf(token)
    let found: Token | undefined
    for (const kept of this.#current()) {
      if (timingSafeEqual(Buffer.from(kept.sha256, 'hex'), hash)) found = kept
    }
    return found
  }

  #current(): readonly KeptToken[] {
    const stat = statSync(this.#layout.serveTokens, { bigint: true, throwIfNoEntry: false })
    const seen = stat === undefined ? '' : `${stat.ino} ${stat.mtimeNs} ${stat.size}`
    if (seen !== this.#seen) {
      this.#tokens = readTokens(this.#layout)
      this.#seen = seen
    }
    return this.#tokens
  }
}

function readTokens({ serveTokens: path }: Layout): KeptToken[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return []
    throw error
  }
  const parsed = v.safeParse(schema, parse(text))
  if (parsed.success) return parsed.output.tokens
  throw new ArtifactsError('ERR_CONFIG', `The file "${path}" is not as it was written.`, {
    hint: `Remove it, and give everybody a new token: \`rm '${path}'\``,
  })
}

function writeTokens({ io, layout }: Place, tokens: readonly KeptToken[]): void {
  const bytes = Buffer.from(`${JSON.stringify({ tokens }, null, 2)}\n`)
  const tmp = join(layout.tmp, temporaryName())
  io.writeFileAtomic(layout.serveTokens, bytes, { durable: true, mode: 0o600, tmp })
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
