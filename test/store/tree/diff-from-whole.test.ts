/** Trees out of hostile hands, beside one that is whole: the verdict is that of who reads all of them. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError } from '../../../src/errors.ts'
import { entries } from '../../../src/store/tree/cursor.ts'
import { diffFromWhole, diffTrees } from '../../../src/store/tree/diff.ts'
import type { Entry, ObjectId } from '../../../src/types.ts'
import { encodeNode, findKey, itemOf, nodeId } from './plain-tree.ts'
import { anyEntries, anyEntry, arrange, bigFile, file, Nodes } from './trees.ts'

const test = suite('diff from a whole tree')

test('a tree with a few edits is whole, and its changes are the edits', () => {
  fc.assert(
    fc.property(anyEntries, fc.array(anyEntry, { maxLength: 4 }), (a, added) => {
      const nodes = new Nodes()
      const [from, to] = [nodes.build(a).root, nodes.build(arrange([...added, ...a])).root]
      assert.equal(changesTo(nodes, from, to), [...diffTrees(nodes.read, from, to)])
      assert.equal(changesTo(nodes, to, from), [...diffTrees(nodes.read, to, from)])
    }),
    { numRuns: 60 },
  )
})

test('what is wrong with a tree is found although most of it is stepped over', () => {
  let refused = 0
  let taken = 0
  fc.assert(
    fc.property(anyEntries, fc.array(mischief, { minLength: 1, maxLength: 2 }), (a, tricks) => {
      const nodes = new Nodes()
      const from = nodes.build(a).root
      const to = tricked(nodes, from, tricks)
      const whole = readAll(nodes, to)
      const changes = changesTo(nodes, from, to)
      assert.is(changes === undefined, whole === undefined)
      if (whole === undefined) refused++
      else taken++
      if (whole !== undefined) assert.equal(changes, [...diffTrees(nodes.read, from, to)])
    }),
    { numRuns: 600 },
  )
  assert.ok(refused > 10 && taken > 10, `${refused} refused, ${taken} taken`)
})

test('a path below a file that was stepped over is found', () => {
  const nodes = new Nodes()
  const last = findKey('a.', [0])
  const first = leafOf(nodes, [file('a'), file(last)])
  const from = rootOf(nodes, [first, leafOf(nodes, [file('b')])])
  const to = rootOf(nodes, [first, leafOf(nodes, [file(findKey('a/', [])), file('b')])])
  assert.ok(readAll(nodes, from) !== undefined)
  assert.is(readAll(nodes, to), undefined)
  assert.is(changesTo(nodes, from, to), undefined)
})

test('a leaf that follows other keys than before, or is the last no more, is looked into', () => {
  const nodes = new Nodes()
  const [early, late] = [findKey('d', [0]), findKey('f', [0])]
  const tail = leafOf(nodes, [file('x'), file('y')])
  const one = leafOf(nodes, [file('c'), file(early)])
  const over = leafOf(nodes, [file('c'), file(`x${findKey('', [])}`), file(findKey('z', [0]))])
  const from = rootOf(nodes, [one, tail])
  for (const to of [
    rootOf(nodes, [over, tail]),
    rootOf(nodes, [one, tail, leafOf(nodes, [file('z')])]),
    rootOf(nodes, [tail, one]),
    rootOf(nodes, [one, one, tail]),
    rootOf(nodes, [one, leafOf(nodes, [file('x'), file(late)]), tail]),
  ]) {
    assert.is(changesTo(nodes, from, to), undefined)
    assert.is(readAll(nodes, to), undefined)
  }
})

test('a change in a large tree reads what lies around it', () => {
  const nodes = new Nodes()
  const a = Array.from({ length: 50_000 }, (_, i) =>
    bigFile(`d/${String(i).padStart(6, '0')}`, 7000),
  )
  const from = nodes.build(a).root
  const b = a.map((entry, i) => (i === 31_000 ? bigFile(entry.path, 7001, 'other') : entry))
  const to = nodes.build([...b.slice(0, 200), bigFile('d/000199x', 70), ...b.slice(200)]).root
  nodes.reads = 0
  assert.is(changesTo(nodes, from, to)?.length, 2)
  assert.ok(nodes.reads < 30, `${nodes.reads} nodes read`)
})

test.run()

interface Leaf {
  readonly key: string
  readonly id: ObjectId
}

/** What is done to the leaf with this number, counted around. */
type Mischief = { readonly leaf: number } & (
  | { readonly kind: 'drop' | 'repeat' | 'swap' | 'lie' }
  | { readonly kind: 'add'; readonly entry: Entry }
  | { readonly kind: 'below'; readonly number: number }
)

const mischief: fc.Arbitrary<Mischief> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      leaf: fc.nat(30),
      kind: fc.constantFrom('drop' as const, 'repeat' as const, 'swap' as const, 'lie' as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ leaf: fc.nat(30), kind: fc.constant('add' as const), entry: anyEntry }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      leaf: fc.nat(30),
      kind: fc.constant('below' as const),
      number: fc.nat(30),
    }),
  },
)

/** The tree with its leaves meddled with, and with whatever levels come out of it. */
function tricked(nodes: Nodes, root: ObjectId, tricks: readonly Mischief[]): ObjectId {
  const leaves = leavesOf(nodes, root)
  for (const trick of tricks) {
    const at = leaves.length === 0 ? 0 : trick.leaf % leaves.length
    const leaf = leaves[at]
    if (leaf === undefined) continue
    const held = leafEntries(nodes, leaf.id)
    switch (trick.kind) {
      case 'drop':
        if (leaves.length > 1) leaves.splice(at, 1)
        break
      case 'repeat':
        leaves.splice(at, 0, leaf)
        break
      case 'swap':
        leaves.splice(at, 2, ...leaves.slice(at, at + 2).reverse())
        break
      case 'lie':
        leaves[at] = { ...leaf, key: `${leaf.key}x` }
        break
      case 'add': {
        const behind = leaves.findIndex(({ key }) => !isBefore(key, trick.entry.path))
        const into = behind < 0 ? leaves.length - 1 : behind
        const other = leaves[into] ?? leaf
        leaves[into] = leafOf(nodes, sorted([...leafEntries(nodes, other.id), trick.entry]))
        break
      }
      case 'below': {
        const above = held[trick.number % Math.max(1, held.length)]
        if (above === undefined) break
        // Into the leaf after it, where the entry itself is out of sight.
        const next = leaves[at + 1]
        const into = next === undefined ? held : leafEntries(nodes, next.id)
        const made = leafOf(nodes, sorted([...into, file(`${above.path}/x`)]))
        leaves[next === undefined ? at : at + 1] = made
      }
    }
  }
  return rootOf(nodes, leaves)
}

function sorted(all: readonly Entry[]): Entry[] {
  const byPath = new Map(all.map((entry) => [entry.path, entry]))
  return [...byPath.values()].sort((a, b) => (isBefore(a.path, b.path) ? -1 : 1))
}

function isBefore(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0
}

function leafOf(nodes: Nodes, held: readonly Entry[]): Leaf {
  const bytes = encodeNode(0, held.map(itemOf))
  const id = nodeId(bytes)
  nodes.map.set(id, bytes)
  leafContents.set(id, held)
  return { key: held.at(-1)?.path ?? '', id }
}

const leafContents = new Map<ObjectId, readonly Entry[]>()

function leafEntries(nodes: Nodes, id: ObjectId): readonly Entry[] {
  const known = leafContents.get(id)
  if (known !== undefined) return known
  // The last of a level may be read by itself; others have a natural end.
  return [...entries(nodes.read, id)]
}

function leavesOf(nodes: Nodes, root: ObjectId): Leaf[] {
  const leaves: Leaf[] = []
  const walk = (id: ObjectId): void => {
    const bytes = nodes.map.get(id) as Buffer
    if (bytes[0] === 0) {
      const held = leafEntries(nodes, id)
      leaves.push({ key: held.at(-1)?.path ?? '', id })
      return
    }
    for (const child of childrenOf(Buffer.from(bytes))) walk(child)
  }
  walk(root)
  return leaves
}

/** The ids in an inner node, without a look at the keys. */
function childrenOf(bytes: Buffer): ObjectId[] {
  let at = 1
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] as number
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
  }
  return Array.from({ length: varint() }, () => {
    varint()
    const length = varint()
    at += length + 32
    return bytes.toString('hex', at - 32, at) as ObjectId
  })
}

/** One level above the leaves; a leaf alone is its own root. */
function rootOf(nodes: Nodes, leaves: readonly Leaf[]): ObjectId {
  const [only] = leaves
  if (only !== undefined && leaves.length === 1) return only.id
  const bytes = encodeNode(
    1,
    leaves.map(({ key, id }) => ({ key, content: Buffer.from(id, 'hex') })),
  )
  nodes.map.set(nodeId(bytes), bytes)
  return nodeId(bytes)
}

function readAll(nodes: Nodes, root: ObjectId): Entry[] | undefined {
  return unlessDamaged(() => [...entries(nodes.read, root)])
}

function changesTo(
  nodes: Nodes,
  from: ObjectId,
  to: ObjectId,
): ReturnType<typeof diffTrees> extends Generator<infer Change> ? Change[] | undefined : never {
  return unlessDamaged(() => [...diffFromWhole(nodes.read, from, nodes.read, to)])
}

function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_DAMAGED') return undefined
    throw error
  }
}
