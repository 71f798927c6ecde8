/**
 * `http://` and `https://`. A GET whose body is not read tells the ETag and the length: not every server answers HEAD, and
 * a signed URL is for one method. Where the server has no ETag, the bytes are read once and their SHA-256 is recorded:
 * nothing else would show a change.
 */
import { createHash } from 'node:crypto'
import { ArtifactsError } from '../../errors.ts'
import type { Reference } from '../../types.ts'
import { refusal, unreachable } from '../net/failures.ts'
import type { Answer } from '../net/network.ts'
import { bareReference, changed } from './digests.ts'
import type { ReferenceContext, ReferenceKind } from './kind.ts'
import { lastPart } from './uri.ts'

export const http: ReferenceKind = {
  isRemote: true,
  nameOf,
  async resolve(given, options) {
    const uri = httpUri(given)
    const name = nameOf(uri)
    if (!options.checksum) return { kind: 'one', name, reference: bareReference(uri, true) }
    const answer = await get(uri, options)
    const etag = answer.headers.etag
    if (etag === undefined || unquoted(etag) === '') {
      return { kind: 'one', name, reference: await hashed(uri, answer, options) }
    }
    answer.body.destroy()
    const size = lengthOf(answer)
    const digest = { algo: 'etag', value: unquoted(etag) }
    const reference = { uri, digest, etag, ...(size === undefined ? {} : { size }), resolved: true }
    return { kind: 'one', name, reference }
  },
  async open(reference, context, from = 0) {
    const range: Record<string, string> = from === 0 ? {} : { range: `bytes=${from}-` }
    const answer = await get(reference.uri, context, range)
    const begin = startOf(answer)
    const fault = faultOf(reference, answer, begin)
    if (fault === undefined) {
      return { body: answer.body, proven: reference.digest.algo === 'etag', from: begin }
    }
    answer.body.destroy()
    throw changed(reference, fault)
  },
}

function nameOf(uri: string): string {
  return lastPart(new URL(uri).pathname, true)
}

/** The URI without its fragment, which no server sees. @throws ArtifactsError ERR_USAGE when it is none. */
function httpUri(given: string): string {
  const url = new URL(given)
  url.hash = ''
  return url.href
}

async function get(
  uri: string,
  { network, signal }: ReferenceContext,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const answer = await network.request(new URL(uri), { headers, signal })
  const isPart = headers['range'] !== undefined && answer.status === 206
  if (answer.status === 200 || isPart) return answer
  answer.body.destroy()
  throw refusal(new URL(uri), answer.status, answer.body.statusMessage)
}

async function hashed(uri: string, answer: Answer, context: ReferenceContext): Promise<Reference> {
  const hash = createHash('sha256')
  let size = 0
  try {
    for await (const piece of answer.body as AsyncIterable<Buffer>) {
      hash.update(piece)
      size += piece.length
      context.onProgress?.({ phase: 'read', files: 0, bytes: size })
    }
  } catch (error) {
    context.signal?.throwIfAborted()
    throw unreachable(answer.url, error)
  }
  const declared = lengthOf(answer)
  if (declared !== undefined && declared !== size) {
    throw new ArtifactsError(
      'ERR_REMOTE_UNREACHABLE',
      `"${uri}" ended after ${size} of ${declared} bytes.`,
    )
  }
  return { uri, digest: { algo: 'sha256', value: hash.digest('hex') }, size, resolved: true }
}

/** Offset of the first byte of an answer. */
function startOf({ status, headers }: Answer): number {
  if (status !== 206) return 0
  return Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? 0)
}

function faultOf(
  { digest, size, etag }: Reference,
  answer: Answer,
  begin: number,
): string | undefined {
  const now = answer.headers.etag
  if (digest.algo === 'etag' && (now === undefined || unquoted(now) !== digest.value)) {
    return `${now === undefined ? 'no ETag' : `the ETag ${now}`} where ${etag ?? digest.value} was recorded`
  }
  const length = lengthOf(answer)
  if (size === undefined || length === undefined || begin + length === size) return undefined
  return `${begin + length} bytes where ${size} were recorded`
}

function unquoted(etag: string): string {
  return etag.replaceAll('"', '')
}

function lengthOf({ headers }: Answer): number | undefined {
  const length = Number(headers['content-length'])
  return Number.isSafeInteger(length) && length >= 0 ? length : undefined
}
