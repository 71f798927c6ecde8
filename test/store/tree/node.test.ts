import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type DecodeOptions, decodeNode, type TreeNode } from '../../../src/store/tree/node.ts'
import { throwsCode } from '../../support/rejects.ts'
import {
  encodeNode,
  findKey,
  type Item,
  itemOf,
  naturalEnd,
  nodeId,
  sha256,
  varint,
} from './plain-tree.ts'
import { anyEntries, file, heavy } from './trees.ts'

const test = suite('node')

const ending = findKey('e', [0])
const innerEnding = findKey('i', [1])
const content = Buffer.from([0, 1, 0x78])
const child = Buffer.from(sha256('child'), 'hex')

function leaf(...keys: (string | Buffer)[]): Item[] {
  return keys.map((key) => ({ key, content }))
}

function inner(...keys: string[]): Item[] {
  return keys.map((key) => ({ key, content: child }))
}

function refuses(bytes: Buffer, reason: string, options: Partial<DecodeOptions> = {}): void {
  const error = throwsCode(() => decodeNode(bytes, { last: true, ...options }), 'ERR_DAMAGED')
  assert.ok(error.message.includes(reason), `${error.message} / ${reason}`)
}

test('a leaf and an inner node are decoded', () => {
  assert.equal(decodeNode(encodeNode(0, leaf('a', 'a.b', 'b/c')), { last: true }), {
    level: 0,
    entries: [file('a', 'x'), file('a.b', 'x'), file('b/c', 'x')],
  })
  const id = child.toString('hex')
  assert.equal(decodeNode(encodeNode(3, inner('é', 'ê/x')), { last: true }) as TreeNode, {
    level: 3,
    children: [
      { key: 'é', id },
      { key: 'ê/x', id },
    ],
  })
})

test('an empty leaf is a root and nothing else', () => {
  const empty = encodeNode(0, [])
  assert.equal(decodeNode(empty, { last: true, root: true }), { level: 0, entries: [] })
  refuses(empty, 'empty')
  refuses(encodeNode(1, []), 'empty', { root: true })
})

test('a root has more than one child', () => {
  refuses(encodeNode(1, inner('a')), 'single child', { root: true })
  decodeNode(encodeNode(1, inner('a')), { last: true })
  decodeNode(encodeNode(0, leaf('a')), { last: true, root: true })
})

test('a message names the node', () => {
  const bytes = encodeNode(0, leaf('b', 'a'))
  const id = nodeId(bytes)
  refuses(bytes, `node "${id}" is not as it was written`, { id })
})

for (const [what, bytes] of [
  ['ends too early', Buffer.alloc(0)],
  ['its level is 12', encodeNode(12, inner('a', 'b'))],
  ['its level is 255', encodeNode(255, inner('a', 'b'))],
  ['too short for 1000000000 items', encodeNode(0, leaf('a'), 1e9)],
  ['too short for 9007199254740991 items', encodeNode(1, inner('a'), Number.MAX_SAFE_INTEGER)],
  ['too short for 2 items', encodeNode(1, inner('a'), 2)],
  ['bytes are left over', encodeNode(0, leaf('a', 'b'), 1)],
  ['bytes are left over', Buffer.concat([encodeNode(0, leaf('a')), Buffer.alloc(1)])],
  ['ends too early', encodeNode(0, leaf('abc', 'abd')).subarray(0, -1)],
  ['do not grow', encodeNode(0, leaf('b', 'a'))],
  ['do not grow', encodeNode(0, leaf('a', 'a'))],
  ['do not grow', encodeNode(0, leaf('ab', 'a'))],
  ['do not grow', encodeNode(1, inner('\u{10000}', '\uffff'))],
  ['do not grow', encodeNode(0, leaf('a', ''))],
  ['shares more than there is', encodeNode(0, [{ key: 'aa', content, shared: 1 }])],
  ['shares more than there is', encodeNode(0, [...leaf('a'), { key: 'bbb', content, shared: 2 }])],
  ['shares less than it could', encodeNode(0, [...leaf('ab'), { key: 'ac', content, shared: 0 }])],
  ['do not grow', encodeNode(0, [...leaf('ab'), { key: 'xa', content, shared: 1 }])],
  ['below another entry', encodeNode(0, leaf('a', 'a/b'))],
  ['below another entry', encodeNode(0, leaf('a', 'a.b', 'a/b'))],
  ['below another entry', encodeNode(2, inner('a', 'a.b', 'a/b'))],
  ['do not grow', encodeNode(0, leaf(''))],
  ['absolute', encodeNode(0, leaf('/a'))],
  ['part ".."', encodeNode(0, leaf('a', 'b/..', 'c'))],
  ['part ".."', encodeNode(0, leaf('a', 'b/../c/d'))],
  ['part ".."', encodeNode(1, inner('a', 'b/..', 'c'))],
  ['part ".git"', encodeNode(0, leaf('a/.fit', 'a/.gIt'))],
  ['part ".git"', encodeNode(0, leaf('a/.giss', 'a/.git'))],
  ['an empty part', encodeNode(0, leaf('a/', 'b'))],
  ['NUL', encodeNode(0, leaf('a\0'))],
  ['not valid UTF-8', encodeNode(0, leaf(Buffer.from([0xff])))],
  ['not valid UTF-8', encodeNode(0, leaf('é', Buffer.from([0xc3, 0xff])))],
  ['too long', encodeNode(0, leaf('a/'.repeat(2049)))],
  ['too long', Buffer.concat([Buffer.from([0, 1, 0]), varint(2 ** 53 - 1), Buffer.alloc(50)])],
  ['shortest form', Buffer.from([0, 0x81, 0, 0, 1, 0x61, 0, 0])],
  ['shortest form', Buffer.from([0, 1, 0x80, 0, 1, 0x61, 0, 0])],
  ['unknown kind', encodeNode(0, [{ key: 'a', content: Buffer.from([9]) }])],
  ['too short', encodeNode(1, leaf('a'))],
] as const) {
  test(`a node is refused: ${what} (${bytes.toString('hex', 0, 12)})`, () => {
    refuses(bytes, what)
  })
}

test('a node must go on to its natural end unless it is the last of its level', () => {
  decodeNode(encodeNode(0, leaf('a', ending)), { last: false })
  decodeNode(encodeNode(0, leaf('a', ending)), { last: true })
  decodeNode(encodeNode(1, inner('a', innerEnding)), { last: false })
  refuses(encodeNode(0, leaf('a', 'b')), 'ends where it should not', { last: false })
  refuses(encodeNode(1, inner('a', ending)), 'ends where it should not', { last: false })
})

test('a node must not go on behind its natural end', () => {
  refuses(encodeNode(0, leaf('a', ending, 'z')), 'should have ended')
  refuses(encodeNode(1, inner('a', innerEnding, 'z')), 'should have ended')
  decodeNode(encodeNode(1, inner('a', ending, 'z')), { last: true })
})

test('a node must end with the entry that brings it to 131,072 bytes', () => {
  const behind = leaf('zz')
  decodeNode(encodeNode(0, heavy(4096).map(itemOf)), { last: false })
  refuses(encodeNode(0, heavy(4095).map(itemOf)), 'ends where it should not', { last: false })
  refuses(encodeNode(0, [...heavy(4096).map(itemOf), ...behind]), 'should have ended')
  decodeNode(encodeNode(0, [...heavy(4095).map(itemOf), ...behind]), { last: false })
})

test('whatever one byte is changed to, a node is refused or says something else', () => {
  fc.assert(
    fc.property(anyEntries, fc.nat(), fc.integer({ min: 1, max: 255 }), (entries, at, bits) => {
      const end = entries.findIndex(({ path }) => naturalEnd(path, 0))
      const bytes = encodeNode(0, entries.slice(0, end < 0 ? undefined : end + 1).map(itemOf))
      const options = { last: true, root: true }
      const before = JSON.stringify(decodeNode(bytes, options))
      const changed = Buffer.from(bytes)
      changed[at % bytes.length] = (changed[at % bytes.length] as number) ^ bits
      let after: string | undefined
      try {
        after = JSON.stringify(decodeNode(changed, options))
      } catch (error) {
        throwsCode(() => {
          throw error
        }, 'ERR_DAMAGED')
      }
      assert.is.not(after, before)
    }),
    { numRuns: 500 },
  )
})

test('random bytes are refused with nothing but damage', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 3, maxLength: 60 }), fc.nat(1), (noise, level) => {
      noise[0] = level
      noise[1] = 1 + ((noise[1] as number) % 4)
      throwsCode(() => decodeNode(noise, { last: false }), 'ERR_DAMAGED')
    }),
    { numRuns: 1000 },
  )
})

test.run()
