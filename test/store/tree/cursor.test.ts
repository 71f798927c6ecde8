import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { entries, leafIds, lookup, nodeIds } from '../../../src/store/tree/cursor.ts'
import type { Entry, ObjectId } from '../../../src/types.ts'
import { anyEntries, file, Nodes, symlink } from './trees.ts'

const test = suite('cursor')

/** 20,000 files in 20 folders. */
function large(): Entry[] {
  return Array.from({ length: 20_000 }, (_, i) =>
    file(`f${String(i % 20).padStart(2, '0')}/${String(Math.floor(i / 20)).padStart(4, '0')}`),
  ).sort((a, b) => (a.path < b.path ? -1 : 1))
}

function paths(found: Iterable<Entry>): string[] {
  return Array.from(found, ({ path }) => path)
}

test('a prefix gives the entries that begin with it', () => {
  const anyPrefix = fc.constantFrom(
    '',
    'a',
    'a/',
    'a.',
    'n/1',
    'e',
    'm',
    'é',
    '\uffee',
    'b/b',
    'zz',
  )
  fc.assert(
    fc.property(anyEntries, anyPrefix, (any, prefix) => {
      const nodes = new Nodes()
      const { root } = nodes.build(any)
      assert.equal(
        [...entries(nodes.read, root, { prefix })],
        any.filter(({ path }) => path.startsWith(prefix)),
      )
    }),
    { numRuns: 200 },
  )
})

test('listing goes on behind any path, there or not, alone and with a prefix', () => {
  const anyPlace = fc.constantFrom('', 'a', 'a/a', 'e2', 'm', 'n', 'n/15', '\uffee', '\u{10ffff}')
  fc.assert(
    fc.property(anyEntries, anyPlace, fc.boolean(), fc.nat(), (any, place, exact, number) => {
      const nodes = new Nodes()
      const { root } = nodes.build(any)
      const after = (exact ? any[number % Math.max(any.length, 1)]?.path : undefined) ?? place
      const behind = any.filter(
        ({ path }) => Buffer.compare(Buffer.from(path), Buffer.from(after)) > 0,
      )
      assert.equal([...entries(nodes.read, root, { after })], behind)
      assert.equal(
        [...entries(nodes.read, root, { after, prefix: 'n/' })],
        behind.filter(({ path }) => path.startsWith('n/')),
      )
    }),
    { numRuns: 200 },
  )
})

test('a lookup finds every entry and nothing else', () => {
  fc.assert(
    fc.property(anyEntries, (any) => {
      const nodes = new Nodes()
      const { root } = nodes.build(any)
      for (const entry of any) assert.equal(lookup(nodes.read, root, entry.path), entry)
      for (const path of ['', 'a/nothing', 'e', '\u{10ffff}']) {
        assert.is(lookup(nodes.read, root, path), undefined)
      }
    }),
    { numRuns: 50 },
  )
})

test('the ids of nodes and leaves are those that were built', () => {
  fc.assert(
    fc.property(anyEntries, (any) => {
      const nodes = new Nodes()
      const { root } = nodes.build(any)
      const leaves = [...nodes.map].filter(([, bytes]) => bytes[0] === 0)
      const ids = [...nodeIds(nodes.read, root)]
      assert.is(ids[0], root)
      assert.equal([...ids].sort(), [...nodes.map.keys()].sort())
      assert.equal(
        [...leafIds(nodes.read, root)],
        leaves.map(([id]) => id),
      )
    }),
    { numRuns: 100 },
  )
})

test('only the nodes in the way are read', () => {
  const nodes = new Nodes()
  const all = large()
  const { root, nodes: count } = nodes.build(all)
  const readsOf = (run: () => unknown): number => {
    nodes.reads = 0
    run()
    return nodes.reads
  }
  assert.ok(count > 20, `${count} nodes`)
  assert.is(
    readsOf(() => paths(entries(nodes.read, root))),
    count,
  )
  assert.is(
    readsOf(() => lookup(nodes.read, root, 'f07/0500')),
    2,
  )
  assert.is(
    readsOf(() => lookup(nodes.read, root, 'zzz')),
    1,
  )
  assert.is(
    readsOf(() => [...leafIds(nodes.read, root)]),
    1,
  )
  assert.is(
    readsOf(() => [...nodeIds(nodes.read, root)]),
    1,
  )
  assert.is(
    readsOf(() => entries(nodes.read, root, { after: 'f10/0001' }).next()),
    2,
  )
  const folder = readsOf(() => {
    assert.is(paths(entries(nodes.read, root, { prefix: 'f07/' })).length, 1000)
  })
  assert.ok(folder <= count / 20 + 6, `${folder} of ${count} nodes`)
})

test('what is returned does not hold a view of bytes that the reader may use again', () => {
  const nodes = new Nodes()
  const any = [file('a', 'some text'), symlink('b', 'target')]
  const { root } = nodes.build(any)
  const shared = Buffer.alloc(1000)
  const read = (id: ObjectId): Uint8Array => {
    const bytes = nodes.read(id)
    shared.fill(0xff).set(bytes)
    return shared.subarray(0, bytes.length)
  }
  const found = [...entries(read, root)]
  shared.fill(0)
  assert.equal(found, any)
})

test.run()
