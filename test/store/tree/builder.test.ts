import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TreeBuilder } from '../../../src/store/tree/builder.ts'
import { entries } from '../../../src/store/tree/cursor.ts'
import { decodeNode, isLeaf } from '../../../src/store/tree/node.ts'
import type { Entry, ObjectId } from '../../../src/types.ts'
import { throwsCode } from '../../support/rejects.ts'
import { findKey, naturalEnd, nodeId, plainTree } from './plain-tree.ts'
import { anyEntries, bigFile, directory, file, heavy, Nodes, reference, symlink } from './trees.ts'

const test = suite('builder')

/** Ascending files `<start>00000`, …, at none of which a node has a natural end. */
function endless(start: string, count: number, target: string): Entry[] {
  const paths = Array.from({ length: 2 * count }, (_, i) => start + String(i).padStart(5, '0'))
  const fitting = paths.filter((path) => !naturalEnd(path, 0)).slice(0, count)
  assert.is(fitting.length, count)
  return fitting.map((path) => symlink(path, target))
}

function addAll(...added: readonly Entry[]): void {
  new Nodes().build(added)
}

test('the tree of any entries is the one of the format, node by node', () => {
  fc.assert(
    fc.property(anyEntries, (any) => {
      const nodes = new Nodes()
      const built = nodes.build(any)
      const plain = plainTree(any)
      assert.is(built.root, plain.root)
      assert.equal([...nodes.map.keys()].sort(), [...plain.nodes.keys()].sort())
      for (const [id, bytes] of plain.nodes) assert.equal(nodes.map.get(id), bytes)
      assert.is(built.nodes, plain.nodes.size)
    }),
    { numRuns: 100 },
  )
})

test('what was built reads back as it was', () => {
  fc.assert(
    fc.property(anyEntries, (any) => {
      const nodes = new Nodes()
      const { root } = nodes.build(any)
      assert.equal([...entries(nodes.read, root)], any)
    }),
    { numRuns: 100 },
  )
})

test('random entries make trees of one, two and three levels', () => {
  const depths = fc.sample(anyEntries, 200).map((any) => {
    let top = 0
    const builder = new TreeBuilder((_id, _bytes, level) => {
      top = Math.max(top, level)
    })
    for (const entry of any) builder.add(entry)
    builder.finish()
    return top
  })
  for (const level of [0, 1, 2]) assert.ok(depths.includes(level), `no tree has top level ${level}`)
})

test('an empty tree is one empty leaf', () => {
  const nodes = new Nodes()
  const built = nodes.build([])
  assert.equal(built, { root: nodeId(Buffer.alloc(2)), files: 0, bytes: 0, nodes: 1 })
  assert.equal(nodes.map.get(built.root), Buffer.alloc(2))
})

test('files and bytes are counted, directories are not files', () => {
  const linked = reference('d', 's3://b/k')
  const sized = { ...linked, reference: { ...linked.reference, size: 50 } }
  const built = new Nodes().build([
    file('a', 'four'),
    bigFile('b', 300_000),
    directory('c'),
    sized,
    symlink('e', 'é'),
  ])
  assert.is(built.files, 4)
  assert.is(built.bytes, 4 + 300_000 + 50 + 2)
})

test('nodes come children first, the root last, leaves with their entries', () => {
  const any = endless('f', 9000, 'x'.repeat(30))
  const seen = new Set<ObjectId>()
  const leaves: Entry[] = []
  let last: ObjectId | undefined
  const builder = new TreeBuilder((id, bytes, level, own) => {
    const node = decodeNode(bytes, { last: true })
    assert.is(node.level, level)
    assert.is(nodeId(bytes), id)
    if (isLeaf(node)) {
      assert.equal(node.entries, own)
      leaves.push(...(own as readonly Entry[]))
    } else {
      assert.is(own, undefined)
      for (const child of node.children) assert.ok(seen.has(child.id))
    }
    seen.add(id)
    last = id
  })
  for (const entry of any) builder.add(entry)
  const built = builder.finish()
  assert.is(built.root, last)
  assert.is(built.nodes, seen.size)
  assert.ok(built.nodes > 3)
  assert.equal(leaves, any)
})

test('emitted bytes belong to the receiver', () => {
  const nodes = new Nodes()
  nodes.build(endless('f', 9000, 'x'.repeat(30)))
  for (const [id, bytes] of nodes.map) assert.is(nodeId(bytes), id)
})

test('without natural ends a node ends with the entry that brings it to 131,072 bytes', () => {
  // 1 + 1 + 7 + 1 + 1 + 29 = 40 bytes each, so the 3,277th crosses the limit.
  const any = endless('ff', 10_000, 't'.repeat(29))
  const leaves: number[] = []
  const builder = new TreeBuilder((_id, _bytes, _level, own) => {
    if (own !== undefined) leaves.push(own.length)
  })
  for (const entry of any) builder.add(entry)
  builder.finish()
  assert.equal(leaves, [3277, 3277, 3277, 169])
})

test('a node ends with exactly 131,072 bytes, and goes on with one less', () => {
  for (const [last, count] of [
    [4096, 3],
    [4095, 1],
  ] as const) {
    assert.is(new Nodes().build([...heavy(last), file('z')]).nodes, count)
  }
})

test('a natural end meets forced ones again, so an insert changes only what lies before it', () => {
  const before = endless('a', 8000, 't'.repeat(29))
  const natural = file(findKey('b', [0]))
  const behind = endless('c', 8000, 't'.repeat(29))
  const nodes = new Nodes()
  nodes.build([...before, natural, ...behind])
  const known = new Set(nodes.map.keys())
  nodes.build([symlink(findKey('A', []), 't'.repeat(99)), ...before, natural, ...behind])
  const added = [...nodes.map.keys()].filter((id) => !known.has(id))
  assert.is(added.length, 3 + 1)
})

test('keys that all end a node make a leaf each and a tree that still works', () => {
  const any = Array.from({ length: 300 }, (_, i) => file(findKey(`${1000 + i}-`, [0])))
  const nodes = new Nodes()
  const { root, nodes: count } = nodes.build(any)
  assert.is(count, 301)
  assert.is(root, plainTree(any).root)
  assert.equal([...entries(nodes.read, root)], any)
})

test('the longest keys and contents fit into a node', () => {
  const long = (name: string): string =>
    `${`${'p'.repeat(255)}/`.repeat(15)}${name.padEnd(256, '/xxx')}`.slice(0, 4096)
  const any = [
    ...endless('a', 3276, 't'.repeat(30)),
    reference(long('q1'), 'u'.repeat(65_400)),
    reference(long('q2'), 'u'.repeat(65_400)),
    reference(long('q3'), 'u'.repeat(65_400)),
  ]
  assert.is(Buffer.byteLength(any.at(-1)?.path ?? ''), 4096)
  const nodes = new Nodes()
  const { root } = nodes.build(any)
  assert.is(root, plainTree(any).root)
  assert.equal([...entries(nodes.read, root)], any)
})

test('an entry whose only content changed changes one node on each level', () => {
  fc.assert(
    fc.property(anyEntries, fc.nat(), (any, number) => {
      fc.pre(any.length > 0)
      const nodes = new Nodes()
      nodes.build(any)
      const known = new Set(nodes.map.keys())
      const levels = new Set([...nodes.map.values()].map((bytes) => bytes[0]))
      const at = number % any.length
      const edited = any.with(at, bigFile((any[at] as Entry).path, 5000, `new ${number}`))
      nodes.build(edited)
      assert.is([...nodes.map.keys()].filter((id) => !known.has(id)).length, levels.size)
    }),
    { numRuns: 100 },
  )
})

test('entries out of order, twice or below another are refused', () => {
  assert.throws(() => addAll(file('b'), file('a')), 'entries must ascend: "a" was added after "b"')
  assert.throws(() => addAll(file('a'), file('a')), 'entries must ascend')
  assert.throws(() => addAll(file('\u{10000}'), file('\uffff')), 'entries must ascend')
  const error = throwsCode(() => addAll(file('a'), file('a.b'), file('a/b')), 'ERR_INVALID_PATH')
  assert.is(
    error.message,
    'path "a/b" cannot be stored: it lies below "a", which is an entry itself',
  )
})

test('an entry below another is refused although a node ended between them', () => {
  const between = endless('a.', 7000, 't'.repeat(29))
  throwsCode(() => addAll(file('a'), ...between, file('a/b')), 'ERR_INVALID_PATH')
})

test('paths that break a rule are refused', () => {
  for (const path of ['', '/a', 'a/../b', 'a/.git', 'a\0', '\ud800', 'a/']) {
    throwsCode(() => addAll(file(path)), 'ERR_INVALID_PATH')
  }
})

test.run()
