/**
 * Who may do what. A server without tokens is open to all who reach it, which is for loopback, or for what its owner has
 * opened by a word; once it has tokens it asks for them, and does not go back.
 */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Limits } from './limits.ts'
import { Refusal } from './refusal.ts'
import type { Scope, Tokens } from './tokens.ts'

export interface AccessOptions {
  readonly tokens: Tokens
  /** Who has no token may read although there are tokens. */
  readonly allowAnonymous: boolean
  readonly limits: Limits
}

/** Who asks: the name of a token, or nobody in particular. */
export interface Asker {
  readonly name: string | undefined
}

const MINUTE = 60_000
/** Addresses that are remembered; beyond that, all are forgotten. */
const MOST_ADDRESSES = 10_000

export class Access {
  readonly #options: AccessOptions
  /** No tokens have been seen yet. */
  #isOpen = true
  readonly #failures = new Map<string, { count: number; since: number }>()

  constructor(options: AccessOptions) {
    this.#options = options
  }

  /** Whether answers are for one person, and must not be kept for others. */
  get isPrivate(): boolean {
    return !this.#isOpen && !this.#options.allowAnonymous
  }

  /** @throws Refusal 401, 403, 429, 421 */
  admit(request: IncomingMessage, scope: Scope): Asker {
    const { tokens, allowAnonymous } = this.#options
    const given = request.headers.authorization
    if (this.#isOpen && tokens.areThere) this.#isOpen = false
    if (this.#isOpen) {
      requireOwnName(request, allowAnonymous)
      return { name: undefined }
    }
    if (given === undefined && allowAnonymous && scope === 'read') return { name: undefined }
    const token = tokenIn(given ?? '')
    const found = token === undefined ? undefined : tokens.find(token)
    if (found === undefined) throw this.#unknown(request, given !== undefined)
    if (scope === 'write' && found.scope !== 'write') {
      throw new Refusal(403, `The token "${found.name}" is for reading alone.`)
    }
    return { name: found.name }
  }

  #unknown({ socket }: IncomingMessage, isWrong: boolean): Refusal {
    const challenge = { 'www-authenticate': 'Bearer realm="artifacts"' }
    if (!isWrong) return new Refusal(401, 'This server asks for a token.', challenge)
    const address = socket.remoteAddress ?? ''
    const now = Date.now()
    const known = this.#failures.get(address)
    const current = known !== undefined && now - known.since < MINUTE ? known : undefined
    const failures = current ?? { count: 0, since: now }
    failures.count++
    if (current === undefined && this.#failures.size >= MOST_ADDRESSES) this.#failures.clear()
    this.#failures.set(address, failures)
    if (failures.count > this.#options.limits.wrongTokens) {
      const seconds = Math.ceil((failures.since + MINUTE - now) / 1000)
      return new Refusal(429, 'Too many wrong tokens.', { 'retry-after': String(seconds) })
    }
    return new Refusal(401, 'The token is not known here.', challenge)
  }
}

/** As it is, or as the password of anybody: what programs send that know a `.netrc`. */
function tokenIn(authorization: string): string | undefined {
  const bearer = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1]
  if (bearer !== undefined) return bearer
  const basic = /^Basic ([A-Za-z0-9+/=]{1,2048})$/i.exec(authorization)?.[1] ?? ''
  return /^[^:]*:(.+)$/s.exec(Buffer.from(basic, 'base64').toString())?.[1]
}

/**
 * A page on the web can give its own name the address of this machine, and then ask in its visitor's name. So a server that
 * is open to this machine alone answers to names of this machine alone.
 */
function requireOwnName({ headers }: IncomingMessage, allowAnonymous: boolean): void {
  if (allowAnonymous) return
  const host = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(headers.host ?? '')?.[1] ?? ''
  if (host === 'localhost' || isIP(host.replace(/^\[|\]$/g, '')) > 0) return
  throw new Refusal(421, 'Without tokens, this server answers to "localhost" and to addresses.')
}
