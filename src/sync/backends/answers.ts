/** What the answers of HTTP servers mean for a backend (docs/remote.md section 2). */
import { ArtifactsError } from '../../errors.ts'
import type { Range } from '../backend.ts'
import { refusal, shownUrl } from '../net/failures.ts'
import type { Answer } from '../net/network.ts'
import { outside } from './errors.ts'

/** Worth another attempt; 409 is a condition that could not be decided, and 425 a request that came too early. */
const PASSING = [408, 409, 425, 429, 500, 502, 503, 504]

/** An answer that is not the one asked for, as an error. `said` are the server's own words for it. */
export function failed(
  { url, status, headers }: Answer,
  said = '',
  isPassing = false,
): ArtifactsError {
  if (!isPassing && !PASSING.includes(status)) return refusal(url, status, said)
  const answer = said === '' ? String(status) : `${status} ${said}`
  return new ArtifactsError(
    'ERR_REMOTE_UNREACHABLE',
    `"${shownUrl(url)}" fails: it answers ${answer}.`,
    {
      hint: 'Try again later.',
      data: {
        url: shownUrl(url),
        status,
        passing: true,
        retryAfter: milliseconds(headers['retry-after']),
      },
    },
  )
}

/** Where in the body the bytes that were asked for lie. */
export interface Part {
  readonly skip: number
  readonly size: number
}

/**
 * Where the bytes are in a successful answer. Throws where it is something else than the file: a page of a login, other
 * bytes than were asked for, or bytes without a length, whose end can't be told from a broken connection.
 */
export function partOf(answer: Answer, range: Range | undefined): Part {
  checkFile(answer)
  const { url, status, headers } = answer
  const length = lengthOf(answer)
  if (range === undefined) return { skip: 0, size: length }
  if (status === 206) {
    const [, first, last, size] =
      /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? []
    const wrong = size === '*' ? undefined : outside(shownUrl(url), Number(size ?? 0), range)
    if (wrong !== undefined) throw wrong
    const wanted = range.end - range.start
    if (Number(first) !== range.start || Number(last) !== range.end - 1 || length !== wanted)
      throw strange(url, 'with another part of the file than it was asked for')
    return { skip: 0, size: wanted }
  }
  // Simple servers know no ranges.
  const wrong = outside(shownUrl(url), length, range)
  if (wrong !== undefined) throw wrong
  return { skip: range.start, size: range.end - range.start }
}

/** Throws where an answer, whatever its status, is a page for people: then it says nothing about the file. */
export function checkFile({ url, headers }: Answer): void {
  if (/^(text\/html|application\/xhtml)/i.test(headers['content-type'] ?? '')) {
    throw strange(
      url,
      'with a web page',
      'Is there a login or a proxy between? Open it in a browser.',
    )
  }
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') throw strange(url, `with bytes in the encoding "${encoding}"`)
}

/**
 * Throws where the answer to what was sent is a page: who answers everything with one has stored nothing. Many servers
 * call their empty answers pages.
 */
export function checkStored(answer: Answer): void {
  if (answer.headers['content-length'] !== '0') checkFile(answer)
}

/** The length of the body that is announced. */
export function lengthOf({ url, headers }: Answer): number {
  const length = headers['content-length'] ?? ''
  if (!/^\d{1,15}$/.test(length)) throw strange(url, 'without saying how many bytes come')
  return Number(length)
}

/** How long the whole file is, out of an answer that the range lies outside (416). */
export function wholeSize({ headers }: Answer): number | undefined {
  const [, size] = /^bytes \*\/(\d{1,15})$/.exec(headers['content-range'] ?? '') ?? []
  return size === undefined ? undefined : Number(size)
}

function strange(
  url: URL,
  how: string,
  hint = 'Check the address: no remote answers so.',
): ArtifactsError {
  return new ArtifactsError('ERR_REMOTE_UNREACHABLE', `"${shownUrl(url)}" answers ${how}.`, {
    hint,
    data: { url: shownUrl(url) },
  })
}

/** `Retry-After`: seconds or a date. */
function milliseconds(after: string | undefined): number {
  if (after === undefined) return 0
  const asked = /^\d{1,6}$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now()
  return Number.isFinite(asked) ? Math.max(0, asked) : 0
}
