/** A store with versions, and looks at what is in it, for tests of what comes and goes. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Store } from '../../../src/index.ts'
import { readFormat } from '../../../src/store/format.ts'
import { isDropped } from '../../../src/store/index/pack-rows.ts'
import { StoreIndex } from '../../../src/store/index/store-index.ts'
import { createIo } from '../../../src/store/io/io.ts'
import { type Layout, layoutOf, parseTemporaryName } from '../../../src/store/layout.ts'
import type { Operation } from '../../../src/store/log/operation.ts'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { readTree, shownTree, type Tree, writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { temporaryDirectory } from '../../support/temp.ts'

export interface Workspace extends AsyncDisposable {
  readonly path: string
  readonly layout: Layout
}

/** A folder with an empty store. */
export async function workspace(): Promise<Workspace> {
  const directory = await temporaryDirectory()
  await initialize(directory.path)
  return {
    path: directory.path,
    layout: layoutOf(join(directory.path, '.artifacts')),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

export async function initialize(path: string): Promise<void> {
  const { store } = await Store.init(path)
  store.close()
}

export function openIn(path: string): Promise<Store> {
  return Store.open({ store: join(path, '.artifacts') })
}

/** Commits these files as the next version of an artifact, and nothing but them; returns its ref. */
export async function commitTree(path: string, name: string, tree: Tree): Promise<string> {
  const dir = join(path, `of-${name}`)
  rmSync(dir, { recursive: true, force: true })
  writeTree(dir, tree)
  using store = await openIn(path)
  return (await store.commit([dir], { name, jobs: 0 })).ref
}

/** Commits trees as versions of an artifact, one after another; returns their refs. */
export async function commitTrees(
  path: string,
  name: string,
  trees: readonly Tree[],
): Promise<string[]> {
  const dir = join(path, `of-${name}`)
  const refs: string[] = []
  using store = await openIn(path)
  for (const tree of trees) {
    rmSync(dir, { recursive: true, force: true })
    writeTree(dir, tree)
    refs.push((await store.commit([dir], { name, jobs: 0 })).ref)
  }
  return refs
}

/** So many files with bytes of their own, of some 300 each. */
export function manyFiles(count: number, seed: number, prefix = 'f'): Tree {
  const random = seededRandom(seed)
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`${prefix}${i}`, random.bytes(300 + (i % 7))]),
  )
}

/** Asserts that these versions can be checked out as they were committed, and that nothing of them is damaged. */
export async function assertVersions(
  path: string,
  versions: Readonly<Record<string, Tree>>,
): Promise<void> {
  using store = await openIn(path)
  for (const [ref, tree] of Object.entries(versions)) {
    const dir = join(path, 'checked-out')
    rmSync(dir, { recursive: true, force: true })
    await store.checkout(ref, dir, { jobs: 0 })
    assert.equal(readTree(dir), shownTree(tree), ref)
    rmSync(dir, { recursive: true })
    const report = await store.verify(ref)
    assert.ok(report.ok, `${ref}: ${JSON.stringify(report.damaged)}`)
  }
}

/** Ids of the packs that there are files of. */
export function packFiles({ packs }: Layout): string[] {
  return readdirSync(packs).map((name) => name.replace(/\.pack$/, ''))
}

export function sizeOfPacks({ packs }: Layout): number {
  return readdirSync(packs).reduce((sum, name) => sum + statSync(join(packs, name)).size, 0)
}

/** An index of its own over the store, as another process would have it. */
export async function indexOf(layout: Layout): Promise<StoreIndex> {
  await loadHashes()
  const io = createIo({ durability: 'power' })
  return new StoreIndex({ io, layout, identity: readFormat(layout.format) })
}

/**
 * Asserts that nothing is left over: every file under packs/ is named and needed, none is missing, and there are no
 * temporary files.
 */
export async function assertClean(layout: Layout): Promise<void> {
  using index = await indexOf(layout)
  const named = index.read((connection) =>
    connection.all<{ name: string }>(
      'SELECT name FROM pack WHERE operation IS NOT NULL AND dropped IS NULL',
    ),
  )
  assert.equal(packFiles(layout).sort(), named.map(({ name }) => name).sort(), 'packs')
  assert.not.ok(packFiles(layout).some((id) => isDropped(index, id)))
  assert.equal(readdirSync(layout.tmp), [], 'tmp/')
  assert.equal(
    readdirSync(layout.log).filter((name) => name.startsWith('.')),
    [],
    'log/',
  )
}

/** Makes packs, other than these, too young to be left over, or as old as can be. */
export function ageOthers({ packs }: Layout, known: readonly string[], age: 'young' | 'old'): void {
  const time = age === 'young' ? Date.now() / 1000 + 3600 : 1
  for (const name of readdirSync(packs)) {
    if (!known.includes(name.replace(/\.pack$/, ''))) utimesSync(join(packs, name), time, time)
  }
}

/** Makes temporary files of this process those of one that is gone: a death that a test plays does not end it. */
export function buryWriters({ tmp, log }: Layout): void {
  for (const directory of [tmp, log]) {
    for (const name of readdirSync(directory)) {
      const dot = name.startsWith('.') ? '.' : ''
      const parsed = parseTemporaryName(name.slice(dot.length))
      if (parsed === undefined || parsed.pid !== process.pid) continue
      const { host, random } = parsed
      renameSync(join(directory, name), join(directory, `${dot}${host}.999999999.1.${random}`))
    }
  }
}

/** All operations as they stand in the log. */
export function operations({ log }: Layout): Operation[] {
  return readdirSync(log)
    .filter((name) => /^\d{12}\.json$/.test(name))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(log, name), 'utf8').split('\n')[0] ?? ''))
}

export function makeDirectory(path: string): string {
  mkdirSync(path, { recursive: true })
  return path
}
