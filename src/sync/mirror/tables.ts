/** Reads the tables of a remote's packs: out of index packs where there are any, else out of each pack. */
import { ArtifactsError } from '../../errors.ts'
import type { JoiningPack } from '../../store/log/operation.ts'
import type { PackTable } from '../../store/object/pack.ts'
import type { ObjectId } from '../../types.ts'
import type { Backend, RequestOptions } from '../backend.ts'
import { readIndexPack, readRemoteTable } from '../transfer/index-pack.ts'

/** A pack that the remote's log has named. */
export interface RemotePack extends JoiningPack {
  /** The operation that named it. */
  readonly operation: number
}

const AT_ONCE = 8

/**
 * Yields tables by the ids of their packs, some at a time. A pack that is gone yields none: a later operation of the
 * remote drops it.
 * @param indexes packs of kind `index` that may hold tables of `wanted`
 */
export async function* readTables(
  backend: Backend,
  wanted: readonly RemotePack[],
  indexes: readonly RemotePack[],
  options: RequestOptions,
): AsyncGenerator<ReadonlyMap<ObjectId, PackTable>> {
  const left = new Map(wanted.map((pack) => [pack.id, pack]))
  for (const index of indexes) {
    const together = [...left.values()].filter(({ operation }) => operation === index.operation)
    if (together.length === 0) continue
    const tables = await unlessGone(() => readIndexPack(backend, index, together, options))
    if (tables === undefined) continue
    for (const id of tables.keys()) left.delete(id)
    yield tables
  }
  const single = [...left.values()]
  for (let at = 0; at < single.length; at += AT_ONCE) {
    const some = single.slice(at, at + AT_ONCE)
    const tables = await Promise.all(
      some.map((pack) => unlessGone(() => readRemoteTable(backend, pack, options))),
    )
    const found = new Map<ObjectId, PackTable>()
    for (const [i, pack] of some.entries()) {
      const table = tables[i]
      if (table !== undefined) found.set(pack.id, table)
    }
    yield found
  }
}

async function unlessGone<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_NOT_FOUND') return undefined
    throw error
  }
}
