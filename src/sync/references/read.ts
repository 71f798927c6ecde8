/** The bytes that references lead to: never handed out whole without having been compared with what was recorded. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ArtifactsError, isFailedCall } from '../../errors.ts'
import type { AtHand } from '../../store/checkout/references.ts'
import type { Io } from '../../store/io/io.ts'
import type { Reference } from '../../types.ts'
import { RecordCheck } from './digests.ts'
import type { ReferenceContext } from './kind.ts'
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
  const kind = kindOf(reference.uri)
  const { body, md5 } = await kind.open(reference, context)
  const check = new RecordCheck(reference, md5)
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      context.signal?.throwIfAborted()
      check.update(piece)
      yield piece
    }
  } catch (error) {
    context.signal?.throwIfAborted()
    if (error instanceof ArtifactsError || !kind.isRemote || !isFailed(error)) throw error
    throw new ArtifactsError(
      'ERR_REMOTE_UNREACHABLE',
      `"${shownUri(reference.uri)}" broke off: ${error.message}.`,
      { hint: 'Check the network, and try again.', cause: error, data: { brokeOff: true } },
    )
  } finally {
    body.destroy()
  }
  check.finish()
}

export interface Transfer {
  readonly context: ReferenceContext
  readonly io: Io
  readonly onBytes: (bytes: number) => void
}

/** Times that a transfer is begun which breaks off. */
const ATTEMPTS = 3

/** Writes the bytes to `file`, which is new, whole and compared, or not at all. */
export async function fetchReference(
  reference: Reference,
  file: string,
  { context, io, onBytes }: Transfer,
): Promise<AtHand> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetchOnce(reference, file, { context, io, onBytes })
    } catch (error) {
      const isBroken = error instanceof ArtifactsError && error.data['brokeOff'] === true
      if (!isBroken || attempt === ATTEMPTS) throw error
      await sleep(attempt * 200, undefined, { signal: context.signal })
    }
  }
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

async function fetchOnce(
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
