/** A version as a tar: its files, links and empty directories, and nothing of the store. Equal content, equal bytes. */
import { createReadStream, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ArtifactsError } from './errors.ts'
import { fetchReferences } from './fetched-references.ts'
import { fetchAbsent } from './not-fetched.ts'
import { contentOf, refOf, type Session } from './session.ts'
import { openStaging } from './store/checkout/staging.ts'
import { temporaryName } from './store/layout.ts'
import { nodeReader } from './store/opened.ts'
import { fileBytes } from './store/read-file.ts'
import { entries } from './store/tree/cursor.ts'
import { type TarItem, writeTar } from './tar/write.ts'
import type { Entry, EntryPath, OperationOptions, ReferenceEntry } from './types.ts'

export interface ExportTarOptions extends OperationOptions {
  /** Leave out references whose bytes can't be had, instead of failing. */
  readonly allowMissingReferences?: boolean
}

export interface ExportedTar {
  /** `bike:v4`. */
  readonly ref: string
  readonly files: number
  /** Of the files. */
  readonly bytes: number
  /** References that were left out. */
  readonly missingReferences: readonly string[]
  /** The tar, once, each piece of a file verified; not with `saveAs`. Whoever stops early ends the iteration. */
  readonly content: AsyncGenerator<Uint8Array, void, undefined>
  /** Writes the tar as a file, which has its name when it is whole; what has the name goes then. Its length in bytes. */
  readonly saveAs: (file: string) => Promise<number>
}

/** Bytes that were fetched aside. */
interface AtHand {
  readonly file: string
  readonly size: number
}

/**
 * References are fetched first; nothing is handed out where one can't be had.
 * @throws ArtifactsError ERR_NOT_FOUND, ERR_NOT_FETCHED; of references as `download`; of the content ERR_DAMAGED.
 */
export async function exportTar(
  session: Session,
  ref: string,
  options: ExportTarOptions = {},
): Promise<ExportedTar> {
  const { opened } = session
  const resolved = contentOf(session, ref)
  await fetchAbsent(session, resolved, {}, options)
  const { root } = resolved.version.object
  const name = refOf(session, resolved)
  let files = 0
  let bytes = 0
  const references: ReferenceEntry[] = []
  for (const entry of entries(nodeReader(opened), root)) {
    if (entry.kind === 'reference') references.push(entry)
    if (entry.kind === 'file' || entry.kind === 'symlink') files++
    if (entry.kind === 'file') bytes += entry.size
  }
  if (references.length === 0) {
    const content = tarOf(session, root, new Map(), () => {}, options)
    const saveAs = (file: string): Promise<number> => save(session, content, file)
    return { ref: name, files, bytes, missingReferences: [], content, saveAs }
  }
  const staging = openStaging(opened, opened.layout.tmp)
  const close = (): void => staging[Symbol.dispose]()
  try {
    const { allowMissingReferences: allowMissing = false, signal, onProgress } = options
    const request = { ref: name, dir: staging.path, entries: references, staging, allowMissing }
    const fetched = await fetchReferences(session, { ...request, signal, onProgress })
    const atHand = new Map<EntryPath, AtHand>()
    for (const [path, one] of fetched.atHand) {
      if (one === 'there') continue
      atHand.set(path, one)
      bytes += one.size
    }
    files += atHand.size
    const content = tarOf(session, root, atHand, close, options)
    const saveAs = (file: string): Promise<number> => save(session, content, file)
    return { ref: name, files, bytes, missingReferences: fetched.missing, content, saveAs }
  } catch (error) {
    close()
    throw error
  }
}

async function* tarOf(
  { opened }: Session,
  root: Parameters<typeof entries>[1],
  atHand: ReadonlyMap<EntryPath, AtHand>,
  close: () => void,
  { signal, onProgress }: ExportTarOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let files = 0
  let bytes = 0
  const items = function* (): Generator<TarItem> {
    for (const entry of entries(nodeReader(opened), root)) {
      signal?.throwIfAborted()
      const item = itemOf(entry)
      if (item === undefined) continue
      yield item
      files++
      bytes += item.kind === 'file' ? item.size : 0
      onProgress?.({ phase: 'read', files, bytes })
    }
  }
  const itemOf = (entry: Entry): TarItem | undefined => {
    switch (entry.kind) {
      case 'file':
        return { ...entry, bytes: () => fileBytes(opened, entry, signal) }
      case 'reference': {
        const one = atHand.get(entry.path)
        return one === undefined
          ? undefined
          : {
              kind: 'file',
              path: entry.path,
              size: one.size,
              executable: false,
              bytes: () => createReadStream(one.file) as AsyncIterable<Uint8Array>,
            }
      }
      default:
        return entry
    }
  }
  try {
    yield* writeTar(items())
  } finally {
    close()
  }
}

async function save(
  { opened: { io } }: Session,
  content: AsyncIterable<Uint8Array>,
  file: string,
): Promise<number> {
  const path = resolve(file)
  const before = statSync(path, { throwIfNoEntry: false })
  if (before?.isDirectory() === true) {
    throw new ArtifactsError('ERR_USAGE', `"${file}" is a directory.`, {
      hint: 'Give the name of the file: `artifacts export REF -o FILE.tar`.',
    })
  }
  // A pipe or a device is written as it is.
  const isWhole = before === undefined || before.isFile()
  const target = isWhole ? join(dirname(path), `.${temporaryName()}.tar`) : path
  const fd = io.open(target, isWhole ? 'wx' : 'w')
  let bytes = 0
  try {
    try {
      for await (const piece of content) {
        io.writeAll(fd, piece)
        bytes += piece.length
      }
    } finally {
      io.close(fd)
    }
    if (isWhole) io.rename(target, path)
  } catch (error) {
    if (isWhole) io.unlink(target)
    throw error
  }
  return bytes
}
