/**
 * Creates the next operation: the one commit point of a store (docs/format.md section 6). The file is written and
 * synced under another name and then linked, which fails where the number is taken; so of all who try, on any number
 * of machines, one wins, and nobody ever sees half an operation.
 */
import { existsSync } from 'node:fs'
import { ArtifactsError, isFailedCall, isSystemError } from '../../errors.ts'
import type { Io } from '../io/io.ts'
import { type Layout, operationPath } from '../layout.ts'
import { appendLocked } from './lock.ts'
import { readEntry } from './log.ts'
import { encodeOperation, type Operation } from './operation.ts'

export type Appended =
  | { readonly kind: 'created'; readonly hash: string }
  /** Another operation has this number. */
  | { readonly kind: 'taken' }
  /** Only without hard links: a running process is about to create the operation. */
  | { readonly kind: 'busy'; readonly lock: string; readonly holder: string }

export interface AppendOptions {
  readonly io: Io
  readonly layout: Layout
  /** Whether the name of operation n − 1 is known to survive a power loss; else `log/` is synced first. */
  readonly previousIsDurable: boolean
  /** What the file is called in `log/` at first; default: `.<nonce>`. */
  readonly temporary?: string
}

/**
 * Creates operation `operation.n` where that number is free. When it returns `created`, the operation survives a power
 * loss. Throws ERR_DURABILITY_UNKNOWN when the operation was created but the sync of its name failed; after any other
 * error it was not created.
 */
export function appendOperation(operation: Operation, options: AppendOptions): Appended {
  const { io, layout } = options
  const { bytes, hash } = encodeOperation(operation)
  const path = operationPath(layout, operation.n)
  if (!options.previousIsDurable) io.fsyncDirectory(layout.log)
  const temporary = `${layout.log}/${options.temporary ?? `.${operation.nonce}`}`
  let appended: Appended | undefined
  while (appended === undefined) {
    io.createFile(temporary, bytes, { durable: true })
    try {
      appended = publish(operation, hash, temporary, path, options)
    } catch (error) {
      // gc without any grace takes what is not linked yet for left over.
      if (isSystemError(error, 'ENOENT') && !existsSync(temporary)) continue
      discard(io, temporary)
      throw error
    }
  }
  // Synced before the temporary name goes: `created` is what matters, and a name too many does no harm.
  if (appended.kind === 'created') syncName(io, layout, operation, temporary)
  discard(io, temporary)
  return appended
}

function publish(
  operation: Operation,
  hash: string,
  temporary: string,
  path: string,
  { io, layout }: AppendOptions,
): Appended {
  try {
    if (io.linkExclusive(temporary, path)) return { kind: 'created', hash }
  } catch (error) {
    // EMLINK and EXDEV cannot be; these are how file systems say that they have no hard links.
    if (isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) {
      return appendLocked({ io, layout, n: operation.n, temporary, hash })
    }
    // A network can lose the answer to a link that was made.
    if (isMine(layout, operation)) return { kind: 'created', hash }
    throw error
  }
  return isMine(layout, operation) ? { kind: 'created', hash } : { kind: 'taken' }
}

function isMine(layout: Layout, { n, prev, nonce }: Operation): boolean {
  const entry = readEntry(layout, n, prev)
  return entry?.kind === 'operation' && entry.operation.nonce === nonce
}

function syncName(io: Io, layout: Layout, operation: Operation, temporary: string): void {
  try {
    syncLog(io, layout, operation.n)
  } catch (error) {
    discard(io, temporary)
    throw error
  }
}

/** Makes operation `n`, which is there, and all before it survive a power loss. Throws ERR_DURABILITY_UNKNOWN. */
export function syncLog(io: Io, layout: Layout, n: number): void {
  try {
    io.fsyncDirectory(layout.log)
  } catch (error) {
    if (!isFailedCall(error)) throw error
    throw new ArtifactsError(
      'ERR_DURABILITY_UNKNOWN',
      `Operation ${n} was committed, but the disk did not confirm it: it may be lost with the power.`,
      { hint: 'Check the disk, then run `artifacts fsck`.', cause: error },
    )
  }
}

/** Removes the temporary name. It belongs to nobody when that fails, and gc removes it. */
function discard(io: Io, temporary: string): void {
  try {
    io.unlink(temporary)
  } catch (error) {
    if (!isFailedCall(error)) throw error
  }
}
