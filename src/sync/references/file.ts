/** `file://`: files and trees that stay where they are. Each file's SHA-256 is recorded, so that a change is noticed. */
import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  fstatSync,
  openSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs'
import { basename } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { pathAt, WalkKind } from '../../store/workspace/batch.ts'
import type { Tally } from '../../store/workspace/findings.ts'
import { walk } from '../../store/workspace/walk.ts'
import type { Reference } from '../../types.ts'
import { bareReference, changed } from './digests.ts'
import type { FoundItem, ReferenceKind, ResolveOptions } from './kind.ts'
import { tooMany } from './limits.ts'

export const file: ReferenceKind = {
  isRemote: false,
  nameOf: (uri) => basename(pathOf(uri)),
  async resolve(uri, options) {
    const path = pathOf(uri)
    const name = basename(path)
    const stat = statOf(path)
    if (stat.isFile()) return { kind: 'one', name, reference: await record(path, options) }
    if (stat.isDirectory()) return { kind: 'many', name, items: await recordTree(path, options) }
    throw new ArtifactsError('ERR_USAGE', `"${path}" is neither a file nor a directory.`)
  },
  async open(reference) {
    const path = pathOf(reference.uri)
    const { size } = statOf(path)
    if (reference.size !== undefined && size !== reference.size) {
      throw changed(reference, `${size} bytes where ${reference.size} were recorded`)
    }
    return { body: createReadStream(path, { highWaterMark: PIECE }), proven: false }
  },
}

/** The URI of a local path. */
export function fileUri(path: string): string {
  return pathToFileURL(path).href
}

const PIECE = 1 << 20

function pathOf(uri: string): string {
  try {
    return fileURLToPath(uri)
  } catch (error) {
    throw new ArtifactsError('ERR_USAGE', `"${uri}" names no file of this machine.`, {
      hint: 'Write it with three slashes and the whole path: `file:///data/images`.',
      cause: error,
    })
  }
}

function statOf(path: string): Stats {
  try {
    return statSync(path)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) {
      throw new ArtifactsError('ERR_NOT_FOUND', `There is no file or directory "${path}".`, {
        cause: error,
        data: { path },
      })
    }
    throw isSystemError(error, 'EACCES') ? unreadable(path, error) : error
  }
}

async function recordTree(root: string, options: ResolveOptions): Promise<readonly FoundItem[]> {
  const { include, exclude, maxObjects = Number.POSITIVE_INFINITY, home } = options
  const batches = walk(root, {
    include,
    exclude,
    ...(home === undefined ? {} : { store: home.store.layout.root }),
  })
  const items: FoundItem[] = []
  const progress = counter(options)
  for (const batch of batches) {
    for (let index = 0; index < batch.length; index++) {
      const key = pathAt(batch, index)
      if (batch.kinds[index] === WalkKind.directory) items.push({ key, kind: 'directory' })
      else if (batch.kinds[index] === WalkKind.symlink) {
        items.push({ key, kind: 'symlink', target: batch.targets.get(index) as string })
      } else {
        items.push({
          key,
          kind: 'reference',
          reference: await record(`${root}/${key}`, options, progress),
        })
      }
    }
    // Lets Ctrl-C in.
    await turn()
    if (items.length > maxObjects) throw tooMany(fileUri(root), maxObjects)
  }
  refuse(root, batches.findings.unreadable)
  refuse(root, batches.findings.refused)
  return items
}

function refuse(root: string, { named: [first], count }: Tally): void {
  if (first === undefined) return
  const more = count === 1 ? '' : ` (and ${count - 1} more)`
  throw new ArtifactsError(
    'ERR_UNREADABLE',
    `In "${root}", "${first.path}"${more} can't be recorded: ${first.reason}.`,
    { hint: 'Leave it out with `--exclude` or `.artifactsignore`.' },
  )
}

type Count = (files: number, bytes: number) => void

function counter({ onProgress }: ResolveOptions): Count {
  let files = 0
  let bytes = 0
  return (moreFiles, moreBytes) => {
    files += moreFiles
    bytes += moreBytes
    onProgress?.({ phase: 'read', files, bytes })
  }
}

async function record(
  path: string,
  options: ResolveOptions,
  count: Count = counter(options),
): Promise<Reference> {
  const uri = fileUri(path)
  if (!options.checksum) return { ...bareReference(uri, true), size: statOf(path).size }
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(PIECE)
  const fd = openToRead(path)
  try {
    const { size, mtimeMs } = fstatSync(fd)
    let bytes = 0
    for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) {
      hash.update(buffer.subarray(0, got))
      bytes += got
      count(0, got)
      if (bytes % (64 * PIECE) === 0) await turn()
      options.signal?.throwIfAborted()
    }
    const after = fstatSync(fd)
    if (bytes !== size || after.mtimeMs !== mtimeMs || after.size !== size) {
      throw new ArtifactsError('ERR_FILE_CHANGED', `"${path}" changed while it was read.`, {
        hint: 'Stop what writes to it, and try again.',
      })
    }
    count(1, 0)
    return { uri, digest: { algo: 'sha256', value: hash.digest('hex') }, size, resolved: true }
  } finally {
    closeSync(fd)
  }
}

function openToRead(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw isSystemError(error, 'EACCES', 'EPERM') ? unreadable(path, error) : error
  }
}

function unreadable(path: string, cause: unknown): ArtifactsError {
  return new ArtifactsError('ERR_UNREADABLE', `"${path}" can't be read.`, {
    hint: `Make it readable: \`chmod u+r '${path}'\`.`,
    cause,
  })
}
