/** Records of rows in temporary files, by a part of a hash: what belongs together is in one file. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { WORDS } from './row-table.ts'

/** Files that records are spread over. */
export const PARTS = 256
/** Multiples of a record. */
const BUFFER_WORDS = WORDS * 512
const READ_WORDS = WORDS * 8192

/** Records in files, by the eight upper bits of one of their words. */
export class Spill implements Disposable {
  readonly #directory: string
  readonly #by: number
  readonly #files: (number | undefined)[] = []
  readonly #buffers = new Int32Array(PARTS * BUFFER_WORDS)
  readonly #used = new Int32Array(PARTS)

  constructor(scratch: string, by = 0) {
    this.#directory = mkdtempSync(join(scratch, 'rows-'))
    this.#by = by
  }

  write(records: Int32Array, at: number): void {
    const part = (records[at + this.#by] as number) >>> 24
    let used = this.#used[part] as number
    if (used === BUFFER_WORDS) {
      this.#flush(part)
      used = 0
    }
    const to = part * BUFFER_WORDS + used
    for (let word = 0; word < WORDS; word++) {
      this.#buffers[to + word] = records[at + word] as number
    }
    this.#used[part] = used + WORDS
  }

  /** Calls `use` for each record of a part, in the order they were written. */
  read(part: number, use: (records: Int32Array, at: number) => void): void {
    this.#flush(part)
    const fd = this.#files[part]
    if (fd === undefined) return
    const words = new Int32Array(READ_WORDS)
    const bytes = new Uint8Array(words.buffer)
    for (let from = 0; ; from += bytes.length) {
      let read = 0
      while (read < bytes.length) {
        const got = readSync(fd, bytes, read, bytes.length - read, from + read)
        if (got === 0) break
        read += got
      }
      for (let at = 0; at < read / 4; at += WORDS) use(words, at)
      if (read < bytes.length) return
    }
  }

  #flush(part: number): void {
    const used = this.#used[part] as number
    if (used === 0) return
    const fd = this.#files[part] ?? openSync(join(this.#directory, `${part}`), 'wx+', 0o600)
    this.#files[part] = fd
    const start = part * BUFFER_WORDS * 4
    const bytes = new Uint8Array(this.#buffers.buffer, start, used * 4)
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
    this.#used[part] = 0
  }

  [Symbol.dispose](): void {
    for (const fd of this.#files) if (fd !== undefined) closeSync(fd)
    this.#files.length = 0
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
