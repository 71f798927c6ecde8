/** The entries of a directory as they would be committed, hashed but not stored. */
import type { Entry, OperationOptions } from '../../types.ts'
import { loadHashes } from '../object/checksum.ts'
import type { OpenedStore } from '../opened.ts'
import { lazyPool } from './lazy-pool.ts'
import { workerCount } from './pool.ts'
import { Scan } from './scan.ts'

export interface DirectoryOptions extends OperationOptions {
  readonly jobs?: number | undefined
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
}

/** Yields the entries of `dir` (absolute) in ascending order of their paths. */
export async function* directoryEntries(
  store: OpenedStore,
  dir: string,
  options: DirectoryOptions = {},
): AsyncGenerator<Entry> {
  await loadHashes()
  const { layout, io } = store
  const decide = (): never => {
    throw new Error('Nothing is stored while a directory is only compared.')
  }
  const engine = { root: layout.root, durability: io.durability, decide }
  const pool = lazyPool(engine, workerCount(options.jobs))
  try {
    const scan = new Scan(store, pool, {
      store: false,
      include: options.include ?? [],
      exclude: options.exclude ?? [],
      keepRecipe: () => {},
      findSecrets: false,
      signal: options.signal,
      onProgress: options.onProgress,
    })
    for await (const batch of scan.run([{ kind: 'directory', dir, prefix: '' }])) yield* batch
    scan.remember()
  } finally {
    await pool.close()
  }
}
