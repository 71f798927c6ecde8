/**
 * Files that were looked at one by one before they are read: each must still be what it was then. What changed meanwhile
 * is an error, not another content, because whoever named the file meant what was in it at that time.
 */
import { createHash } from 'node:crypto'
import { ArtifactsError } from '../../errors.ts'
import type { Content, EntryPath } from '../../types.ts'
import { BatchBuilder, type WalkBatch } from '../workspace/batch.ts'
import type { FileStat } from './protocol.ts'

export interface ListedFile {
  /** Absolute, and no symlink. */
  readonly file: string
  /** Where it goes in the version. */
  readonly path: EntryPath
  readonly stat: FileStat
  readonly device: number
  readonly executable: boolean
  /**
   * SHA-256 of its bytes, in hex, where its times do not prove that it has not changed since; only of files that are at
   * most one chunk.
   */
  readonly sha256?: string
}

/** Up to 1,024 files of one directory, as a walk would hand them on. */
export function batchOf(files: readonly ListedFile[]): WalkBatch {
  const rows = new BatchBuilder()
  for (const { file, stat, executable } of files) {
    rows.addFile(file.slice(file.lastIndexOf('/') + 1), stat, executable)
  }
  return rows.take('', files[0]?.device ?? 0)
}

/** Whether what was read is what was listed. */
export function isAsListed(
  { stat, sha256 }: ListedFile,
  read: { readonly stat: FileStat; readonly content: Content },
): boolean {
  if (sha256 !== undefined) return sha256 === chunkDigest(read.content)
  const now = read.stat
  return (
    now.size === stat.size &&
    now.mtimeMs === stat.mtimeMs &&
    now.ctimeMs === stat.ctimeMs &&
    now.ino === stat.ino
  )
}

/** Throws ERR_FILE_CHANGED naming up to ten files. */
export function refuseChanged(changed: readonly string[]): void {
  if (changed.length === 0) return
  const list = changed.slice(0, 10).map((file) => `  "${file}"`)
  if (changed.length > 10) list.push(`  and ${changed.length - 10} more`)
  throw new ArtifactsError(
    'ERR_FILE_CHANGED',
    `${changed.length === 1 ? 'A file has' : `${changed.length} files have`} changed since being added; nothing was committed:\n${list.join('\n')}`,
    {
      hint: 'Add again what you mean with `overwrite` (a directory with `merge`). `store.draft()` keeps what files hold when they are added.',
      data: { files: changed },
    },
  )
}

function chunkDigest(content: Content): string | undefined {
  if (content.kind === 'chunk') return content.id
  if (content.kind === 'inline') return createHash('sha256').update(content.bytes).digest('hex')
  return undefined
}
