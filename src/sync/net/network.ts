/**
 * HTTP requests over `node:http` and `node:https`: where they may go, how long they may take, how often they are tried.
 *
 * Where: public addresses, and hosts that a person has named. It is decided after the name was looked up, on the very
 * addresses that are connected to, and for each redirect anew. How long: 10 s to connect, then 60 s without a byte. How
 * often: five attempts with full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter), where
 * the server says `Retry-After` not before.
 */
import { type LookupAddress, lookup } from 'node:dns'
import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ArtifactsError } from '../../errors.ts'
import { isPublicAddress } from './addresses.ts'
import { authorities } from './authorities.ts'
import { conceal } from './conceal.ts'
import { isBrokenOff, refusal, shownUrl, unreachable } from './failures.ts'
import { proxyFor, proxyHeaders, TunnelAgent } from './proxy.ts'

export type Variables = Readonly<Record<string, string | undefined>>

export interface NetworkOptions {
  /** Hosts, as `name` or `name:port`, that may have any address. */
  readonly trusted: Iterable<string>
  readonly env: Variables
  /** Milliseconds. */
  readonly connectTimeout?: number
  readonly idleTimeout?: number
  /** Milliseconds of the first pause between two attempts. */
  readonly pause?: number
  /** How often a request is tried that failed in a way that may pass; 1: whoever asks tries again himself. */
  readonly attempts?: number
  /** Connections to one host. */
  readonly connections?: number
}

/** Bytes of a known length, gone through once for each attempt, in pieces that may be overwritten after the next one. */
export interface StreamedBody {
  readonly size: number
  pieces(): Iterable<Uint8Array>
}

export interface Request {
  readonly method?: 'GET' | 'HEAD' | 'PUT' | 'DELETE' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | StreamedBody
  /** False: a redirect is an answer like another. */
  readonly follow?: boolean
  readonly signal?: AbortSignal | undefined
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** What was asked in the end. */
  readonly url: URL
  /** To be read to its end or destroyed. */
  readonly body: IncomingMessage
  /** What the server says, without what it was told in confidence. */
  readonly said: (text: string) => string
}

const ATTEMPTS = 5
const CONNECT_TIMEOUT = 10_000
const REDIRECTS = 5
const LONGEST_PAUSE = 30_000
const PASSING = new Set([408, 429, 500, 502, 503, 504])

/** Keeps connections open until it is disposed of. */
export class Network implements Disposable {
  readonly #options: NetworkOptions
  readonly #trusted: Set<string>
  readonly #tunnels = new Map<string, TunnelAgent>()
  readonly #tls: https.AgentOptions
  readonly #agents: { readonly http: http.Agent; readonly https: https.Agent }

  constructor(options: NetworkOptions) {
    this.#options = options
    this.#trusted = new Set(Array.from(options.trusted, (host) => host.toLowerCase()))
    const kept = { keepAlive: true, maxSockets: options.connections ?? 16 }
    const ca = authorities(options.env)
    this.#tls = { ...kept, ...(ca === undefined ? {} : { ca }) }
    this.#agents = { http: new http.Agent(kept), https: new https.Agent(this.#tls) }
  }

  /** Lets requests go to the host of this URL, whatever its address: a person has named it. */
  trust(url: URL): void {
    this.#trusted.add(hostOf(url))
  }

  /**
   * The answer to a request that may be repeated, whatever its status.
   * @throws ArtifactsError ERR_REMOTE_UNREACHABLE when there is none, ERR_REMOTE_DENIED where it may not go.
   */
  async request(url: URL, request: Request = {}): Promise<Answer> {
    let at = url
    let asked = request
    for (let hops = 0; ; hops++) {
      const answer = await this.#persist(at, asked)
      const to = request.follow === false ? undefined : redirection(answer)
      if (to === undefined) return answer
      answer.body.destroy()
      if (hops === REDIRECTS) throw refusal(at, answer.status, 'once more: too many redirects')
      if (at.protocol === 'https:' && to.protocol !== 'https:') {
        throw refusal(at, answer.status, `and leads to "${shownUrl(to)}", which is not encrypted`)
      }
      if (to.origin !== at.origin) asked = withoutCredentials(asked)
      at = to
    }
  }

  [Symbol.dispose](): void {
    this.#agents.http.destroy()
    this.#agents.https.destroy()
    for (const tunnel of this.#tunnels.values()) tunnel.destroy()
  }

  async #persist(url: URL, request: Request): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= (this.#options.attempts ?? ATTEMPTS)
      let answer: Answer
      try {
        answer = await this.#once(url, request)
      } catch (error) {
        request.signal?.throwIfAborted()
        if (error instanceof SourceFailure) throw error.cause
        if (last || !isBrokenOff(error)) throw unreachable(url, error)
        await this.#rest(attempt, undefined, request.signal)
        continue
      }
      if (last || !PASSING.has(answer.status)) return answer
      answer.body.destroy()
      await this.#rest(attempt, answer.headers['retry-after'], request.signal)
    }
  }

  async #rest(attempt: number, after: string | undefined, signal?: AbortSignal): Promise<void> {
    const ceiling = (this.#options.pause ?? 200) * 2 ** attempt
    const asked = /^\d+$/.test(after ?? '') ? Number(after) * 1000 : 0
    const pause = Math.max(Math.random() * ceiling, asked)
    await sleep(Math.min(pause, LONGEST_PAUSE), undefined, { signal }).catch(() =>
      signal?.throwIfAborted(),
    )
  }

  #once(url: URL, { method = 'GET', headers, body, signal }: Request): Promise<Answer> {
    signal?.throwIfAborted()
    const { connectTimeout = CONNECT_TIMEOUT, idleTimeout = 60_000 } = this.#options
    const isTrusted = this.#trusts(url)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0 && !isTrusted && !isPublicAddress(host)) throw notPublic(url)
    const proxy = proxyFor(url, this.#options.env)
    const isSecure = (url.protocol === 'https:' ? url : (proxy ?? url)).protocol === 'https:'
    return new Promise((resolve, reject) => {
      const sent: ClientRequest = (isSecure ? https : http).request(url, {
        method,
        headers: {
          'accept-encoding': 'identity',
          'user-agent': 'artifacts',
          ...(isStreamed(body) ? { 'content-length': String(body.size) } : {}),
          ...headers,
        },
        agent: isSecure ? this.#agents.https : this.#agents.http,
        // Behind a proxy it is the proxy that looks names up, and decides where they may lead.
        ...(isTrusted || proxy !== undefined ? {} : { lookup: publicOnly(url) }),
        ...(proxy === undefined ? {} : this.#through(proxy, url, headers)),
      })
      // A request that has no connection yet tells nobody that it was destroyed.
      const giveUp = (error: unknown): void => {
        sent.destroy(error as Error)
        reject(error)
      }
      const abort = (): void => giveUp(signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      const connecting = setTimeout(() => giveUp(timedOut()), connectTimeout)
      sent.on('socket', (socket) => {
        if (!socket.connecting) clearTimeout(connecting)
        else socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(connecting))
      })
      sent.setTimeout(idleTimeout, () => sent.destroy(timedOut()))
      sent.on('close', () => {
        clearTimeout(connecting)
        signal?.removeEventListener('abort', abort)
      })
      sent.on('error', reject)
      sent.on('response', (answer) => {
        const { statusCode = 0, headers: received } = answer
        resolve({
          status: statusCode,
          headers: received,
          url,
          body: answer,
          said: (text) => conceal(text, headers ?? {}),
        })
      })
      if (!isStreamed(body)) sent.end(body)
      else {
        stream(sent, body).catch((cause: unknown) =>
          sent.destroy(new SourceFailure('source', { cause })),
        )
      }
    })
  }

  #through(proxy: URL, url: URL, headers: Request['headers']): https.RequestOptions {
    if (url.protocol === 'https:') {
      const { connectTimeout = CONNECT_TIMEOUT } = this.#options
      const tunnel =
        this.#tunnels.get(proxy.href) ?? new TunnelAgent(proxy, this.#tls, connectTimeout)
      this.#tunnels.set(proxy.href, tunnel)
      return { agent: tunnel }
    }
    return {
      hostname: proxy.hostname,
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      path: url.href,
      headers: {
        'accept-encoding': 'identity',
        'user-agent': 'artifacts',
        ...headers,
        host: url.host,
        ...proxyHeaders(proxy),
      },
    }
  }

  #trusts(url: URL): boolean {
    return this.#trusted.has(url.hostname) || this.#trusted.has(hostOf(url))
  }
}

/** Up to `most` bytes of an answer, as text; for answers that are documents. */
export async function readText({ body, url }: Answer, most: number): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      length += piece.length
      if (length > most) throw refusal(url, 200, `with more than ${most} bytes`)
      pieces.push(piece)
    }
  } catch (error) {
    throw unreachable(url, error)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function isStreamed(body: Request['body']): body is StreamedBody {
  return body !== undefined && 'pieces' in body
}

/** Sends a body piece by piece, until its end or an answer that does not wait for it. */
async function stream(sent: ClientRequest, body: StreamedBody): Promise<void> {
  let isSent = false
  let isAnswered = false
  sent.once('response', () => {
    isAnswered = true
    // What follows on this connection would be taken for the rest of the body.
    if (!isSent) sent.shouldKeepAlive = false
  })
  for (const piece of body.pieces()) {
    if (sent.destroyed || isAnswered) return
    await new Promise<void>((resolve) => {
      // Without a connection nobody calls back.
      sent.once('close', resolve)
      sent.write(piece, () => {
        sent.off('close', resolve)
        resolve()
      })
    })
  }
  isSent = true
  if (!sent.destroyed && !isAnswered) sent.end()
}

/** What is to be sent can't be read: no fault of the network. */
class SourceFailure extends Error {}

/** For a redirect to another origin, which must not learn them. */
function withoutCredentials(request: Request): Request {
  const headers = Object.entries(request.headers ?? {}).filter(
    ([name]) => !/^(authorization|cookie|x-amz-security-token)$/i.test(name),
  )
  return { ...request, headers: Object.fromEntries(headers) }
}

/** The host of a URL with its port. */
function hostOf(url: URL): string {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return `${url.hostname}:${port}`
}

function redirection({ status, headers, url }: Answer): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined)
    return undefined
  const to = URL.canParse(headers.location, url.href) ? new URL(headers.location, url) : undefined
  if (to?.protocol === 'http:' || to?.protocol === 'https:') return to
  throw refusal(url, status, 'and leads nowhere')
}

type Lookup = NonNullable<http.RequestOptions['lookup']>

/** Looks a name up and hands on only what is public. All must be: a name with both kinds is a trick. */
function publicOnly(url: URL): Lookup {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) {
        done(error, [])
      } else if (
        addresses.length === 0 ||
        !addresses.every(({ address }) => isPublicAddress(address))
      ) {
        done(notPublic(url), [])
      } else if (options.all === true) {
        done(null, addresses)
      } else {
        const [first] = addresses
        done(null, first?.address ?? '', first?.family)
      }
    })
  }
}

function notPublic(url: URL): ArtifactsError {
  return new ArtifactsError(
    'ERR_REMOTE_DENIED',
    `"${shownUrl(url)}" is not opened: "${url.hostname}" is on this machine or a private network.`,
    {
      hint: `If you trust it: \`artifacts config set references.hosts ${url.host}\`.`,
      data: { url: shownUrl(url) },
    },
  )
}

function timedOut(): Error {
  return Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })
}
