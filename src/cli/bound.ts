/** The directory that is meant when none is named. */
import { resolve } from 'node:path'
import type { Binding, Store } from '../index.ts'
import { UsageError } from './usage-error.ts'

export interface Bound extends Binding {
  /** Absolute. */
  readonly dir: string
  /** The version it holds. */
  readonly ref: string
}

/** The bound directory around `dir`, else the only one. Throws UsageError where that is not one. */
export function boundDirectory(store: Store, dir: string): Bound {
  const binding = store.binding(dir)
  if (binding !== undefined) {
    return { ...binding, dir: resolve(store.workspace, binding.path), ref: `@${binding.version}` }
  }
  throw new UsageError(
    'It is not clear which directory is meant: the current one is not bound to an artifact, and not exactly one other is.',
    'Name it. `artifacts status` lists bound directories, `artifacts commit DIR -n NAME` binds one.',
  )
}
