/** Answers: bytes, files, parts of them, and refusals. Never a page: a client would take one for that of a proxy. */
import { closeSync, createReadStream } from 'node:fs'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isSystemError } from '../../errors.ts'
import { Refusal } from './refusal.ts'

/** Bytes that can be had from any place on. */
export interface Body {
  readonly size: number
  /** Bytes `start` to `end`, the end excluded. */
  readonly from: (start: number, end: number) => Readable
  /** Called when none will be asked for. */
  readonly close?: () => void
}

export function bytesBody(bytes: Uint8Array): Body {
  return {
    size: bytes.length,
    from: (start, end) => Readable.from([bytes.subarray(start, end)]),
  }
}

/** An open file; it is closed when it has been sent, or will not be. */
export function fileBody(fd: number, size: number): Body {
  return {
    size,
    from: (start, end) => {
      if (start < end) {
        return createReadStream('', { fd, start, end: end - 1, highWaterMark: 256 * 1024 })
      }
      closeSync(fd)
      return Readable.from([])
    },
    close: () => closeSync(fd),
  }
}

/** Sends what is asked of a body: all, a part, its length, or that nothing has changed. */
export async function sendBody(
  request: IncomingMessage,
  response: ServerResponse,
  body: Body,
  headers: OutgoingHttpHeaders & { readonly etag: string },
): Promise<void> {
  const all = { 'accept-ranges': 'bytes', 'x-content-type-options': 'nosniff', ...headers }
  if (matches(request.headers['if-none-match'], headers.etag)) {
    body.close?.()
    response.writeHead(304, all).end()
    return
  }
  const part = partOf(request, body.size, headers.etag)
  if (part === 'outside') {
    body.close?.()
    throw new Refusal(416, 'The file does not have these bytes.', {
      'content-range': `bytes */${body.size}`,
    })
  }
  const { start, end } = part ?? { start: 0, end: body.size }
  const length = { 'content-length': end - start }
  if (part === undefined) response.writeHead(200, { ...all, ...length })
  else {
    const range = `bytes ${start}-${end - 1}/${body.size}`
    response.writeHead(206, { ...all, ...length, 'content-range': range })
  }
  if (request.method === 'HEAD') {
    body.close?.()
    response.end()
    return
  }
  try {
    await pipeline(body.from(start, end), response)
  } catch (error) {
    // Who asked has gone: nobody is left to be told.
    if (!isSystemError(error, 'ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE')) throw error
  }
}

export function sendText(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  headers: OutgoingHttpHeaders = {},
): void {
  const bytes = Buffer.from(text)
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
    'content-length': bytes.length,
  })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

/** An answer without a body. */
export function sendStatus(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, status === 204 ? headers : { 'content-length': 0, ...headers }).end()
}

function matches(condition: string | undefined, etag: string): boolean {
  const tags = condition?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? []
  return tags.includes(etag) || tags.includes('*')
}

/** One range of bytes (RFC 9110 section 14); several, and what is no range, count as none. */
function partOf(
  { headers, method }: IncomingMessage,
  size: number,
  etag: string,
): { start: number; end: number } | 'outside' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(headers.range ?? '') ?? []
  const isWanted = method === 'GET' && (first !== '' || last !== '')
  if (!isWanted || (headers['if-range'] ?? etag) !== etag) return undefined
  if (first === '') {
    if (Number(last) === 0 || size === 0) return 'outside'
    return { start: Math.max(0, size - Number(last)), end: size }
  }
  const start = Number(first)
  if (start >= size) return 'outside'
  if (last === '') return { start, end: size }
  if (Number(last) < start) return undefined
  return { start, end: Math.min(Number(last) + 1, size) }
}
