/**
 * From files to contents: inline bytes, a chunk id, or a recipe. Files that fit a reader's buffer go there many at a time,
 * larger ones are spread over all readers (large-file.ts).
 *
 * A file that changes while it is read is read again, three times in all.
 */
import { lstatSync } from 'node:fs'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import type { Content, ObjectId } from '../../types.ts'
import { keepRecipe, readParts } from './large-file.ts'
import type { Pool } from './pool.ts'
import { type FileStat, type FilesResult, INLINE_BYTES, SLOT_BYTES } from './protocol.ts'

/** A file of a directory that was walked. */
export interface SourceFile {
  /** Where it is. */
  readonly file: string
  readonly stat: FileStat
  /** False for a file that could change once more without a new time: its reading waits until the clock has moved on. */
  readonly isSettled: boolean
  /** Where the file was looked at again since the walk. */
  readonly isExecutable?: boolean | undefined
}

export interface FileContent {
  /** Bytes. */
  readonly size: number
  readonly content: Content
  /** xxh64 of the bytes. */
  readonly fingerprint: Uint8Array
  /** The file as it was when these bytes were read. */
  readonly stat: FileStat
  /** Undefined: as in the walk. */
  readonly isExecutable: boolean | undefined
  /** True for a file that begins like a private key in PEM. */
  readonly isPrivateKey: boolean
}

/** Why a file has no content: the system's code, such as `EACCES`, or `changed` when it never stood still. */
export interface Unreadable {
  readonly file: string
  readonly code: string
}

export interface ContentOptions {
  /** False: only hash. */
  readonly store: boolean
  /** Takes a recipe (or part of one) that a file needs. Not called when only hashing. */
  readonly keepRecipe: (id: ObjectId, bytes: Uint8Array) => void
  /** How long a clock tick can last, ms. */
  readonly tick: number
  readonly onRead: (files: number, bytes: number) => void
  readonly signal: AbortSignal | undefined
}

/** Files larger than this are spread over the readers. */
export const LARGE_BYTES: number = SLOT_BYTES
const ATTEMPTS = 3

/** Reads files that fit a reader's buffer together (`LARGE_BYTES` in sum). */
export async function readSmall(
  pool: Pool,
  files: readonly SourceFile[],
  options: ContentOptions,
): Promise<(FileContent | Unreadable)[]> {
  const contents: (FileContent | Unreadable)[] = new Array(files.length)
  let todo = files.map((source, index) => ({ source, index }))
  for (let attempt = 1; todo.length > 0; attempt++) {
    const result = await pool.run({
      kind: 'files',
      paths: todo.map(({ source }) => source.file),
      stats: packStats(todo.map(({ source }) => source.stat)),
      notBefore: notBefore(
        todo.map(({ source }) => source),
        options,
      ),
      store: options.store,
    })
    const again: typeof todo = []
    let chunk = 0
    for (const [at, { source, index }] of todo.entries()) {
      const failure = result.failures.get(at)
      const count = result.counts[at] as number
      if (failure === undefined) {
        const content = contentOf(result, at, chunk, source, options)
        contents[index] = content
        options.onRead(1, content.size)
      } else {
        const next = failure.code === 'changed' && attempt < ATTEMPTS ? restat(source) : undefined
        if (next === undefined) contents[index] = { file: source.file, code: failure.code }
        else if (next.stat.size <= LARGE_BYTES) again.push({ source: next, index })
        else contents[index] = await readLarge(pool, next, options)
      }
      chunk += count
    }
    todo = fitting(again)
    for (const { source, index } of again.slice(todo.length)) {
      const [content] = await readSmall(pool, [source], options)
      contents[index] = content as FileContent | Unreadable
    }
  }
  return contents
}

/** Reads one file of any size beyond `INLINE_BYTES`. */
export async function readLarge(
  pool: Pool,
  file: SourceFile,
  options: ContentOptions,
): Promise<FileContent | Unreadable> {
  let source: SourceFile | undefined = file
  let code = 'changed'
  for (let attempt = 1; attempt <= ATTEMPTS && source !== undefined; attempt++) {
    await waitForTick(notBefore([source], options))
    const found = await readParts(pool, source, options)
    if (!('failure' in found)) return found
    code = found.failure.code
    if (code !== 'changed') break
    source = restat(source)
    if (source !== undefined && source.stat.size <= LARGE_BYTES) {
      const [content] = await readSmall(pool, [source], options)
      return content as FileContent | Unreadable
    }
  }
  return { file: file.file, code }
}

/** Throws ERR_FILE_CHANGED or ERR_UNREADABLE, naming up to ten files. */
export function refuseUnreadable(unreadable: readonly Unreadable[]): void {
  if (unreadable.length === 0) return
  const changed = unreadable.filter(({ code }) => code === 'changed')
  const named = changed.length > 0 ? changed : unreadable
  const list = named
    .slice(0, 10)
    .map(({ file, code }) => `  "${file}"${code === 'changed' ? '' : ` (${code})`}`)
  if (named.length > 10) list.push(`  and ${named.length - 10} more`)
  if (changed.length > 0) {
    throw new ArtifactsError(
      'ERR_FILE_CHANGED',
      `${count(changed.length, 'file')} changed while being read; nothing was committed:\n${list.join('\n')}`,
      { hint: 'Wait until the program that writes them is done, then run the same command again.' },
    )
  }
  throw new ArtifactsError(
    'ERR_UNREADABLE',
    `${count(named.length, 'file')} can't be read; nothing was committed:\n${list.join('\n')}`,
    { hint: 'Make them readable (`chmod u+r FILE`), or leave them out with `--exclude`.' },
  )
}

function contentOf(
  result: FilesResult,
  at: number,
  chunk: number,
  source: SourceFile,
  options: ContentOptions,
): FileContent {
  const { stat, isExecutable } = source
  const { size } = stat
  const fingerprint = result.fingerprints.subarray(at * 8, at * 8 + 8)
  const isPrivateKey = result.privateKeys.includes(at)
  const read = { size, fingerprint, stat, isExecutable, isPrivateKey }
  const count = result.counts[at] as number
  if (count === 0) {
    const bytes = result.inline.get(at)
    if (bytes === undefined || size > INLINE_BYTES)
      throw new Error('A file without chunks is not inline.')
    return { ...read, content: { kind: 'inline', bytes } }
  }
  const ids = Buffer.from(result.ids.buffer, result.ids.byteOffset + chunk * 32, count * 32)
  if (count === 1) {
    const id = ids.toString('hex') as ObjectId
    return { ...read, content: { kind: 'chunk', id } }
  }
  const lengths = Array.from(result.lengths.subarray(chunk, chunk + count))
  const sha256 = result.digests.get(at) as Uint8Array
  const id = keepRecipe(ids, lengths, size, sha256, options)
  return { ...read, content: { kind: 'recipe', id } }
}

/** The file as it is now; undefined when it is gone or something else. */
function restat(source: SourceFile): SourceFile | undefined {
  try {
    const now = lstatSync(source.file)
    if (!now.isFile()) return undefined
    const { size, mtimeMs, ctimeMs, ino, mode } = now
    return {
      file: source.file,
      stat: { size, mtimeMs, ctimeMs, ino },
      isSettled: false,
      isExecutable: (mode & 0o100) !== 0,
    }
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/** Files that grew may not fit together any more: as many of the first as do. */
function fitting<T extends { readonly source: SourceFile }>(again: readonly T[]): T[] {
  let bytes = 0
  const beyond = again.findIndex(({ source }) => {
    bytes += source.stat.size
    return bytes > SLOT_BYTES
  })
  return again.slice(0, beyond < 0 ? again.length : beyond)
}

function packStats(stats: readonly FileStat[]): Float64Array {
  const packed = new Float64Array(stats.length * 4)
  for (const [index, stat] of stats.entries()) {
    packed.set([stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino], index * 4)
  }
  return packed
}

function notBefore(files: readonly SourceFile[], options: ContentOptions): number {
  let newest = 0
  for (const { stat, isSettled } of files) {
    if (!isSettled) newest = Math.max(newest, stat.mtimeMs, stat.ctimeMs)
  }
  return newest === 0 ? 0 : newest + options.tick
}

async function waitForTick(time: number): Promise<void> {
  const wait = Math.min(time - Date.now(), 100)
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
