/** The bodies of HTTP answers: counted while they are read, and never left open. */
import { ArtifactsError } from '../../errors.ts'
import { shownUrl, unreachable } from '../net/failures.ts'
import { type Answer, readText } from '../net/network.ts'

/** Exactly `size` bytes of a body, behind `skip` that are left out. */
export async function* piecesOf(
  { url, headers, body }: Answer,
  skip: number,
  size: number,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  const isLonger = Number(headers['content-length']) > skip + size
  let before = skip
  let left = size
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      const wanted = piece.subarray(before, before + left)
      before = Math.max(0, before - piece.length)
      left -= wanted.length
      if (wanted.length > 0) yield wanted
      // The rest of a file is not waited for.
      if (left === 0 && isLonger) break
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw unreachable(url, error)
  }
  if (left > 0) {
    throw new ArtifactsError('ERR_REMOTE_UNREACHABLE', `"${shownUrl(url)}" ends too early.`, {
      hint: 'Try again; if it stays so, what lies there was cut.',
      data: { url: shownUrl(url), passing: true },
    })
  }
}

/** Lets a body go that nobody needs. A short one is read, so that its connection serves the next request. */
export function drain({ body, headers }: Answer, method = 'GET'): void {
  body.on('error', () => {})
  const isShort = method === 'HEAD' || Number(headers['content-length'] ?? 0) <= 65_536
  if (isShort) body.resume()
  else body.destroy()
}

const MOST_WORDS = 500

/** What a server says for its refusal, in a line and without its full stop; empty where that is no short text. The body goes. */
export async function wordsOf(answer: Answer): Promise<string> {
  const { status, headers } = answer
  const isText = /^text\/plain/i.test(headers['content-type'] ?? '')
  const length = Number(headers['content-length'] ?? Number.POSITIVE_INFINITY)
  if (status < 400 || !isText || length > MOST_WORDS) {
    drain(answer)
    return ''
  }
  try {
    const text = await readText(answer, MOST_WORDS)
    return answer.said(
      text
        .replace(/[\p{C}\s]+/gu, ' ')
        .trim()
        .replace(/\.$/, ''),
    )
  } catch (error) {
    // The refusal itself was heard.
    if (!(error instanceof ArtifactsError)) throw error
    return ''
  }
}

/** Judges an answer, and lets its body go when it is not the right one. */
export function closing<T>(answer: Answer, judge: () => T): T {
  try {
    return judge()
  } catch (error) {
    answer.body.on('error', () => {})
    answer.body.destroy()
    throw error
  }
}
