/**
 * Packs that a commit wrote before it had to begin again: what they hold need not be stored once more. They are taken up
 * by the index, and their objects found, although no operation names them yet.
 */
import { ArtifactsError, isSystemError } from '../../errors.ts'
import type { StagedPack } from '../index/packs.ts'
import type { WrittenPack } from '../ingest/protocol.ts'
import { packPath } from '../layout.ts'
import { readTable } from '../object/pack-reader.ts'
import type { OpenedStore } from '../opened.ts'
import { Reliance } from './reliance.ts'

/** One attempt to write: what it may rely on, and what attempts before it left. */
export interface Attempt {
  readonly reliance: Reliance
  readonly kept: KeptPacks
}

/**
 * Attempts until nothing that an attempt relied on went meanwhile. One that returns undefined found that something did,
 * and has kept what it wrote.
 * @param packs written before the first attempt, and named by no operation yet.
 */
export async function untilItHolds<T>(
  store: OpenedStore,
  signal: AbortSignal | undefined,
  attempt: (on: Attempt) => Promise<T | undefined>,
  packs: readonly WrittenPack[] = [],
): Promise<T> {
  const { index } = store
  using kept = new KeptPacks(store)
  if (packs.length > 0) kept.keep(packs)
  for (;;) {
    signal?.throwIfAborted()
    const reliance = new Reliance(index.objects, index.refresh().applied)
    const result = await attempt({ reliance, kept })
    if (result !== undefined) return result
  }
}

export class KeptPacks implements Disposable {
  readonly #store: OpenedStore
  #packs: readonly WrittenPack[] = []

  constructor(store: OpenedStore) {
    this.#store = store
  }

  get packs(): readonly WrittenPack[] {
    return this.#packs
  }

  /** Those that an attempt found objects in: it has to name them. */
  usedBy(reliance: Reliance): readonly WrittenPack[] {
    return this.#packs.filter(({ id }) => reliance.includes(id))
  }

  /** Keeps those of the packs that are there and not dropped. */
  keep(packs: readonly WrittenPack[]): void {
    const { index } = this.#store
    this.#release()
    const staged = packs.flatMap((pack) => {
      const table = index.state.isDropped(pack.id) ? undefined : this.#tableOf(pack)
      return table === undefined ? [] : [{ pack, table }]
    })
    index.stagePacks(staged)
    this.#packs = staged.map(({ pack }) => pack)
    index.objects.admit(this.#packs.map(({ id }) => id))
  }

  [Symbol.dispose](): void {
    this.#release()
  }

  #release(): void {
    this.#store.index.objects.dismiss(this.#packs.map(({ id }) => id))
    this.#packs = []
  }

  #tableOf({ id }: WrittenPack): StagedPack['table'] | undefined {
    try {
      return readTable(packPath(this.#store.layout, id))
    } catch (error) {
      const isDamage = error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
      if (isDamage || isSystemError(error, 'ENOENT', 'EIO')) return undefined
      throw error
    }
  }
}
