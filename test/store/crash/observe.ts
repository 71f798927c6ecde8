/** Looks at a store after something went wrong: as the next command would, and at what lies in its folder. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Store, type VersionSummary } from '../../../src/index.ts'
import { layoutOf, parseTemporaryName } from '../../../src/store/layout.ts'
import { readTable, salvage } from '../../../src/store/object/pack-reader.ts'
import { type Item, shownTree, type Tree } from '../../support/files.ts'

/** All that a person can see of an artifact, but for ids and times. */
export interface ArtifactState {
  /** `v0` first. */
  readonly versions: readonly VersionState[]
}

export interface VersionState {
  readonly version: string
  readonly aliases: readonly string[]
  /** As `readTree` shows it. */
  readonly tree: Record<string, Item>
}

/** Versions of these trees; `latest` is the last. */
export function stateOf(...trees: readonly Tree[]): ArtifactState {
  const versions = trees.map((tree, number) => ({
    version: `v${number}`,
    aliases: number === trees.length - 1 ? ['latest'] : [],
    tree: shownTree(tree),
  }))
  return { versions }
}

/** Opens the store as a new command, reads every byte of every version, and has each verified. */
export async function observe(workspace: string, name: string): Promise<ArtifactState> {
  using store = await Store.open({ store: join(workspace, '.artifacts') })
  const versions: VersionState[] = []
  for (const { ref, version, aliases } of await verified(store, name)) {
    versions.push({ version, aliases: aliases.toSorted(), tree: readVersion(store, ref) })
  }
  return { versions }
}

/** The same where that takes long: a digest stands for a whole tree, and verifying reads every byte below it. */
export async function observeDigests(workspace: string, name: string): Promise<readonly string[]> {
  using store = await Store.open({ store: join(workspace, '.artifacts') })
  return (await verified(store, name)).map(({ version, digest }) => `${version} ${digest}`)
}

/** All versions, `v0` first. */
async function verified(store: Store, name: string): Promise<readonly VersionSummary[]> {
  const known = store.artifacts().some((artifact) => artifact.name === name)
  const versions = known ? store.versions(name).toReversed() : []
  for (const { ref } of versions) {
    const { ok, damaged } = await store.verify(ref)
    assert.ok(ok, `${ref}: ${JSON.stringify(damaged)}`)
  }
  return versions
}

function readVersion(store: Store, ref: string): Record<string, Item> {
  const tree: Record<string, Item> = {}
  for (const entry of store.entries(ref)) {
    const { path } = entry
    if (entry.kind === 'symlink') tree[path] = { symlink: entry.target }
    else if (entry.kind === 'directory') tree[path] = null
    else {
      const content = Buffer.concat([...store.read(ref, path)])
      tree[path] = entry.kind === 'file' && entry.executable ? { content, mode: 0o755 } : content
    }
  }
  return shownTree(tree)
}

/**
 * Asserts that every pack in the store is whole, whoever names it, and that no file has a name it should not; returns
 * the temporary ones that lie about, relative to the store.
 */
export function leftovers(workspace: string): string[] {
  const { root, packs, log, bindings, tmp } = layoutOf(join(workspace, '.artifacts'))
  const found: string[] = []
  const look = (directory: string, allowed: RegExp, temporary: (name: string) => boolean): void => {
    for (const name of readdirSync(directory)) {
      if (allowed.test(name)) continue
      assert.ok(temporary(name), `"${join(directory, name)}" has no business there`)
      found.push(join(directory, name).slice(root.length + 1))
    }
  }
  const none = (): boolean => false
  look(root, ROOT_NAME, none)
  look(packs, /^[0-9a-f]{64}\.pack$/, none)
  look(bindings, /^[0-9a-f]{32}\.json$/, none)
  look(log, /^[0-9]{12}\.json$/, (name) => /^\.[0-9a-f]{32}$/.test(name))
  look(tmp, /^$/, (name) => parseTemporaryName(name) !== undefined)
  for (const name of readdirSync(packs)) assertWhole(join(packs, name))
  return found.sort()
}

const ROOT_NAME =
  /^(format\.json|config\.json|\.gitignore|packs|log|bindings|tmp|index|(index-[0-9a-f]{16}|stat)\.db(-wal|-shm|-journal)?)$/

function assertWhole(pack: string): void {
  const { count } = readTable(pack)
  assert.is([...salvage(pack)].length, count, `"${pack}" does not hold what its table says`)
}
