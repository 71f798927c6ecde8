/**
 * Groups files into jobs: small ones together, a few large ones at a time, whatever directories they come from.
 */
import {
  type ContentOptions,
  type FileContent,
  LARGE_BYTES,
  readLarge,
  readSmall,
  type SourceFile,
  type Unreadable,
} from './contents.ts'
import type { LazyPool } from './lazy-pool.ts'

const GROUP_FILES = 256
const GROUP_BYTES = LARGE_BYTES / 2
const LARGE_AT_ONCE = 4

interface Wanted {
  readonly source: SourceFile
  readonly use: (content: FileContent) => void
  readonly giveUp: (code: string) => void
}

export class Reading {
  /** Files that had no content in the end, as the callers note them. */
  readonly unreadable: Unreadable[] = []
  readonly #pool: LazyPool
  readonly #options: ContentOptions
  #group: Wanted[] = []
  #groupBytes = 0
  readonly #running = new Set<Promise<void>>()
  #large = 0
  #error: { readonly reason: unknown } | undefined

  constructor(pool: LazyPool, options: ContentOptions) {
    this.#pool = pool
    this.#options = options
  }

  /** Reads a file some time: `use` gets its content, or `giveUp` the reason why there is none. */
  add(
    source: SourceFile,
    use: (content: FileContent) => void,
    giveUp: (code: string) => void,
  ): void {
    const { size } = source.stat
    const wanted = { source, use, giveUp }
    if (size > LARGE_BYTES) {
      this.#large++
      this.#start([wanted], async () => {
        try {
          return [await readLarge(this.#pool, source, this.#options)]
        } finally {
          this.#large--
        }
      })
      return
    }
    if (this.#groupBytes + size > LARGE_BYTES) this.#flush()
    this.#group.push(wanted)
    this.#groupBytes += size
    if (this.#group.length === GROUP_FILES || this.#groupBytes > GROUP_BYTES) this.#flush()
  }

  /** True while no more large files should be started. */
  get isFull(): boolean {
    return this.#large >= LARGE_AT_ONCE
  }

  /** Waits until at least one more file has its content. Throws what made reading impossible. */
  async progress(): Promise<void> {
    this.#flush()
    if (this.#running.size > 0) await this.#pool.wait(Promise.race(this.#running))
    if (this.#error !== undefined) throw this.#error.reason
  }

  #flush(): void {
    if (this.#group.length === 0) return
    const group = this.#group
    this.#group = []
    this.#groupBytes = 0
    const sources = group.map(({ source }) => source)
    this.#start(group, () => readSmall(this.#pool, sources, this.#options))
  }

  #start(
    group: readonly Wanted[],
    read: () => Promise<readonly (FileContent | Unreadable)[]>,
  ): void {
    const run = read()
      .then((contents) => {
        for (const [index, content] of contents.entries()) {
          const { use, giveUp } = group[index] as Wanted
          if ('code' in content) giveUp(content.code)
          else use(content)
        }
      })
      .catch((reason: unknown) => {
        this.#error ??= { reason }
      })
      .finally(() => this.#running.delete(run))
    this.#running.add(run)
  }
}
