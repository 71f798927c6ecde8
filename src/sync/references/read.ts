/** The bytes that references lead to: never handed out whole without having been compared with what was recorded. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ArtifactsError, isFailedCall } from '../../errors.ts'
import type { AtHand } from '../../store/checkout/references.ts'
import type { Io } from '../../store/io/io.ts'
import type { Reference } from '../../types.ts'
import { RecordCheck } from './digests.ts'
import type { OpenedReference, ReferenceContext } from './kind.ts'
import { kindOf } from './kinds.ts'
import { shownUri } from './uri.ts'

/**
 * The bytes, piece by piece; who takes them must throw them away when this fails at the end.
 * @throws ArtifactsError ERR_REMOTE_CHANGED, ERR_NOT_FOUND, ERR_REMOTE_UNREACHABLE, ERR_REMOTE_DENIED, ERR_UNSUPPORTED.
 */
export async function* referenceBytes(
  reference: Reference,
  context: ReferenceContext,
): AsyncGenerator<Uint8Array> {
  refuseUnresolved(reference)
  let check: RecordCheck | undefined
  let at = 0
  for (let failures = 0; ; ) {
    const opened = await kindOf(reference.uri).open(reference, context, at)
    check ??= new RecordCheck(reference, opened.md5)
    const before = at
    try {
      for await (const piece of behind(opened, at)) {
        context.signal?.throwIfAborted()
        check.update(piece)
        at += piece.length
        yield piece
      }
      break
    } catch (error) {
      context.signal?.throwIfAborted()
      const broken = brokenOff(reference, error)
      if (broken === undefined) throw error
      if (at === reference.size) break
      failures = at > before ? 1 : failures + 1
      // Without a record of the bytes, nothing would tell if the rest were that of others.
      if (failures === ATTEMPTS || reference.digest.algo === 'uri') throw broken
      await sleep(failures * 200, undefined, { signal: context.signal }).catch(() =>
        context.signal?.throwIfAborted(),
      )
    } finally {
      opened.body.destroy()
    }
  }
  check.finish()
}

/** Times in a row that a transfer may break off without a byte more. */
const ATTEMPTS = 3

/** What comes of a body from the offset `at` on. */
async function* behind(
  { body, from = 0 }: OpenedReference,
  at: number,
): AsyncGenerator<Uint8Array> {
  let skip = at - from
  for await (const piece of body as AsyncIterable<Uint8Array>) {
    if (skip < piece.length) yield piece.subarray(skip)
    skip = Math.max(skip - piece.length, 0)
  }
}

/** The error for a connection that broke off; undefined for any other. */
function brokenOff({ uri }: Reference, error: unknown): ArtifactsError | undefined {
  const isOther = error instanceof ArtifactsError || !kindOf(uri).isRemote || !isFailed(error)
  if (isOther) return undefined
  return new ArtifactsError(
    'ERR_REMOTE_UNREACHABLE',
    `"${shownUri(uri)}" broke off: ${error.message}.`,
    { hint: 'Check the network, and try again.', cause: error },
  )
}

export interface Transfer {
  readonly context: ReferenceContext
  readonly io: Io
  readonly onBytes: (bytes: number) => void
}

/** Whether what is there is what was recorded; `unknown` where the record does not tell. Reads only where it must. */
export async function checkReference(
  reference: Reference,
  context: ReferenceContext,
): Promise<'same' | 'unknown'> {
  refuseUnresolved(reference)
  if (reference.digest.algo === 'uri') return 'unknown'
  const proven = await isProven(reference, context)
  if (!proven) for await (const _ of referenceBytes(reference, context));
  return 'same'
}

async function isProven(reference: Reference, context: ReferenceContext): Promise<boolean> {
  const kind = kindOf(reference.uri)
  if (kind.check !== undefined) return kind.check(reference, context)
  const { body, proven } = await kind.open(reference, context)
  body.on('error', () => {})
  body.destroy()
  return proven
}

/** Writes the bytes to `file`, which is new, whole and compared, or not at all. */
export async function fetchReference(
  reference: Reference,
  file: string,
  { context, io, onBytes }: Transfer,
): Promise<AtHand> {
  const hash = createHash('sha256')
  let size = 0
  const fd = io.open(file, 'wx')
  let done = false
  try {
    for await (const piece of referenceBytes(reference, context)) {
      io.writeAll(fd, piece)
      hash.update(piece)
      size += piece.length
      onBytes(piece.length)
    }
    done = true
  } finally {
    io.close(fd)
    if (!done) io.unlink(file)
  }
  return { file, size, sha256: hash.digest('hex') }
}

function refuseUnresolved({ resolved, uri }: Reference): void {
  if (resolved) return
  throw new ArtifactsError(
    'ERR_UNSUPPORTED',
    `"${shownUri(uri)}" was recorded without a network, and nobody has looked at it yet.`,
    { hint: 'Look it up now: `artifacts commit --resolve REF`.', data: { uri: shownUri(uri) } },
  )
}

function isFailed(error: unknown): error is Error {
  return isFailedCall(error) || (error instanceof Error && 'code' in error)
}
