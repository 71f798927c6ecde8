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

export class KeptPacks implements Disposable {
  readonly #store: OpenedStore
  #packs: readonly WrittenPack[] = []

  constructor(store: OpenedStore) {
    this.#store = store
  }

  get packs(): readonly WrittenPack[] {
    return this.#packs
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
