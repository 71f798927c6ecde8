/**
 * Files of a remote in a folder, made whole or not at all: written beside their final name, synced, and linked to it, which
 * fails where the name exists; so of all who try, on any number of machines, one wins. Where there are no hard links a lock
 * file decides, by the rules of the log's.
 */
import { statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import type { Io } from '../../store/io/io.ts'
import { temporaryName } from '../../store/layout.ts'
import { createLocked } from '../../store/log/lock.ts'
import { checkedPieces, type Source } from '../source.ts'

/** How file systems say that they have no hard links. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

/** Returns the path of a new file beside `path` with the bytes of the source, durable. */
export async function writeBeside(
  io: Io,
  path: string,
  source: Source,
  signal?: AbortSignal,
): Promise<string> {
  const temporary = join(dirname(path), `.${temporaryName()}`)
  const fd = io.open(temporary, 'wx')
  try {
    try {
      for (const piece of checkedPieces(source)) {
        signal?.throwIfAborted()
        io.writeAll(fd, piece)
      }
      await io.fdatasyncAsync(fd)
    } finally {
      io.close(fd)
    }
  } catch (error) {
    discard(io, temporary)
    throw error
  }
  return temporary
}

/** Names a finished file `path` where that is free; true when `path` is that file now. */
export function nameExclusively(io: Io, path: string, temporary: string): boolean {
  try {
    // A network can lose the answer to a link that was made, and say that the name exists when it asks again.
    return io.linkExclusive(temporary, path) || isSameFile(path, temporary)
  } catch (error) {
    if (isSystemError(error, ...NO_LINKS)) return nameLocked(io, path, temporary)
    if (isSameFile(path, temporary)) return true
    throw error
  }
}

/** Removes a temporary name, where it still is one. What stays behind is removed by gc. */
export function discard(io: Io, temporary: string): void {
  try {
    io.unlink(temporary)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'EIO', 'EROFS')) throw error
  }
}

function nameLocked(io: Io, path: string, temporary: string): boolean {
  const lock = join(dirname(path), `.lock-${basename(path)}`)
  const result = createLocked({ io, path, temporary, lock })
  if (result.kind !== 'busy') return result.kind === 'created'
  throw new ArtifactsError('ERR_BUSY', `Process "${result.holder}" is writing "${path}".`, {
    hint: `When it is sure that it does not run any more: \`rm '${result.lock}'\``,
    data: { passing: true },
  })
}

function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }))
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev
}
