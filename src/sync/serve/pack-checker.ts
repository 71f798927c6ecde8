/** Looks packs over in threads of their own: every record is hashed, and requests go on meanwhile. */
import { statSync } from 'node:fs'
import { droppedIds } from '../../store/index/pack-rows.ts'
import { type Pool, workerPool } from '../../store/ingest/pool.ts'
import type { OpenedStore } from '../../store/opened.ts'
import type { ObjectId } from '../../types.ts'

const THREADS = 2
const MOST_HASHES = 10_000

/** Notes the SHA-256 of a pack that was looked over; what is forgotten is looked over once more. */
export function rememberHash(hashes: Map<ObjectId, string>, id: ObjectId, sha256: string): void {
  if (hashes.size >= MOST_HASHES) hashes.clear()
  hashes.set(id, sha256)
}

export class PackChecker {
  readonly #store: OpenedStore
  #pool: Pool | undefined

  constructor(store: OpenedStore) {
    this.#store = store
  }

  /** The SHA-256 of the file, which is the whole pack with this id; else what is wrong with it. */
  async check(path: string, id: string): Promise<{ sha256: string } | { fault: string }> {
    const bytes = statSync(path).size
    this.#pool ??= this.#open()
    const pool = this.#pool
    try {
      const job = { kind: 'pack', path, bytes, id, data: true, readable: true } as const
      const { findings } = await pool.run({ ...job, sha256: true })
      const { problem, bad, blemishes, sha256 } = findings
      const fault = problem ?? bad[0]?.reason ?? blemishes[0]
      return fault === undefined ? { sha256: sha256 ?? '' } : { fault }
    } catch (error) {
      // A pool that failed does nothing more.
      if (this.#pool === pool) this.#pool = undefined
      await pool.close()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#pool?.close()
    this.#pool = undefined
  }

  #open(): Pool {
    const { layout, io, index } = this.#store
    const decide = (): never => {
      throw new Error('Nothing is stored by a check.')
    }
    const options = { root: layout.root, durability: io.durability, decide }
    return workerPool({ ...options, droppedIds: () => droppedIds(index) }, THREADS)
  }
}
