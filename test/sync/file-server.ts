/**
 * A real HTTP server on loopback for remotes (docs/remote.md section 2), in memory: the second implementation of the
 * specification, with the vices of servers that are out there.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ServerOptions {
  /** Takes no files and gives no lists. */
  readonly isStatic?: boolean
  /** False: answers a range with everything. */
  readonly ranges?: boolean
  readonly token?: string
  /** What becomes of `If-None-Match: *`. */
  readonly conditions?: 'atomic' | 'refuses' | 'ignores' | 'racy'
  /** False: nothing is ever removed. */
  readonly deletes?: boolean
  /** Takes no files from whoever asks. */
  readonly isClosed?: boolean
  /** Milliseconds that its clock is ahead. */
  readonly clock?: number
}

export interface FileServer extends AsyncDisposable {
  /** Ends with a slash. */
  readonly url: string
  readonly files: Map<string, Buffer>
  /** Method and name of all that was asked, in order. */
  readonly asked: string[]
}

export async function fileServer(
  files: Readonly<Record<string, Uint8Array>> = {},
  options: ServerOptions = {},
): Promise<FileServer> {
  const held = new Map(Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes)]))
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.slice('/base/'.length)}`)
    answer(request, response, held, options).catch((error: Error) => response.destroy(error))
  })
  const url = `${await listen(server)}/base/`
  return { url, files: held, asked, [Symbol.asyncDispose]: () => close(server) }
}

/** Starts on loopback; returns `http://127.0.0.1:PORT`. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  files: Map<string, Buffer>,
  {
    isStatic = false,
    ranges = true,
    token,
    conditions = 'atomic',
    deletes = true,
    isClosed = false,
    clock = 0,
  }: ServerOptions,
): Promise<void> {
  const end = (status: number, body: string | Uint8Array = '', headers = {}): void => {
    response.writeHead(status, { 'content-length': body.length, ...headers })
    response.end(request.method === 'HEAD' ? undefined : body)
  }
  const url = new URL(request.url ?? '/', 'http://x')
  const name = url.pathname.slice('/base/'.length)
  if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) return end(401)
  const held = files.get(name)

  if (request.method === 'GET' && url.searchParams.has('list')) {
    if (isStatic) return end(404)
    const listed = page(files, name, url.searchParams.get('after') ?? '', clock)
    return end(200, JSON.stringify(listed), {
      'content-type': 'application/json',
    })
  }
  if (request.method === 'GET' || request.method === 'HEAD') {
    if (held === undefined) return end(404, 'not found', { 'content-type': 'text/html' })
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    if (first === undefined || !ranges) return end(200, held)
    if (Number(first) >= held.length) {
      return end(416, '', { 'content-range': `bytes */${held.length}` })
    }
    const part = held.subarray(Number(first), Number(last) + 1)
    const until = Number(first) + part.length - 1
    return end(206, part, { 'content-range': `bytes ${first}-${until}/${held.length}` })
  }
  if (isStatic) return end(405)
  if (isClosed || (request.method === 'DELETE' && !deletes)) return end(403)
  if (request.method === 'DELETE') {
    files.delete(name)
    return end(204)
  }
  const pieces: Buffer[] = []
  const isConditional = request.headers['if-none-match'] === '*' && conditions !== 'ignores'
  if (isConditional && conditions === 'refuses') return end(501)
  const early = isConditional && held !== undefined
  for await (const piece of request) pieces.push(piece)
  const bytes = Buffer.concat(pieces)
  const hash = createHash('sha256').update(bytes).digest('hex')
  if (hash !== request.headers['x-content-sha256']) return end(400, 'wrong hash')
  if (conditions === 'racy') await sleep(2)
  if (isConditional && (early || (conditions === 'atomic' && files.has(name)))) return end(412)
  files.set(name, bytes)
  times.set(bytes, Date.now())
  return end(201)
}

/** When files were put, by their bytes; the others were there from the beginning. */
const times = new WeakMap<Buffer, number>()
const beginning = Date.now()

function page(files: Map<string, Buffer>, folder: string, after: string, clock: number): object {
  const names = [...files.keys()].filter((name) => name.startsWith(folder) && name > after).sort()
  return {
    files: names.slice(0, 1000).map((name) => {
      const bytes = files.get(name) ?? Buffer.alloc(0)
      const modified = new Date((times.get(bytes) ?? beginning) + clock).toISOString()
      return { name, size: bytes.length, modified }
    }),
    more: names.length > 1000,
  }
}
