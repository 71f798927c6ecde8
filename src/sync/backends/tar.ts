/**
 * Bundles as a remote that is read (docs/remote.md section 9): one tar, or the volumes of a set, in any order. A tar that was
 * cut between two files looks whole to every program; the end record of each volume tells.
 */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import * as v from 'valibot'
import type {
  Backend,
  Content,
  FileFacts,
  GetOptions,
  ListedFile,
  ListOptions,
  Range,
} from '../backend.ts'
import { absent, outside, takesNoFiles } from './errors.ts'
import { checkFileName, checkFolderName } from './names.ts'
import { indexTar, readExactly, wrong } from './tar-index.ts'

const PIECE = 256 * 1024
const LONGEST_END_RECORD = 4096
const endSchema = v.strictObject({
  bundle: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  entries: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  sums: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  volume: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
})

interface Volume {
  readonly path: string
  readonly fd: number
  /** Milliseconds since 1970. */
  readonly modified: number
  readonly files: ReadonlyMap<string, Range>
}

export class TarBackend implements Backend {
  readonly address: string
  readonly #volumes: readonly Volume[]

  /**
   * @param paths the volumes at hand, at least one, as absolute paths
   * @throws ArtifactsError ERR_DAMAGED for a tar that is no whole volume, or one of another bundle
   */
  static open(paths: readonly [string, ...string[]]): TarBackend {
    const volumes: Volume[] = []
    try {
      let bundle: string | undefined
      for (const path of paths) {
        const volume = openVolume(path)
        volumes.push(volume)
        const end = readEnd(volume)
        if (bundle !== undefined && end.bundle !== bundle) {
          throw wrong(path, `does not belong to the same set as "${paths[0]}"`)
        }
        bundle = end.bundle
      }
      return new TarBackend(`${pathToFileURL(paths[0]).href}/`, volumes)
    } catch (error) {
      for (const { fd } of volumes) closeSync(fd)
      throw error
    }
  }

  private constructor(address: string, volumes: readonly Volume[]) {
    this.address = address
    this.#volumes = volumes
  }

  async get(name: string, { range, signal }: GetOptions = {}): Promise<Content> {
    signal?.throwIfAborted()
    const found = this.#find(checkFileName(name))
    if (found === undefined) throw absent(this.address + name)
    const { volume, at } = found
    const size = at.end - at.start
    const beyond = range && outside(this.address + name, size, range)
    if (beyond !== undefined) throw beyond
    const { start, end } = range ?? { start: 0, end: size }
    return {
      size: end - start,
      bytes: pieces(volume, { start: at.start + start, end: at.start + end }, signal),
    }
  }

  async head(name: string): Promise<FileFacts | undefined> {
    const found = this.#find(checkFileName(name))
    return found && { size: found.at.end - found.at.start }
  }

  async *list(folder: string, { after = '' }: ListOptions = {}): AsyncIterable<ListedFile> {
    checkFolderName(folder)
    const names = new Set(this.#volumes.flatMap(({ files }) => Array.from(files.keys())))
    for (const name of [...names].sort()) {
      const found = this.#find(name)
      if (found === undefined || !name.startsWith(folder) || name <= after) continue
      const { volume, at } = found
      yield { name, size: at.end - at.start, modified: volume.modified }
    }
  }

  async putIfAbsent(): Promise<never> {
    throw takesNoFiles(this.address)
  }

  async put(): Promise<never> {
    throw takesNoFiles(this.address)
  }

  async delete(): Promise<never> {
    throw takesNoFiles(this.address)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { fd } of this.#volumes) closeSync(fd)
  }

  #find(name: string): { volume: Volume; at: Range } | undefined {
    for (const volume of this.#volumes) {
      const at = volume.files.get(name)
      if (at !== undefined) return { volume, at }
    }
    return undefined
  }
}

function openVolume(path: string): Volume {
  const fd = openSync(path, 'r')
  try {
    return { path, fd, modified: fstatSync(fd).mtimeMs, files: indexTar(fd, path) }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Reads the end record, and holds the rest of the volume to it. */
function readEnd(volume: Volume): v.InferOutput<typeof endSchema> {
  const { path, files } = volume
  const names = [...files.keys()]
  if (names[0] !== 'manifest.json') throw wrong(path, 'does not begin with its manifest')
  if (names.at(-1) !== 'end.json') throw wrong(path, 'was cut: its end record is missing')
  const record = v.safeParse(endSchema, parse(readFile(volume, 'end.json', LONGEST_END_RECORD)))
  if (!record.success) throw wrong(path, 'has an end record that says nothing')
  const { entries, sums } = record.output
  if (entries !== names.length - 1) {
    throw wrong(path, `has ${names.length - 1} files where its end record counts ${entries}`)
  }
  if (hashOf(volume, 'SHA256SUMS') !== sums)
    throw wrong(path, 'has other checksums than were written')
  return record.output
}

function readFile(volume: Volume, name: string, most: number): Buffer {
  const at = volume.files.get(name)
  if (at === undefined || at.end - at.start > most)
    throw wrong(volume.path, `has no right "${name}"`)
  const bytes = Buffer.alloc(at.end - at.start)
  readExactly(volume.fd, bytes, at.start, volume.path)
  return bytes
}

function hashOf(volume: Volume, name: string): string {
  const hash = createHash('sha256')
  const at = volume.files.get(name)
  if (at !== undefined) for (const piece of readPieces(volume, at)) hash.update(piece)
  return hash.digest('hex')
}

async function* pieces(
  volume: Volume,
  range: Range,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  for (const piece of readPieces(volume, range)) {
    signal?.throwIfAborted()
    yield piece
  }
}

function* readPieces({ fd, path }: Volume, { start, end }: Range): Iterable<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(PIECE, Math.max(1, end - start)))
  for (let at = start; at < end; ) {
    const got = readSync(fd, buffer, 0, Math.min(buffer.length, end - at), at)
    if (got === 0) throw wrong(path, 'became shorter while it was read')
    at += got
    yield buffer.subarray(0, got)
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
