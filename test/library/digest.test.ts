/** The same content gives the same digest, whatever way it came into a store. */
import fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CommitOptions, Store } from '../../src/index.ts'
import type { Tree } from '../support/files.ts'
import { seededRandom } from '../support/random.ts'
import { runs } from './runs.ts'
import { type Workspace, workspace } from './workspace.ts'

const test = suite('digest')
const MIB = 1 << 20

/** Around every size at which a file is kept in another way. */
const SIZES = [0, 1, 63, 64, 65, 66, 4096, 262_143, 262_144, 262_145, 300_000, MIB + 7]
const NAMES = ['a', 'a.b', 'a0', 'b', 'dir/a', 'dir/b', 'dir.txt', 'dir/sub/c', 'é', '\u{1f600}']

const anyTree: fc.Arbitrary<Tree> = fc
  .uniqueArray(
    fc.record({
      path: fc.constantFrom(...NAMES),
      size: fc.constantFrom(...SIZES),
      seed: fc.nat(3),
      kind: fc.constantFrom('noise', 'text', 'executable', 'symlink'),
    }),
    { selector: ({ path }) => path, minLength: 1, maxLength: 8, size: 'max' },
  )
  .map((files) =>
    Object.fromEntries(
      files.map(({ path, size, seed, kind }) => {
        const random = seededRandom(seed)
        if (kind === 'symlink') return [path, { symlink: `to-${seed}` }]
        const content = kind === 'text' ? random.text(size) : random.bytes(size)
        return [path, { content, mode: kind === 'executable' ? 0o755 : 0o644 }]
      }),
    ),
  )

async function digestOf(
  store: Store,
  paths: readonly string[],
  options: CommitOptions,
): Promise<string> {
  return (await store.commit(paths, options)).digest
}

/** A commit of the tree by itself, in a store that has never seen anything else. */
async function plainDigest(tree: Tree): Promise<string> {
  await using ws = await workspace()
  return await digestOf(ws.store, [ws.write('data', tree)], { jobs: 0 })
}

/** Commits the files of a tree one by one, in this order, each beside those before. */
async function oneByOne(ws: Workspace, dir: string, paths: readonly string[]): Promise<string> {
  let digest = ''
  for (const path of paths) {
    const options = { name: 'one-by-one', as: path, incremental: true, reuse: 'never' } as const
    digest = await digestOf(ws.store, [join(dir, path)], options)
  }
  return digest
}

test('it depends on the content alone: not on what was before, nor on how it was named', async () => {
  await fc.assert(
    fc.asyncProperty(anyTree, anyTree, fc.nat(), async (tree, earlier, seed) => {
      const expected = await plainDigest(tree)
      await using ws = await workspace()
      const { store } = ws
      const other = ws.write('other', earlier)
      await digestOf(store, [other], { name: 'x' })
      const dir = ws.write('data', tree)
      assert.is(await digestOf(store, [dir], { name: 'x' }), expected, 'after another version')
      assert.is(
        await digestOf(store, [dir], { name: 'y', jobs: 2 }),
        expected,
        'as another artifact',
      )
      assert.is(await digestOf(store, [dir], { name: 'x', reuse: 'never' }), expected, 'once more')
      assert.is(await digestOf(store, [dir], { name: 'x', dryRun: true }), expected, 'as a dry run')
      const base = { name: 'x', base: 'x', reuse: 'never' } as const
      assert.is(await digestOf(store, [dir], base), expected, 'based on itself')

      // A single path that is a link is followed, so links can only come with their directory.
      const paths = Object.keys(tree).filter((path) => fs.lstatSync(join(dir, path)).isFile())
      if (paths.length < Object.keys(tree).length) return
      const order = seededRandom(seed).shuffle(paths)
      assert.is(await oneByOne(ws, dir, order), expected, `one by one: ${order}`)
    }),
    runs(12),
  )
})

test('it does not depend on the number of threads, for files of any size', async () => {
  const random = seededRandom(1)
  const tree = {
    // 4 MiB is the most that is read at once; 16 MiB is what one thread scans for cuts.
    'at-most-one-read': random.bytes(4 * MIB),
    'more-than-one-read': random.bytes(4 * MIB + 1),
    'noise/large': random.bytes(40 * MIB),
    'text/large': Buffer.from(random.text(4 * MIB).repeat(10)),
    zeros: Buffer.alloc(17 * MIB),
    ...Object.fromEntries(SIZES.map((size) => [`small/${size}`, random.bytes(size)])),
  }
  const digests = new Map<number, string>()
  for (const jobs of [0, 1, 2, 4]) {
    await using ws = await workspace()
    const dir = ws.write('data', tree)
    digests.set(jobs, await digestOf(ws.store, [dir], { jobs }))
    const { ok, damaged } = await ws.store.verify('data')
    assert.ok(ok, JSON.stringify(damaged))
  }
  assert.is(new Set(digests.values()).size, 1, JSON.stringify([...digests]))
})

test('a large file has one digest by itself, in a directory, from standard input, and around a version', async () => {
  await using ws = await workspace()
  const { store } = ws
  const bytes = seededRandom(2).bytes(6 * MIB)
  const dir = ws.write('data', { 'sub/file': bytes })
  const expected = await digestOf(store, [dir], { name: 'directory' })
  const file = join(dir, 'sub/file')
  assert.is(await digestOf(store, [file], { name: 'file', as: 'sub/file' }), expected)
  assert.is(await digestOf(store, [file], { name: 'folder', as: 'sub/' }), expected)
  const below = { name: 'below', as: 'sub' }
  assert.is(await digestOf(store, [join(dir, 'sub')], below), expected)
  assert.is(await digestOf(store, [join(dir, 'sub')], { name: 'below', as: 'sub/' }), expected)
  async function* stdin(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 100_001) yield bytes.subarray(at, at + 100_001)
  }
  const piped = { name: 'piped', as: 'sub/file', stdin: stdin() }
  assert.is(await digestOf(store, ['-'], piped), expected)
})

test('the order in which paths are named does not matter', async () => {
  await using ws = await workspace()
  ws.write('.', { 'a/x': '1', 'a.b': '2', 'a0/y': '3', 'b/x': '4', c: '5'.repeat(300_000) })
  const paths = ['a', 'a.b', 'a0', 'b', 'c'].map(ws.at)
  const first = await digestOf(ws.store, paths, { name: 'first' })
  for (let seed = 0; seed < 5; seed++) {
    const shuffled = seededRandom(seed).shuffle(paths)
    assert.is(await digestOf(ws.store, shuffled, { name: `n${seed}` }), first, shuffled.join(' '))
  }
})

test('it is another one for every other content, name, mode or kind', async () => {
  const text = 'x'.repeat(100)
  const trees: Tree[] = [
    {},
    { a: '' },
    { a: null },
    { a: text },
    { a: { content: text, mode: 0o755 } },
    { a: { symlink: text } },
    { b: text },
    { 'a/b': text },
    { a: `${text}\n` },
    { a: text, b: '' },
  ]
  const digests = await Promise.all(
    trees.map(async (tree) => {
      await using ws = await workspace()
      return await digestOf(ws.store, [ws.write('data', tree)], {})
    }),
  )
  assert.is(new Set(digests).size, trees.length)
})

test.run()
