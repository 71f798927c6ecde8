import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { entries, lookup } from '../../../src/store/tree/cursor.ts'
import type { Entry, ObjectId } from '../../../src/types.ts'
import { throwsCode } from '../../support/rejects.ts'
import { encodeNode, findKey, itemOf, nodeId } from './plain-tree.ts'
import { file, Nodes } from './trees.ts'

const test = suite('cursor in damaged trees')

const firstEnd = findKey('b', [0])
const secondEnd = findKey('d', [0])
const innerEnd = findKey('b', [0, 1])

function paths(found: Iterable<Entry>): string[] {
  return Array.from(found, ({ path }) => path)
}

/** Stores a leaf as it is given, right or wrong. */
function leaf(nodes: Nodes, ...keys: string[]): ObjectId {
  return put(
    nodes,
    encodeNode(
      0,
      keys.map((key) => itemOf(file(key))),
    ),
  )
}

/** Stores a node of children with the keys that are claimed for them. */
function inner(nodes: Nodes, level: number, ...children: [string, ObjectId][]): ObjectId {
  const items = children.map(([key, id]) => ({ key, content: Buffer.from(id, 'hex') }))
  return put(nodes, encodeNode(level, items))
}

function put(nodes: Nodes, bytes: Buffer): ObjectId {
  const id = nodeId(bytes)
  nodes.map.set(id, bytes)
  return id
}

function refuses(nodes: Nodes, root: ObjectId, reason: string): void {
  const error = throwsCode(() => [...entries(nodes.read, root)], 'ERR_DAMAGED')
  assert.ok(error.message.includes(reason), error.message)
}

test('a tree put together by hand is read', () => {
  const nodes = new Nodes()
  const children: [string, ObjectId][] = [
    [firstEnd, leaf(nodes, 'a', firstEnd)],
    [secondEnd, leaf(nodes, 'c', secondEnd)],
    ['e', leaf(nodes, 'e')],
  ]
  const root = inner(nodes, 1, ...children)
  assert.equal(paths(entries(nodes.read, root)), ['a', firstEnd, 'c', secondEnd, 'e'])
})

test('a child whose last key is not the one its parent gives is refused', () => {
  const nodes = new Nodes()
  const good = leaf(nodes, 'a', firstEnd)
  refuses(nodes, inner(nodes, 1, [firstEnd, good], ['z', leaf(nodes, 'c', 'd')]), 'last key')
  refuses(nodes, inner(nodes, 1, ['b', good], ['z', leaf(nodes, 'z')]), 'last key')
})

test('a child of another level is refused', () => {
  const nodes = new Nodes()
  const low = leaf(nodes, 'a', innerEnd)
  const middle = inner(nodes, 1, [innerEnd, low])
  const last = leaf(nodes, 'z')
  const lastMiddle = inner(nodes, 1, ['z', last])
  assert.equal(paths(entries(nodes.read, inner(nodes, 2, [innerEnd, middle], ['z', lastMiddle]))), [
    'a',
    innerEnd,
    'z',
  ])
  refuses(nodes, inner(nodes, 2, [innerEnd, low], ['z', lastMiddle]), 'another level')
  refuses(nodes, inner(nodes, 2, [innerEnd, middle], ['z', last]), 'another level')
  refuses(nodes, inner(nodes, 3, [innerEnd, middle], ['z', lastMiddle]), 'another level')
  const wide = inner(nodes, 1, [secondEnd, leaf(nodes, secondEnd)], ['z', last])
  refuses(nodes, inner(nodes, 1, [firstEnd, leaf(nodes, firstEnd)], ['z', wide]), 'another level')
})

test('keys that fall from one node to the next are refused, at every level', () => {
  const nodes = new Nodes()
  const good = leaf(nodes, 'a', firstEnd)
  refuses(nodes, inner(nodes, 1, [firstEnd, good], ['e', leaf(nodes, 'a', 'e')]), 'do not grow')
  refuses(nodes, inner(nodes, 1, [firstEnd, good], ['e', leaf(nodes, firstEnd, 'e')]), 'not grow')
  const left = inner(nodes, 1, [innerEnd, leaf(nodes, 'a', innerEnd)])
  const before = findKey('a', [0])
  const right = inner(nodes, 1, [before, leaf(nodes, before)], ['e', leaf(nodes, 'e')])
  const root = inner(nodes, 2, [innerEnd, left], ['e', right])
  refuses(nodes, root, `node "${right}" is not as it was written: its keys do not grow`)
})

test('a node that ends early is refused unless it is the last of its level', () => {
  const nodes = new Nodes()
  const early = leaf(nodes, 'a')
  const root = inner(nodes, 1, ['a', early], ['c', leaf(nodes, 'c')])
  refuses(nodes, root, 'ends where it should not')
  const left = inner(nodes, 1, [firstEnd, leaf(nodes, 'a', firstEnd)])
  const right = inner(nodes, 1, ['z', leaf(nodes, 'z')])
  refuses(nodes, inner(nodes, 2, [firstEnd, left], ['z', right]), 'ends where it should not')
  const odd = findKey('b', [1])
  const half = inner(nodes, 1, [odd, leaf(nodes, 'a', odd)])
  refuses(nodes, inner(nodes, 2, [odd, half], ['z', right]), 'ends where it should not')
  const inside = inner(nodes, 1, ['a', early], [innerEnd, leaf(nodes, innerEnd)])
  refuses(nodes, inner(nodes, 2, [innerEnd, inside], ['z', right]), 'ends where it should not')
})

test('a first key that builds on the node before is refused', () => {
  const nodes = new Nodes()
  const item = { ...itemOf(file(`${firstEnd}!`)), shared: firstEnd.length }
  const hostile = put(nodes, encodeNode(0, [item]))
  const first = leaf(nodes, 'a', firstEnd)
  const root = inner(nodes, 1, [firstEnd, first], [`${firstEnd}!`, hostile])
  refuses(nodes, root, 'shares more than there is')
})

test('an empty node, or a root with one child, is refused', () => {
  const nodes = new Nodes()
  const good = leaf(nodes, 'a', firstEnd)
  refuses(nodes, inner(nodes, 1, [firstEnd, good], ['z', leaf(nodes)]), 'it is empty')
  refuses(nodes, inner(nodes, 1, [firstEnd, good]), 'single child')
  assert.equal(paths(entries(nodes.read, leaf(nodes))), [])
})

test('a path below an entry of another node is refused', () => {
  const nodes = new Nodes()
  const end = findKey('a.', [0])
  const between = findKey('a-', [0])
  const first = leaf(nodes, 'a', between)
  refuses(nodes, inner(nodes, 1, [between, first], ['a/b', leaf(nodes, 'a/b')]), 'below another')
  const second = leaf(nodes, end)
  const last = leaf(nodes, 'a/b', 'c')
  refuses(nodes, inner(nodes, 1, [between, first], [end, second], ['c', last]), 'below another')
})

test('keys that fall are refused also when the node before was stepped over unread', () => {
  const nodes = new Nodes()
  const good = leaf(nodes, 'a', firstEnd)
  const root = inner(nodes, 1, [firstEnd, good], ['e', leaf(nodes, 'aa', 'e')])
  throwsCode(() => lookup(nodes.read, root, 'e'), 'ERR_DAMAGED')
  const between = findKey('a.', [0])
  const below = inner(nodes, 1, ['e', leaf(nodes, between, 'e')])
  const left = inner(nodes, 1, [innerEnd, leaf(nodes, 'a', innerEnd)])
  throwsCode(
    () => lookup(nodes.read, inner(nodes, 2, [innerEnd, left], ['e', below]), 'e'),
    'ERR_DAMAGED',
  )
})

test.run()
