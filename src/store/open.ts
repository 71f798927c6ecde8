/** Opens a store: its format, its settings, its index. */
import { hostname, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { ArtifactsError } from '../errors.ts'
import type { Progress } from '../types.ts'
import { decodeFormat, readFormat } from './format.ts'
import type { StoreIdentity } from './index/database.ts'
import { databaseDirectory } from './index/place.ts'
import { type IndexNotice, StoreIndex } from './index/store-index.ts'
import { createIo, type Durability } from './io/io.ts'
import { type Layout, layoutOf } from './layout.ts'
import { loadHashes } from './object/checksum.ts'
import type { OpenedStore } from './opened.ts'
import { Settings } from './settings.ts'
import { StatCache } from './workspace/stat-cache.ts'

export interface OpenOptions {
  /** The `.artifacts` directory, absolute. */
  readonly root: string
  /** This program, such as `artifacts/0.1.0`. */
  readonly tool: string
  /** Where databases may lie that can't be in the store. */
  readonly cacheDir?: string | undefined
  readonly onNotice?: ((notice: IndexNotice) => void) | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** An open store, to be closed. */
export interface Opened extends OpenedStore {
  readonly id: string
  settings: Settings
  /** Where databases may lie that can't be in the store. */
  readonly cacheDir: string | undefined
  close(): void
}

/**
 * @throws ArtifactsError ERR_NO_STORE, ERR_UNSUPPORTED for one of a later program, ERR_DAMAGED, ERR_CONFIG.
 */
export async function openStore(options: OpenOptions): Promise<Opened> {
  const layout = layoutOf(options.root)
  const identity = await identityOf(layout, options.onNotice)
  const settings = new Settings(layout)
  const io = createIo({ durability: settings.get('durability') as Durability })
  await loadHashes()
  const { cacheDir, onNotice, onProgress } = options
  const index = new StoreIndex({ io, layout, identity, cacheDir, onNotice, onProgress })
  let cache: StatCache | undefined
  const workspace = dirname(layout.root)
  return {
    id: identity.id,
    layout,
    workspace,
    io,
    index,
    settings,
    cacheDir,
    by: { user: userName(), host: hostname() },
    tool: options.tool,
    statCache: () => {
      const directory = databaseDirectory(io, layout.root, identity.id, cacheDir)
      const path = directory === undefined ? ':memory:' : join(directory, 'stat.db')
      cache ??= new StatCache({ io, path, store: identity.id, workspace })
      return cache
    },
    close: () => {
      cache?.close()
      index.close()
    },
  }
}

/** What `format.json` says; where it is damaged, what it said, if that can be proven. */
async function identityOf(
  layout: Layout,
  onNotice: OpenOptions['onNotice'],
): Promise<StoreIdentity> {
  try {
    return readFormat(layout.format)
  } catch (error) {
    if (!(error instanceof ArtifactsError) || error.code !== 'ERR_DAMAGED') throw error
    const { recoverFormat } = await import('./fsck/mend-format.ts')
    const recovered = recoverFormat(layout)
    if (recovered === undefined) throw error
    const message = `${error.message} What it said could be found out; \`artifacts fsck --repair\` mends it.`
    onNotice?.({ kind: 'format-damaged', message })
    return decodeFormat(recovered.toString(), layout.format)
  }
}

/** A container may run under a number that has no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
