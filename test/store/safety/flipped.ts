/** A small store of which single bytes are changed, and what may be seen of it then: what was stored, or ERR_DAMAGED. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import * as assert from 'uvu/assert'
import { ArtifactsError, type Store } from '../../../src/index.ts'
import { type Item, readTree, shownTree, type Tree, writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { newWorkspace, readAll, type Workspace } from './workspace.ts'

const random = seededRandom(21)
const LARGE = random.bytes(600_000)

export const VERSIONS: Readonly<Record<string, Tree>> = {
  'a:v0': {
    'b/noise': random.bytes(5000),
    'b/text': random.text(3000),
    inline: 'inline',
    large: LARGE,
    link: { symlink: 'b/text' },
  },
  'a:v1': {
    'b/noise': random.bytes(5000),
    'b/text': random.text(3000),
    large: Buffer.concat([LARGE.subarray(0, 300_000), random.bytes(100), LARGE.subarray(300_000)]),
    new: random.text(200),
  },
}

export async function smallStore(): Promise<Workspace> {
  const workspace = await newWorkspace()
  const source = join(workspace.path, 'source')
  for (const tree of Object.values(VERSIONS)) {
    rmSync(source, { recursive: true, force: true })
    writeTree(source, tree)
    await workspace.run((store) => store.commit([source], { name: 'a' }))
  }
  return workspace
}

/** Changes one bit of a file, lets `look` look, and changes it back. */
export async function withFlip(path: string, at: number, look: () => Promise<void>): Promise<void> {
  const bytes = readFileSync(path)
  const flipped = Buffer.from(bytes)
  flipped[at] = (flipped[at] as number) ^ (1 << (at % 8))
  // In place: an index is told from its copies by what kind of file it is.
  writeFileSync(path, flipped, { flag: 'r+' })
  try {
    await look()
  } finally {
    if (existsSync(path)) writeFileSync(path, bytes, { flag: 'r+' })
  }
}

/** What damage may be told as. */
export type Allowed = (error: unknown) => boolean

export function isDamage(error: unknown): boolean {
  return error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
}

/**
 * Reads everything in every way. Nothing may be other than it was stored; what is allowed to fail may fail. Returns how
 * many of the ways did.
 */
export async function lookAtAll(
  workspace: Workspace,
  context: string,
  allowed: Allowed = isDamage,
): Promise<number> {
  let failures = 0
  const attempt = async (way: string, run: (store: Store) => unknown): Promise<void> => {
    try {
      await workspace.run(run)
    } catch (error) {
      if (!allowed(error)) throw new Error(`${context}: ${way}: ${String(error)}`, { cause: error })
      failures++
    }
  }
  for (const [ref, tree] of Object.entries(VERSIONS)) {
    const bad = new Set<string>()
    for (const [path, item] of Object.entries(tree)) {
      if (!Buffer.isBuffer(item) && typeof item !== 'string') continue
      const before = failures
      await attempt(`read ${ref} ${path}`, (store) => {
        assert.ok(readAll(store, ref, path).equals(Buffer.from(item)), `${context}: ${ref} ${path}`)
      })
      if (failures > before) bad.add(path)
    }
    await attempt(`ls ${ref}`, (store) => {
      const paths = [...store.entries(ref)].map(({ path }) => path)
      assert.equal(paths, Object.keys(shownTree(tree)), context)
    })
    await attempt(`verify ${ref}`, async (store) => {
      const { ok, damaged } = await store.verify(ref)
      if (!ok) failures++
      for (const path of bad) {
        assert.ok(
          damaged.some((each) => each.path === path),
          `${context}: verify knows not of ${path}`,
        )
      }
    })
    for (const jobs of [0, 2]) {
      await attempt(`checkout ${ref}`, (store) =>
        checkOut(workspace, store, ref, tree, { jobs, context }),
      )
    }
  }
  return failures
}

/** Files that can't be read back are named and absent; all others are there, and right. */
async function checkOut(
  { path }: Workspace,
  store: Store,
  ref: string,
  tree: Tree,
  { jobs, context }: { readonly jobs: number; readonly context: string },
): Promise<void> {
  const out = join(path, 'out')
  rmSync(out, { recursive: true, force: true })
  let error: unknown
  try {
    await store.checkout(ref, out, { jobs })
  } catch (thrown) {
    error = thrown
  }
  const named = error instanceof ArtifactsError ? ((error.data['paths'] ?? []) as string[]) : []
  if (error === undefined || named.length > 0) {
    const shown: Record<string, Item> = shownTree(tree)
    for (const each of named) {
      assert.match((error as Error).message, `"${each}"`, context)
      delete shown[each]
    }
    const got = Object.entries(readTree(out)).filter(([, item]) => item !== null)
    assert.ok(isDeepStrictEqual(Object.fromEntries(got), shown), `${context}: ${ref} checked out`)
  } else {
    assert.not.ok(existsSync(out), `${context}: half a directory`)
  }
  if (error !== undefined) throw error
}

/** Lets an index be built anew by the next command, and again by the one after `run`. */
export async function withoutIndex(
  { root, path }: Workspace,
  run: () => Promise<void>,
): Promise<void> {
  const kept = join(path, 'kept')
  mkdirSync(kept)
  renameSync(join(root, 'index'), join(kept, 'index'))
  await run()
  rmSync(join(root, 'index'), { force: true })
  renameSync(join(kept, 'index'), join(root, 'index'))
  rmSync(kept, { recursive: true })
}
