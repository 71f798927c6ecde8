/**
 * Bytes of a draft that are in no file of the user's: what a program writes, or copies of files that are to be kept as
 * they were. They lie in a store's `tmp/`, where gc knows them by their names, or in the system's folder for such files.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSystemError } from './errors.ts'
import { createIo, type Io } from './store/io/io.ts'
import { temporaryName } from './store/layout.ts'

const COPY_BYTES = 1 << 20

export interface OpenStagedFile {
  readonly path: string
  write(bytes: Uint8Array): void
  /** Ends the file; it stays until the draft's files are removed. */
  close(): void
  /** Ends and removes it. */
  discard(): void
}

export class StagedFiles {
  readonly #io: Io
  readonly #folder: string | undefined
  readonly #paths = new Set<string>()

  /** @param folder a store's `tmp/`. */
  constructor(folder?: string, io: Io = createIo({ durability: 'process' })) {
    this.#folder = folder
    this.#io = io
  }

  open(): OpenStagedFile {
    const path =
      this.#folder === undefined
        ? join(tmpdir(), `artifacts-${temporaryName()}`)
        : join(this.#folder, temporaryName())
    const fd = this.#io.open(path, 'wx', 0o600)
    this.#paths.add(path)
    removeAtExit(this)
    return {
      path,
      write: (bytes) => this.#io.writeAll(fd, bytes),
      close: () => this.#io.close(fd),
      discard: () => {
        this.#io.close(fd)
        this.remove(path)
      },
    }
  }

  /** Keeps these bytes; returns the path of their file. */
  keep(bytes: Uint8Array): string {
    const file = this.open()
    try {
      file.write(bytes)
    } catch (error) {
      file.discard()
      throw error
    }
    file.close()
    return file.path
  }

  /** Copies a file; the path of the copy. Undefined: the file changed meanwhile. */
  copy(path: string): string | undefined {
    const from = openSync(path, 'r')
    const copy = this.open()
    try {
      const before = fstatSync(from, { bigint: true })
      const buffer = Buffer.allocUnsafe(COPY_BYTES)
      for (;;) {
        const length = readSync(from, buffer)
        if (length === 0) break
        copy.write(buffer.subarray(0, length))
      }
      const after = fstatSync(from, { bigint: true })
      if (after.size === before.size && after.mtimeNs === before.mtimeNs) {
        copy.close()
        return copy.path
      }
      copy.discard()
      return undefined
    } catch (error) {
      copy.discard()
      throw error
    } finally {
      closeSync(from)
    }
  }

  remove(path: string): void {
    if (!this.#paths.delete(path)) return
    try {
      this.#io.unlink(path)
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error
    }
  }

  clear(): void {
    for (const path of this.#paths) this.remove(path)
    open.delete(this)
  }
}

/** A program that ends without logging its draft leaves nothing behind. */
const open = new Set<StagedFiles>()
let isListening = false

function removeAtExit(files: StagedFiles): void {
  // Once, however often the set becomes empty: listeners stay.
  if (!isListening) process.once('exit', clearAll)
  isListening = true
  open.add(files)
}

function clearAll(): void {
  for (const files of open) files.clear()
}
