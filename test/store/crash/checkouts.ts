/** Checkouts to be interrupted: what the folder holds before, the command, and what `out` holds before and after. */
import fs from 'node:fs'
import { join } from 'node:path'
import { Store } from '../../../src/index.ts'
import { intercept } from '../../../src/store/io/intercept.ts'
import { isStagingName } from '../../../src/store/layout.ts'
import { type Item, readTree, shownTree, writeTree } from '../../support/files.ts'
import { commit, NAME, prepare, replaceData } from './commits.ts'
import { FIRST, IGNORED, SECOND } from './trees.ts'

export interface Checkout {
  readonly title: string
  /** Points of a sample. */
  readonly points: number
  readonly ref: string
  /** What `out` holds, as `readTree` shows it; undefined where it is not there. */
  readonly before: Record<string, Item> | undefined
  readonly after: Record<string, Item>
  prepare(workspace: string): Promise<void>
  run(workspace: string, force?: boolean): Promise<void>
}

const first = shownTree({ ...FIRST, ...IGNORED })
const second = shownTree({ ...SECOND, ...IGNORED })

export const CHECKOUTS: readonly Checkout[] = [
  {
    title: 'a checkout into a directory that is not there',
    points: 40,
    ref: `${NAME}:v0`,
    before: undefined,
    after: shownTree(FIRST),
    prepare: twoVersions,
    run: (workspace, force) => checkout(workspace, `${NAME}:v0`, force),
  },
  {
    title: 'a checkout into an empty directory',
    points: 30,
    ref: `${NAME}:v1`,
    before: {},
    after: shownTree(SECOND),
    async prepare(workspace) {
      await twoVersions(workspace)
      fs.mkdirSync(join(workspace, 'out'))
    },
    run: (workspace, force) => checkout(workspace, `${NAME}:v1`, force),
  },
  {
    title: 'a checkout of another version',
    points: 60,
    ref: `${NAME}:v1`,
    before: first,
    after: second,
    prepare: (workspace) => checkedOut(workspace, `${NAME}:v0`),
    run: (workspace, force) => checkout(workspace, `${NAME}:v1`, force),
  },
  {
    title: 'a checkout of an earlier version',
    points: 40,
    ref: `${NAME}:v0`,
    before: second,
    after: first,
    prepare: (workspace) => checkedOut(workspace, `${NAME}:v1`),
    run: (workspace, force) => checkout(workspace, `${NAME}:v0`, force),
  },
  {
    title: 'a checkout that is prepared beside the directory',
    points: 30,
    ref: `${NAME}:v1`,
    before: first,
    after: second,
    prepare: (workspace) => checkedOut(workspace, `${NAME}:v0`),
    async run(workspace, force) {
      const stop = refuseStagingInStore()
      try {
        await checkout(workspace, `${NAME}:v1`, force)
      } finally {
        stop()
      }
    },
  },
]

/** What `out` holds, but for directories of checkouts that were not finished. */
export function readOut(workspace: string): Record<string, Item> | undefined {
  const out = join(workspace, 'out')
  return fs.existsSync(out) ? withoutStaging(readTree(out)) : undefined
}

/** The same without what begins by the name of such a directory. */
export function withoutStaging(tree: Record<string, Item>): Record<string, Item> {
  const isOthers = ([path]: [string, Item]): boolean => !isStagingName(path.split('/')[0] ?? '')
  return Object.fromEntries(Object.entries(tree).filter(isOthers))
}

async function twoVersions(workspace: string): Promise<void> {
  await prepare(workspace, FIRST, true)
  replaceData(workspace, SECOND)
  await commit(workspace)
}

async function checkedOut(workspace: string, ref: string): Promise<void> {
  await twoVersions(workspace)
  await checkout(workspace, ref)
  writeTree(join(workspace, 'out'), IGNORED)
}

async function checkout(workspace: string, ref: string, force = false): Promise<void> {
  using store = await Store.open({ store: join(workspace, '.artifacts') })
  await store.checkout(ref, join(workspace, 'out'), { jobs: 0, force })
}

/** As if `tmp/` were another user's: it could as well be on another file system. */
function refuseStagingInStore(): () => void {
  return intercept({
    before({ kind, path }) {
      if (kind !== 'mkdir' || !/\/\.artifacts\/tmp\/[^/]+$/.test(path)) return
      throw Object.assign(new Error(`EACCES: mkdir '${path}'`), { code: 'EACCES' })
    },
  })
}
