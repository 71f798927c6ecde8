/** Which packs were put into a remote and are named by no operation yet: a push that was cut goes on behind them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../errors.ts'
import type { Opened } from '../store/open.ts'
import type { ObjectId } from '../types.ts'
import { folderOf } from './mirror/folder.ts'

export class SentPacks {
  readonly #opened: Opened
  readonly #path: string
  readonly #ids: Set<string>

  constructor(opened: Opened, store: string) {
    this.#opened = opened
    this.#path = join(folderOf(opened, store), 'sent')
    this.#ids = new Set(readLines(this.#path))
  }

  has(id: ObjectId): boolean {
    return this.#ids.has(id)
  }

  /** A line that is lost or torn costs a request later, and nothing else: so nothing is synced. */
  add(id: ObjectId): void {
    if (this.#ids.has(id)) return
    this.#ids.add(id)
    const { io } = this.#opened
    const fd = io.open(this.#path, 'a')
    try {
      io.writeAll(fd, Buffer.from(`${id}\n`))
    } finally {
      io.close(fd)
    }
  }

  /** An operation names them. */
  clear(): void {
    if (this.#ids.size === 0) return
    this.#ids.clear()
    try {
      this.#opened.io.unlink(this.#path)
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error
    }
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'latin1')
      .split('\n')
      .filter((line) => /^[0-9a-f]{64}$/.test(line))
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return []
    throw error
  }
}
