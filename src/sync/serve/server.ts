/**
 * A store over HTTP (docs/remote.md section 10): the files of a remote, read from and written to the store as they are, so that
 * it stays an ordinary store beside. What comes in is hostile until it is checked, and is checked before it is shown.
 */
import { readFileSync } from 'node:fs'
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import https from 'node:https'
import { type AddressInfo, isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { isNoSpace } from '../../store/index/connection.ts'
import type { RefDefaults } from '../../store/index/resolve.ts'
import { nodeReader, type OpenedStore } from '../../store/opened.ts'
import { Access } from './access.ts'
import { sendText } from './answers.ts'
import { answer, type Push, type Served } from './handler.ts'
import { LIMITS, type Limits } from './limits.ts'
import { PackChecker } from './pack-checker.ts'
import { Probes } from './probes.ts'
import { Refusal } from './refusal.ts'
import { ServedLog } from './served-log.ts'
import { Tokens } from './tokens.ts'

export interface ServeOptions {
  /** Default: 4280; 0: one that is free. */
  readonly port?: number
  /** Default: 127.0.0.1. */
  readonly host?: string
  readonly readOnly?: boolean
  /** Paths of PEM files, both or none. */
  readonly tlsCert?: string
  readonly tlsKey?: string
  /**
   * Where there are no tokens: listen on other addresses than loopback all the same. Where there are: who has none may read.
   */
  readonly allowAnonymous?: boolean
  readonly limits?: Partial<Limits>
  /** Told of each operation that was taken. */
  readonly onPush?: (push: Push) => void
  /** Told of what went wrong on this side, after the client was. */
  readonly onError?: (error: unknown) => void
}

/** A server that listens. */
export interface Serving extends AsyncDisposable {
  /** Where clients find it; it ends with a slash. */
  readonly url: string
  /** Requests that were answered. */
  readonly requests: number
  /** Takes no more requests, and waits for those that run. */
  close(): Promise<void>
}

/**
 * @throws ArtifactsError ERR_USAGE for an address other than loopback without tokens, ERR_UNREADABLE for a certificate or a key that
 * can't be read, ERR_CONFIG, ERR_IN_USE for a port that is taken
 */
export async function serveStore(
  store: OpenedStore & { readonly id: string },
  defaults: RefDefaults,
  options: ServeOptions = {},
): Promise<Serving> {
  const { port = 4280, host = '127.0.0.1', allowAnonymous = false } = options
  const limits = { ...LIMITS, ...options.limits }
  const tokens = new Tokens(store.layout)
  if (!tokens.areThere && !allowAnonymous && !isLoopback(host)) throw notWithoutTokens(host)
  refusePartial(store)
  const served: Served = {
    store,
    defaults,
    readNode: nodeReader(store),
    access: new Access({ tokens, allowAnonymous, limits }),
    limits,
    isReadOnly: options.readOnly ?? false,
    log: new ServedLog(store),
    probes: new Probes(),
    checker: new PackChecker(store),
    hashes: new Map(),
    inTurn: turns(),
    onPush: options.onPush ?? (() => {}),
  }
  const running = new Running(served, options.onError ?? (() => {}))
  const server = create(options, limits, (request, response) => running.take(request, response))
  await listen(server, port, host)
  const { port: bound } = server.address() as AddressInfo
  const scheme = options.tlsCert === undefined ? 'http' : 'https'
  const name = isIP(host) === 6 ? `[${host}]` : host
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= stop(server, running, served)
    return closing
  }
  return {
    url: `${scheme}://${name}:${bound}/`,
    get requests() {
      return running.answered
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Requests that are being answered. */
class Running {
  readonly #served: Served
  readonly #onError: (error: unknown) => void
  readonly #all = new Set<Promise<void>>()
  #uploads = 0
  answered = 0

  constructor(served: Served, onError: (error: unknown) => void) {
    this.#served = served
    this.#onError = onError
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    const done = this.#handle(request, response).catch(this.#onError)
    this.#all.add(done)
    void done.finally(() => {
      this.answered++
      this.#all.delete(done)
    })
  }

  async finish(): Promise<void> {
    while (this.#all.size > 0) await Promise.all(this.#all)
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const served = this.#served
    const isUpload = request.method === 'PUT'
    if (isUpload) this.#uploads++
    try {
      if (isUpload && this.#uploads > served.limits.uploads) {
        throw new Refusal(503, 'Too many files come at once.', { 'retry-after': '1' })
      }
      await answer({ served, request, response })
    } catch (error) {
      const refusal = refusalOf(error)
      if (response.headersSent || response.destroyed) response.destroy()
      else sendText(request, response, refusal.status, `${refusal.message}\n`, refusal.headers)
      const isOurs = refusal !== error && refusal.status === 500 && !isGone(error)
      if (isOurs) this.#onError(error)
    } finally {
      if (isUpload) this.#uploads--
      discardRest(request)
      await sent(response)
    }
  }
}

/** Resolves when the answer has left, or nobody will hear it: only then may the connection be closed. */
async function sent(response: ServerResponse): Promise<void> {
  if (response.writableFinished || response.destroyed) return
  await new Promise<void>((resolve) => {
    response.once('finish', resolve)
    response.once('close', resolve)
  })
}

/** What a client is told of an error: nothing of what only this machine should know. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (isNoSpace(error)) return new Refusal(507, 'The disk is full.')
  if (isSystemError(error, 'EROFS', 'EACCES', 'EPERM')) {
    return new Refusal(405, 'This store can only be read.', { allow: 'GET, HEAD' })
  }
  if (error instanceof ArtifactsError && error.code === 'ERR_BUSY') {
    return new Refusal(503, 'The store is busy.', { 'retry-after': '1' })
  }
  return new Refusal(500, 'The server failed; its owner has been told.')
}

/** Who asked went away in the middle. */
function isGone(error: unknown): boolean {
  return isSystemError(error, 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE')
}

const MOST_UNWANTED_BYTES = 80 * 2 ** 20
const LONGEST_UNWANTED_MS = 10_000

/**
 * A body that was answered before it came is let come to its end, so that the answer is heard: who is cut off while sending
 * hears nothing. But not for ever.
 */
function discardRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  let bytes = 0
  const timer = setTimeout(() => request.destroy(), LONGEST_UNWANTED_MS)
  timer.unref()
  request.on('data', (piece: Buffer) => {
    bytes += piece.length
    if (bytes > MOST_UNWANTED_BYTES) request.destroy()
  })
  request.on('close', () => clearTimeout(timer))
  request.on('error', () => {})
  request.resume()
}

function create(
  { tlsCert, tlsKey }: ServeOptions,
  limits: Limits,
  take: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const options = {
    maxHeaderSize: 16 * 1024,
    headersTimeout: limits.headers,
    // A body has its own clock, which knows how long it may be.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAlive,
    connectionsCheckingInterval: Math.min(limits.headers, 5000),
    noDelay: true,
  }
  const server =
    tlsCert === undefined && tlsKey === undefined
      ? http.createServer(options, take)
      : createSecure({ ...options, ...certificate(tlsCert, tlsKey) }, take)
  server.maxConnections = limits.connections
  server.setTimeout(limits.idle)
  server.on('checkContinue', take)
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else socket.destroy()
  })
  return server
}

function createSecure(options: https.ServerOptions, take: http.RequestListener): Server {
  try {
    return https.createServer(options, take)
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    throw new ArtifactsError(
      'ERR_CONFIG',
      `The certificate and its key are refused: ${error.message}`,
      {
        hint: 'Give a certificate and its own key as PEM files.',
        cause: error,
      },
    )
  }
}

function certificate(tlsCert?: string, tlsKey?: string): { cert: Buffer; key: Buffer } {
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new ArtifactsError('ERR_USAGE', 'A certificate and its key go together.', {
      hint: 'Give both: `artifacts serve --tls-cert FILE --tls-key FILE`.',
    })
  }
  return { cert: readPem(tlsCert), key: readPem(tlsKey) }
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new ArtifactsError('ERR_UNREADABLE', `The file "${path}" can't be read.`, {
      hint: 'Check its name, and whether you may read it.',
      cause: error,
    })
  }
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    if (isSystemError(error, 'EADDRINUSE')) {
      throw new ArtifactsError('ERR_IN_USE', `Port ${port} of "${host}" is taken.`, {
        hint: 'Choose another one, or any that is free: `artifacts serve --port 0`.',
        cause: error,
      })
    }
    if (isSystemError(error, 'EADDRNOTAVAIL', 'ENOTFOUND', 'EACCES', 'EAI_AGAIN')) {
      throw new ArtifactsError('ERR_USAGE', `This machine can't listen on "${host}:${port}".`, {
        hint: 'Give one of its addresses, and a port above 1023: `--host 0.0.0.0 --port 4280`.',
        cause: error,
      })
    }
    throw error
  }
}

async function stop(server: Server, running: Running, served: Served): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const time = new AbortController()
  const late = sleep(served.limits.stop, undefined, { signal: time.signal }).catch(() => {})
  await Promise.race([running.finish(), late])
  time.abort()
  // Connections on which nothing is asked any more.
  server.closeAllConnections()
  await closed
  await running.finish()
  await served.checker.close()
  served.log.close()
}

/** Runs steps one after another, whatever becomes of each. */
function turns(): <T>(step: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (step) => {
    const next = last.then(step, step)
    last = next.catch(() => {})
    return next
  }
}

/** Addresses by which this machine alone can be reached. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Who reads a version here must find all of it. */
function refusePartial({ index }: OpenedStore): void {
  const [version] = index.state.partialVersions()
  if (version === undefined) return
  const { state } = index
  const ref = `${state.artifactById(version.artifact)?.name ?? ''}:v${version.number}`
  throw new ArtifactsError('ERR_NOT_FETCHED', `Not all bytes of "${ref}" are in this store.`, {
    hint: `Get them with \`artifacts fetch ${ref}\`, or serve another store.`,
  })
}

function notWithoutTokens(host: string): ArtifactsError {
  return new ArtifactsError(
    'ERR_USAGE',
    `There are no tokens: on "${host}", whoever reaches this machine could read and change the store.`,
    {
      hint: 'Make one with `artifacts serve token add NAME --scope read|write`, or say `--allow-anonymous`.',
    },
  )
}
