/** Writes the files of a checkout through a pool of their own. */

import type { OperationOptions } from '../../types.ts'
import { lazyPool } from '../ingest/lazy-pool.ts'
import { workerCount } from '../ingest/pool.ts'
import type { OpenedStore } from '../opened.ts'
import { type Damage, extractFiles, type Target } from './extract.ts'
import type { Staging } from './staging.ts'

/** @param staging where files are written that are renamed over others; undefined: at their place, which is new. */
export async function writeFiles(
  store: OpenedStore,
  targets: Iterable<Target>,
  staging: Staging | undefined,
  request: OperationOptions & { readonly jobs?: number | undefined },
): Promise<Damage> {
  const { layout, io } = store
  const decide = (): never => {
    throw new Error('Nothing is stored by a checkout.')
  }
  const engine = { root: layout.root, durability: io.durability, decide }
  const pool = lazyPool(engine, workerCount(request.jobs))
  let files = 0
  let bytes = 0
  try {
    return await extractFiles(store, targets, {
      pool,
      staging: staging?.nextName,
      onBytes: (moreFiles, moreBytes) => {
        files += moreFiles
        bytes += moreBytes
        request.onProgress?.({ phase: 'write', files, bytes })
      },
      signal: request.signal,
    })
  } finally {
    await pool.close()
  }
}
