/**
 * Keeps what a repair replaces or removes: nothing that is damaged is ever deleted, for somebody may know a way to read
 * it. Files keep their path below one folder for each repair (docs/format.md section 9).
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { isSystemError } from '../../errors.ts'
import type { Io } from '../io/io.ts'
import type { Layout } from '../layout.ts'

export class Quarantine {
  readonly #io: Io
  readonly #layout: Layout
  readonly #folder: string
  #isUsed = false

  constructor(io: Io, layout: Layout, now: Date = new Date()) {
    this.#io = io
    this.#layout = layout
    const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '')
    this.#folder = join(layout.quarantine, `${time}-${randomBytes(4).toString('hex')}`)
  }

  /** The folder, if anything is in it. */
  get folder(): string | undefined {
    return this.#isUsed ? this.#folder : undefined
  }

  /**
   * Gives a file a second name here, durably; it keeps the first, so that the store never is without it. Returns where
   * it is now; undefined where there is no such file.
   */
  keep(file: string): string | undefined {
    if (!existsSync(file)) return undefined
    const inside = relative(this.#layout.root, file)
    const kept = join(this.#folder, inside.startsWith('..') ? basename(file) : inside)
    if (existsSync(kept)) return kept
    this.#io.mkdir(dirname(kept), { recursive: true })
    try {
      this.#io.link(file, kept)
    } catch (error) {
      if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV')) throw error
      this.#io.createFile(kept, readFileSync(file), { durable: true })
    }
    for (let at = dirname(kept); at.length >= this.#layout.root.length; at = dirname(at)) {
      this.#io.fsyncDirectory(at)
    }
    this.#isUsed = true
    return kept
  }
}
