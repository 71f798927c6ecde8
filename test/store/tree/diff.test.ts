import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { diffTrees, type EntryChange } from '../../../src/store/tree/diff.ts'
import type { Entry, ObjectId } from '../../../src/types.ts'
import { throwsCode } from '../../support/rejects.ts'
import { encodeNode, findKey, type Item, itemOf, naturalEnd, nodeId } from './plain-tree.ts'
import { anyEntries, anyEntry, arrange, bigFile, file, Nodes, symlink } from './trees.ts'

const test = suite('diff')

/** What a comparison of two maps gives, path by path. */
function plainDiff(a: readonly Entry[], b: readonly Entry[]): EntryChange[] {
  const before = new Map(a.map((entry) => [entry.path, entry]))
  const after = new Map(b.map((entry) => [entry.path, entry]))
  const paths = [...new Set([...before.keys(), ...after.keys()])]
  return paths
    .sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
    .filter((path) => same(before.get(path)) !== same(after.get(path)))
    .map((path) => {
      const [was, is] = [before.get(path), after.get(path)]
      return { path, ...(was && { before: was }), ...(is && { after: is }) }
    })
}

function same(entry: Entry | undefined): string {
  return entry === undefined ? '' : itemOf(entry).content.toString('hex')
}

function thousands(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) =>
    bigFile(
      `folder-${String(Math.floor(i / 1000)).padStart(3, '0')}/image-${String(i).padStart(6, '0')}`,
      7000,
    ),
  )
}

test('the difference of any two trees is that of their entries', () => {
  fc.assert(
    fc.property(anyEntries, anyEntries, (a, b) => {
      const nodes = new Nodes()
      const roots = [nodes.build(a).root, nodes.build(b).root] as const
      assert.equal([...diffTrees(nodes.read, ...roots)], plainDiff(a, b))
    }),
    { numRuns: 100 },
  )
})

test('the difference of a tree and the same with a few edits is the edits', () => {
  const edits = fc.array(anyEntry, { maxLength: 4 })
  fc.assert(
    fc.property(anyEntries, edits, fc.array(fc.nat(), { maxLength: 3 }), (a, added, removed) => {
      const kept = a.filter((_, i) => !removed.some((number) => number % a.length === i))
      const b = arrange([...added, ...kept])
      const nodes = new Nodes()
      const roots = [nodes.build(a).root, nodes.build(b).root] as const
      assert.equal([...diffTrees(nodes.read, ...roots)], plainDiff(a, b))
      assert.equal([...diffTrees(nodes.read, roots[1], roots[0])], plainDiff(b, a))
    }),
    { numRuns: 200 },
  )
})

test('equal trees are compared without reading more than their roots', () => {
  const nodes = new Nodes()
  const { root } = nodes.build(thousands(3000))
  nodes.reads = 0
  assert.equal([...diffTrees(nodes.read, root, root)], [])
  assert.ok(nodes.reads <= 2)
})

test('each change costs the way to its leaf on both sides, whatever it does to the ends of nodes', () => {
  const all = thousands(20_000)
  const nodes = new Nodes()
  const { root, nodes: count } = nodes.build(all)
  const ending = findKey('folder-010/image-010500.', [0])
  const firstEnd = all.findIndex(({ path }) => naturalEnd(path, 0))
  for (const [edited, changes, most] of [
    [all.with(12_345, bigFile((all[12_345] as Entry).path, 8000)), 1, 4],
    [all.toSpliced(5000, 1), 1, 4],
    [all.toSpliced(10_501, 0, file(findKey('folder-010/image-010500.', []))), 1, 4],
    [all.toSpliced(10_501, 0, file(ending)), 1, 5],
    [all.slice(1), 1, 4],
    [all.slice(0, -1), 1, 4],
    [all.toSpliced(firstEnd, 1), 1, 5],
    [all.slice(firstEnd + 1), firstEnd + 1, 4],
    [[file('a'), ...all, file('z')], 2, 6],
  ] as const) {
    const other = nodes.build(edited).root
    for (const roots of [
      [root, other],
      [other, root],
    ] as const) {
      nodes.reads = 0
      assert.is([...diffTrees(nodes.read, ...roots)].length, changes)
      assert.ok(nodes.reads <= most, `${nodes.reads} of ${count} nodes`)
    }
  }
})

test('trees without natural ends meet again behind the edit', () => {
  const keys = Array.from({ length: 9000 }, (_, i) =>
    symlink(`k${String(i).padStart(5, '0')}`, 't'.repeat(29)),
  )
  const nodes = new Nodes()
  const a = [...keys.slice(0, 4000), file(findKey('k04000', [0])), ...keys.slice(4001)]
  const b = [symlink('a', 't'.repeat(99)), ...a]
  const found = [...diffTrees(nodes.read, nodes.build(a).root, nodes.build(b).root)]
  assert.equal(found, [{ path: 'a', after: b[0] }])
})

test('a node in both trees that holds a path below an entry of one is refused unread', () => {
  const nodes = new Nodes()
  const [between, below] = [findKey('a-', [0]), findKey('a/', [0])]
  const put = (level: number, ...items: Item[]): ObjectId => {
    const bytes = encodeNode(level, items)
    nodes.map.set(nodeId(bytes), bytes)
    return nodeId(bytes)
  }
  const shared = put(0, itemOf(file(below)))
  const roots = ['a', 'a!'].map((path) => {
    const first = put(0, itemOf(file(path)), itemOf(file(between)))
    const children = [
      [between, first],
      [below, shared],
      ['z', put(0, itemOf(file('z')))],
    ] as const
    return put(1, ...children.map(([key, id]) => ({ key, content: Buffer.from(id, 'hex') })))
  }) as [ObjectId, ObjectId]
  throwsCode(() => [...diffTrees(nodes.read, ...roots)], 'ERR_DAMAGED')
})

test('a hostile tree is refused while it is compared', () => {
  const nodes = new Nodes()
  const end = findKey('b', [0])
  const good = nodes.build([file('a'), file(end), file('c')])
  const wrong = encodeNode(0, [itemOf(file('a', 'other')), itemOf(file(end))])
  const late = encodeNode(0, [itemOf(file('a')), itemOf(file('d'))])
  for (const bytes of [wrong, late]) nodes.map.set(nodeId(bytes), bytes)
  const root = encodeNode(1, [
    { key: end, content: Buffer.from(nodeId(wrong), 'hex') },
    { key: 'd', content: Buffer.from(nodeId(late), 'hex') },
  ])
  nodes.map.set(nodeId(root), root)
  throwsCode(() => [...diffTrees(nodes.read, good.root, nodeId(root))], 'ERR_DAMAGED')
  throwsCode(() => [...diffTrees(nodes.read, nodeId(root), good.root)], 'ERR_DAMAGED')
})

test.run()
