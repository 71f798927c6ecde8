/** Previews of a version: of the files that are named, else of a few that say most about it. */
import { posix } from 'node:path'
import { ArtifactsError } from './errors.ts'
import { refuseNotFetched } from './not-fetched.ts'
import { type Preview, previewOf } from './previews/preview.ts'
import { contentOf, type Session } from './session.ts'
import { nodeReader } from './store/opened.ts'
import { storedFile } from './store/random-access.ts'
import { entries, lookup } from './store/tree/cursor.ts'
import type { FileEntry, OperationOptions } from './types.ts'

export interface PreviewOptions extends OperationOptions {
  /** These files, instead of a few. */
  readonly paths?: readonly string[]
  /** How many files at most, where none are named. Default 3. */
  readonly files?: number
  /** Lines, rows, tensors or entries of each. Default 5. */
  readonly lines?: number
}

export interface FilePreview {
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Absent where the bytes can't be read. */
  readonly preview?: Preview
  /** Why they can't. */
  readonly reason?: string
}

/** Entries that are looked at for what is to be previewed: a version may have millions. */
const LOOKED_AT = 1000

/**
 * @throws ArtifactsError ERR_NOT_FOUND for the version or a path that is named, ERR_NOT_FETCHED where not even the names
 * are here. Files whose bytes are damaged or elsewhere say so themselves.
 */
export async function previewVersion(
  session: Session,
  ref: string,
  { paths, files = 3, lines = 5, signal }: PreviewOptions = {},
): Promise<readonly FilePreview[]> {
  const resolved = contentOf(session, ref)
  refuseNotFetched(session, resolved, { content: false })
  const { opened } = session
  const { root } = resolved.version.object
  const read = nodeReader(opened)
  const chosen =
    paths === undefined
      ? telling(entries(read, root), files)
      : paths.map((path) => {
          const entry = lookup(read, root, path)
          if (entry?.kind === 'file') return entry
          throw new ArtifactsError('ERR_NOT_FOUND', `"${ref}" has no file "${path}".`, {
            hint: `Run \`artifacts ls ${ref.includes(':') || ref.includes('@') ? ref : `${ref}:`}\` to see its entries.`,
          })
        })
  const previews: FilePreview[] = []
  for (const entry of chosen) {
    signal?.throwIfAborted()
    const { path, size } = entry
    try {
      using file = storedFile(opened, entry)
      const preview = await previewOf({ ...file, path }, { lines })
      previews.push({ path, size, preview })
    } catch (error) {
      const isAbsent = error instanceof ArtifactsError && ABSENT.has(error.code)
      if (!isAbsent) throw error
      previews.push({ path, size, reason: error.message })
    }
  }
  return previews
}

const ABSENT: ReadonlySet<string> = new Set(['ERR_DAMAGED', 'ERR_NOT_FETCHED', 'ERR_UNSUPPORTED'])

/** Kinds whose previews say most, before all others. */
const TELLING: readonly string[] = [
  'readme',
  ...[
    '.csv',
    '.tsv',
    '.jsonl',
    '.json',
    '.yaml',
    '.safetensors',
    '.npy',
    '.png',
    '.jpg',
    '.md',
    '.txt',
  ],
]

/** A few files, one of each kind that there is: the first in path order. */
function telling(all: Iterable<{ readonly kind: string }>, most: number): readonly FileEntry[] {
  const chosen = new Map<string, FileEntry>()
  let looked = 0
  for (const each of all) {
    if (looked++ === LOOKED_AT) break
    if (each.kind !== 'file') continue
    const entry = each as FileEntry
    const name = posix.basename(entry.path)
    const kind = /^readme\b/i.test(name) ? 'readme' : posix.extname(name).toLowerCase()
    if (!chosen.has(kind)) chosen.set(kind, entry)
  }
  const rank = (kind: string): number => {
    const at = TELLING.indexOf(kind)
    return at < 0 ? TELLING.length : at
  }
  return Array.from(chosen)
    .filter(([, { size }]) => size > 0)
    .sort(([a], [b]) => rank(a) - rank(b))
    .slice(0, most)
    .map(([, entry]) => entry)
}
