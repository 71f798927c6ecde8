/** Forcing races: at a named call of one process, another does its work to the end. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CommitReport, GcReport } from '../../../src/index.ts'
import { type CallKind, type IoCall, intercept } from '../../../src/store/io/intercept.ts'
import { type Tree, writeTree } from '../../support/files.ts'
import { openIn } from './workspace.ts'

/** The call by which an operation gets its number. */
export const COMMIT_POINT = { kind: 'link', to: /log\/\d{12}\.json$/ } as const
/** The call by which a pack goes. */
export const PACK_GOES = { kind: 'unlink', to: /packs\/[0-9a-f]{64}\.pack$/ } as const

export interface Point {
  readonly kind: CallKind
  readonly to: RegExp
}

/** Runs something right before the first such call of this thread. */
export function once(point: Point, run: () => void): () => void {
  let ran = false
  return intercept({
    before(call) {
      if (ran || !matches(call, point)) return
      ran = true
      run()
    },
  })
}

export function matches(call: IoCall, { kind, to }: Point): boolean {
  return call.kind === kind && to.test(call.to ?? call.path)
}

/** Commits a tree; right before its first such call, others do something. */
export async function commitWhile(
  path: string,
  name: string,
  tree: Tree,
  point: Point,
  run: () => void,
): Promise<CommitReport> {
  const dir = join(path, `of-${name}`)
  rmSync(dir, { recursive: true, force: true })
  writeTree(dir, tree)
  using store = await openIn(path)
  const stop = once(point, run)
  try {
    return await store.commit([dir], { name, jobs: 0 })
  } finally {
    stop()
  }
}

export async function gc(path: string): Promise<GcReport> {
  using store = await openIn(path)
  return await store.gc({ grace: '0' })
}
