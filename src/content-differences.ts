/** What changed inside the files of a diff: their bytes from the store or from directories, compared by kind. */
import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContentDifference } from './content-diff/difference.ts'
import type { Source } from './content-diff/source.ts'
import type { Change } from './differences.ts'
import { ArtifactsError, isSystemError } from './errors.ts'
import type { Session } from './session.ts'
import type { Side } from './store/compare.ts'
import { temporaryName } from './store/layout.ts'
import { fileOnDisk, type RandomAccess, storedFile } from './store/random-access.ts'
import type { Difference } from './store/tree/classify.ts'
import type { FileEntry, OperationOptions } from './types.ts'

export interface ContentsOptions extends OperationOptions {
  /** Columns that say which row of a table is which; without, rows are compared as multisets. */
  readonly keys?: readonly string[]
  /** Rows, values and tensors that are listed of each file; all are counted. Default 1,000. */
  readonly limit?: number
}

/** A change, and what differs inside where it is a file whose content changed. */
export interface ChangeWithContents extends Change {
  readonly contents?: ContentDifference
}

const LIMIT = 1_000

/**
 * Yields each change, in path order.
 * @throws ArtifactsError ERR_DAMAGED, ERR_FILE_CHANGED; the signal's reason when it is aborted.
 */
export async function* contentDifferences(
  session: Session,
  from: Side,
  to: Side,
  changes: readonly Change[],
  differences: readonly Difference[],
  options: ContentsOptions = {},
): AsyncGenerator<ChangeWithContents> {
  using scratch = scratchIn(session)
  const { keys = [], limit = LIMIT, signal } = options
  let files = 0
  let bytes = 0
  for (const [index, change] of changes.entries()) {
    const difference = differences[index] as Difference
    signal?.throwIfAborted()
    if (
      difference.kind !== 'modified' ||
      difference.before.kind !== 'file' ||
      difference.after.kind !== 'file'
    ) {
      yield change
      continue
    }
    const { compareContents } = await import('./content-diff/compare.ts')
    using before = open(session, from, difference.before)
    using after = open(session, to, difference.after)
    const contents = await compareContents(
      source(before, difference.path),
      source(after, difference.path),
      { keys, limit, scratch: scratch.path, signal },
    )
    files++
    bytes += before.size + after.size
    options.onProgress?.({ phase: 'read', files, bytes })
    yield { ...change, contents }
  }
}

function open({ opened }: Session, side: Side, entry: FileEntry): RandomAccess {
  return 'root' in side ? storedFile(opened, entry) : fileOnDisk(join(side.dir, entry.path))
}

function source(file: RandomAccess, path: string): Source {
  const { size } = file
  return {
    path,
    size,
    read: (at, length) => file.read(at, length),
    pieces: (at) => file.pieces(at),
    chunks: () => file.chunks(),
  }
}

/** A folder in the store's `tmp/`, where gc knows it by its name; elsewhere for a store that can't be written. */
function scratchIn({ opened }: Session): Disposable & { readonly path: () => string } {
  let made: string | undefined
  return {
    path() {
      if (made !== undefined) return made
      made = folderIn(opened.layout.tmp) ?? folderIn(tmpdir())
      if (made !== undefined) return made
      throw new ArtifactsError('ERR_IO', `No temporary files can be made in "${tmpdir()}".`, {
        hint: 'Set TMPDIR to a folder with room, and run the same command again.',
      })
    },
    [Symbol.dispose]() {
      if (made !== undefined) rmSync(made, { recursive: true, force: true })
    },
  }
}

/** Undefined where this user may not write. */
function folderIn(home: string): string | undefined {
  const path = join(home, temporaryName())
  try {
    mkdirSync(path, { mode: 0o700 })
    return path
  } catch (error) {
    if (isSystemError(error, 'EROFS', 'EACCES', 'EPERM', 'ENOENT')) return undefined
    throw error
  }
}
