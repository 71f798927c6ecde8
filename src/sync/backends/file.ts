/**
 * A remote in a folder: a disk, a USB drive, a network share (docs/remote.md section 2). How files get their names, and who
 * wins: folder.ts.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { isShared } from '../../store/io/file-system.ts'
import type { Io } from '../../store/io/io.ts'
import type {
  Backend,
  Content,
  FileFacts,
  GetOptions,
  ListedFile,
  ListOptions,
  RequestOptions,
} from '../backend.ts'
import type { Source } from '../source.ts'
import { absent, outside } from './errors.ts'
import { discard, nameExclusively, writeBeside } from './folder.ts'
import { checkFileName, checkFolderName, isFileName } from './names.ts'

const PIECE = 256 * 1024

export class FileBackend implements Backend {
  readonly address: string
  readonly #io: Io
  readonly #root: string

  /** @param root the folder, an absolute path; it is made when the first file is put, if its parent is there */
  constructor(root: string, { io }: { readonly io: Io }) {
    this.#io = io
    this.#root = root
    this.address = `${pathToFileURL(root).href.replace(/\/$/, '')}/`
  }

  async get(name: string, { range, signal }: GetOptions = {}): Promise<Content> {
    signal?.throwIfAborted()
    const fd = this.#open(checkFileName(name))
    if (fd === undefined) throw absent(this.address + name)
    try {
      const { size } = fstatSync(fd)
      const wrong = range && outside(this.address + name, size, range)
      if (wrong !== undefined) throw wrong
      const { start, end } = range ?? { start: 0, end: size }
      return { size: end - start, bytes: this.#pieces(name, fd, start, end, signal) }
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  async head(name: string): Promise<FileFacts | undefined> {
    const fd = this.#open(checkFileName(name))
    if (fd === undefined) return undefined
    try {
      return { size: fstatSync(fd).size }
    } finally {
      closeSync(fd)
    }
  }

  async putIfAbsent(
    name: string,
    source: Source,
    { signal }: RequestOptions = {},
  ): Promise<'created' | 'exists'> {
    const path = join(this.#root, checkFileName(name))
    if (existsSync(path)) {
      // Who made it may have died before its name was durable.
      this.#io.fsyncDirectory(dirname(path))
      return 'exists'
    }
    this.#makeFolders(dirname(path))
    const temporary = await writeBeside(this.#io, path, source, signal)
    try {
      // What was there before, such as operation n − 1, is durable first.
      this.#io.fsyncDirectory(dirname(path))
      const created = nameExclusively(this.#io, path, temporary)
      this.#io.fsyncDirectory(dirname(path))
      return created ? 'created' : 'exists'
    } finally {
      discard(this.#io, temporary)
    }
  }

  async put(name: string, source: Source, { signal }: RequestOptions = {}): Promise<void> {
    const path = join(this.#root, checkFileName(name))
    this.#makeFolders(dirname(path))
    const temporary = await writeBeside(this.#io, path, source, signal)
    try {
      this.#io.rename(temporary, path)
    } catch (error) {
      discard(this.#io, temporary)
      throw error
    }
    this.#io.fsyncDirectory(dirname(path))
  }

  async *list(folder: string, { after = '', signal }: ListOptions = {}): AsyncIterable<ListedFile> {
    for (const part of this.#names(checkFolderName(folder))) {
      signal?.throwIfAborted()
      const name = folder + part
      // Others may have put their files there.
      if (name <= after || !isFileName(name)) continue
      const found = statSync(join(this.#root, name), { throwIfNoEntry: false })
      if (found?.isFile()) yield { name, size: found.size, modified: found.mtimeMs }
    }
  }

  async delete(name: string): Promise<void> {
    const path = join(this.#root, checkFileName(name))
    try {
      this.#io.unlink(path)
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error
      this.#requireRoot()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Undefined when the file is absent; an error when the whole folder is. */
  #open(name: string): number | undefined {
    const path = join(this.#root, name)
    for (let look = 0; ; look++) {
      try {
        // A pipe that somebody has put there would be waited for.
        const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
        if (fstatSync(fd).isFile()) return fd
        closeSync(fd)
        throw notAFile(path)
      } catch (error) {
        if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error
        this.#requireRoot()
        // Network shares remember what was absent, until the folder is listed.
        const seen = look === 0 && this.#isSeenLate() && this.#lists(name)
        if (!seen) return undefined
      }
    }
  }

  #isSeenLate(): boolean {
    return existsSync(this.#root) && isShared(this.#root)
  }

  #lists(name: string): boolean {
    const at = name.lastIndexOf('/') + 1
    return this.#names(name.slice(0, at)).includes(name.slice(at))
  }

  /** The files in a folder by name, without those that are still being written. */
  #names(folder: string): string[] {
    try {
      const names = readdirSync(join(this.#root, folder))
      return names.filter((name) => !name.startsWith('.')).sort()
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error
      this.#requireRoot()
      return []
    }
  }

  /** A drive that is not mounted holds nothing, which must not be taken for an empty remote. */
  #requireRoot(): void {
    if (existsSync(this.#root) || existsSync(dirname(this.#root))) return
    throw new ArtifactsError(
      'ERR_REMOTE_UNREACHABLE',
      `There is no folder "${dirname(this.#root)}".`,
      {
        hint: 'Is the drive or the share mounted? Mount it, and try again.',
        data: { url: this.address },
      },
    )
  }

  async *#pieces(
    name: string,
    fd: number,
    start: number,
    end: number,
    signal: AbortSignal | undefined,
  ): AsyncIterable<Uint8Array> {
    try {
      const buffer = Buffer.allocUnsafe(Math.min(PIECE, Math.max(1, end - start)))
      for (let at = start; at < end; ) {
        signal?.throwIfAborted()
        const got = readSync(fd, buffer, 0, Math.min(buffer.length, end - at), at)
        if (got === 0) throw cutShort(this.address + name)
        at += got
        yield buffer.subarray(0, got)
      }
    } finally {
      closeSync(fd)
    }
  }

  #makeFolders(folder: string): void {
    for (const each of folder === this.#root ? [this.#root] : [this.#root, folder]) {
      if (existsSync(each)) continue
      this.#requireRoot()
      try {
        this.#io.mkdir(each)
        this.#io.fsyncDirectory(dirname(each))
      } catch (error) {
        if (!isSystemError(error, 'EEXIST')) throw error
      }
    }
  }
}

function notAFile(path: string): ArtifactsError {
  return new ArtifactsError('ERR_DAMAGED', `"${path}" is not a file.`, {
    hint: 'Check the address: this is no remote, or what lies there was changed.',
  })
}

function cutShort(url: string): ArtifactsError {
  return new ArtifactsError('ERR_REMOTE_UNREACHABLE', `"${url}" ends too early.`, {
    hint: 'Try again; if it stays so, what lies there was cut.',
    data: { url, passing: true },
  })
}
