/** What a command is given to work with: the store when it asks for it, remarks, progress, and how names look. */
import { resolve } from 'node:path'
import type { OpenOptions, Progress, Store } from '../index.ts'
import type { Context, GlobalValues } from './command.ts'
import type { Io } from './io.ts'
import { progressLine } from './progress.ts'
import { escaped, styleOf } from './render.ts'

export interface OpenContext extends Context {
  readonly clearProgress: () => void
  readonly close: () => Promise<void>
}

export function openContext(globals: GlobalValues, io: Io, color: boolean): OpenContext {
  const { json, quiet } = globals
  const progress = progressLine(io, { json, quiet })
  const remark = (text: string): void => {
    if (quiet) return
    progress.clear()
    io.note(
      json ? `${JSON.stringify({ type: 'notice', message: text })}\n` : `${escaped(text, true)}\n`,
    )
  }
  const storeDir = globals.store ?? io.environment.store
  let opening: Promise<Store> | undefined
  return {
    io,
    json,
    quiet,
    style: styleOf(io.terminal.stdout, color),
    operation: { signal: io.signal, onProgress: progress.report },
    remark,
    resolve: (path) => resolve(io.cwd, path),
    storeDir: storeDir === undefined ? undefined : resolve(io.cwd, storeDir),
    store() {
      opening ??= openStore(storeDir, io, remark, progress.report)
      return opening
    },
    async fsck(options) {
      const { Store } = await import('../index.ts')
      return Store.fsck(placeOf(storeDir, io), options)
    },
    clearProgress: progress.clear,
    async close() {
      // A store that could not be opened has been reported by whoever asked for it.
      const store = await opening?.catch(() => undefined)
      store?.close()
    },
  }
}

async function openStore(
  store: string | undefined,
  io: Io,
  onNotice: (text: string) => void,
  onProgress: (progress: Progress) => void,
): Promise<Store> {
  const { Store } = await import('../index.ts')
  const { entity } = io.environment
  return Store.open({
    ...placeOf(store, io),
    onNotice,
    onProgress,
    env: io.environment.variables,
    ...(entity === undefined ? {} : { entity }),
  })
}

/** Where the store is, or from where it is looked for. */
function placeOf(store: string | undefined, { cwd, environment: { cacheDir } }: Io): OpenOptions {
  return {
    from: cwd,
    ...(store === undefined ? {} : { store: resolve(cwd, store) }),
    ...(cacheDir === undefined ? {} : { cacheDir }),
  }
}
