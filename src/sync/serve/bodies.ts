/** What a request brings: of a length that is said beforehand, bounded, at a pace that is none of an attack. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Limits } from './limits.ts'
import { Refusal } from './refusal.ts'

export interface Announced {
  readonly length: number
  /** SHA-256 of the body, hex. */
  readonly sha256: string
}

/** What the headers say of the body. @throws Refusal 411, 413, 400 */
export function announced({ headers }: IncomingMessage, most: number): Announced {
  const length = headers['content-length']
  if (length === undefined || headers['transfer-encoding'] !== undefined) {
    throw new Refusal(411, 'A body needs a Content-Length.')
  }
  if (!/^\d{1,15}$/.test(length)) throw new Refusal(400, 'The Content-Length is no length.')
  if (Number(length) > most) throw new Refusal(413, `At most ${most} bytes are taken.`)
  const sha256 = headers['x-content-sha256']
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new Refusal(400, 'X-Content-SHA256 must be the SHA-256 of the body, in hex.')
  }
  if (headers['content-encoding'] !== undefined) {
    throw new Refusal(400, 'Bodies with a Content-Encoding are not taken.')
  }
  return { length: Number(length), sha256 }
}

/** Hands out what comes; breaks off one that stalls, or trickles. */
export async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  limits: Limits,
  take: (piece: Buffer) => void,
): Promise<void> {
  // Who asked whether to send is told now, when all that can be said before was said.
  if (/^100-continue$/i.test(request.headers.expect ?? '')) response.writeContinue()
  const begun = Date.now()
  let bytes = 0
  let heard = begun
  let isSlow = false
  const timer = setInterval(
    () => {
      const now = Date.now()
      const isTrickling =
        now - begun > limits.idleBody && (bytes * 1000) / (now - begun) < limits.slowestBody
      if (now - heard <= limits.idleBody && !isTrickling) return
      isSlow = true
      request.destroy()
    },
    Math.min(1000, limits.idleBody),
  )
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      bytes += piece.length
      heard = Date.now()
      take(piece)
    }
  } catch (error) {
    if (isSlow) throw new Refusal(408, 'The body came too slowly.')
    throw error
  } finally {
    clearInterval(timer)
  }
}
