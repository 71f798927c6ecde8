import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteReader } from '../../../src/store/tree/bytes.ts'
import {
  entrySize,
  equalEntries,
  MAX_CONTENT,
  readContent,
  writeContent,
} from '../../../src/store/tree/entry.ts'
import type { Entry, EntryPath, FileEntry, ObjectId } from '../../../src/types.ts'
import { throwsCode } from '../../support/rejects.ts'
import { itemOf, sha256 } from './plain-tree.ts'
import { anyEntry, bigFile, directory, file, reference, symlink } from './trees.ts'

const test = suite('entry')

const path = 'a/b' as EntryPath
const id = Buffer.from(sha256('x'), 'hex')

function encode(entry: Entry): Buffer {
  const bytes = Buffer.alloc(MAX_CONTENT + 1, 0xee)
  const end = writeContent(entry, bytes, 1)
  assert.is(bytes[0], 0xee)
  return bytes.subarray(1, end)
}

function decode(...parts: readonly (Buffer | readonly number[])[]): Entry {
  const reader = new ByteReader(Buffer.concat(parts.map((part) => Buffer.from(part))), 'node "1"')
  const entry = readContent(reader, path)
  assert.is(reader.rest, 0)
  return entry
}

test('every entry is encoded as the format says and decoded again', () => {
  fc.assert(
    fc.property(anyEntry, (entry) => {
      const bytes = encode(entry)
      assert.equal(bytes, itemOf(entry).content)
      assert.equal(readContent(new ByteReader(bytes, 'x'), entry.path), entry)
    }),
    { numRuns: 300 },
  )
})

test('the longest contents fit', () => {
  assert.is(encode(symlink(path, 't'.repeat(4096))).length, 4099)
  const room = 65_536 - (encode(reference(path, 's')).length - 2) + 1
  assert.is(encode(reference(path, 's'.repeat(room))).length, MAX_CONTENT)
  const error = throwsCode(() => encode(reference(path, 's'.repeat(room + 1))), 'ERR_UNSUPPORTED')
  assert.is(error.message, 'reference "a/b" cannot be stored: it takes more than 65536 bytes')
})

test('sizes at the edges of their kinds are kept, those beyond are refused', () => {
  const withSize = (kind: number, size: readonly number[]): Entry => decode([kind], size, id)
  assert.is((withSize(1, [65]) as FileEntry).size, 65)
  assert.is((withSize(1, [0x80, 0x80, 0x10]) as FileEntry).size, 262_144)
  assert.is((withSize(2, [0x81, 0x80, 0x10]) as FileEntry).size, 262_145)
  for (const [kind, size] of [
    [1, [64]],
    [1, [0]],
    [1, [0x81, 0x80, 0x10]],
    [2, [0x80, 0x80, 0x10]],
    [2, [1]],
  ] as const) {
    assert.match(throwsCode(() => withSize(kind, size), 'ERR_DAMAGED').message, /wrong size/)
  }
  assert.is((decode([0, 64], Buffer.alloc(64)) as FileEntry).size, 64)
  assert.match(
    throwsCode(() => decode([0, 65], Buffer.alloc(65)), 'ERR_DAMAGED').message,
    '65 bytes where 64 are allowed',
  )
})

for (const [what, ...parts] of [
  ['unknown kind 6', [6]],
  ['unknown kind 127', [0x7f]],
  ['not a file is executable', [0x83, 1, 0x61]],
  ['not a file is executable', [0x84]],
  ['not a file is executable', [0x85, 0]],
  ['ends too early', [0, 3, 1, 2]],
  ['ends too early', [1, 65], id.subarray(1)],
  ['ends too early', [3, 5, 0x61]],
  ['ends too early', []],
  ['target is empty', [3, 0]],
  ['holds a NUL', [3, 3, 0x61, 0, 0x61]],
  ['not valid UTF-8', [3, 1, 0xff]],
  ['4097 bytes where 4096 are allowed', [3, 0x81, 0x20], Buffer.alloc(4097, 0x61)],
  ['65537 bytes where 65536 are allowed', [5, 0x81, 0x80, 4], Buffer.alloc(65_537, 0x61)],
  ['not canonical', [5, 2], Buffer.from('{}')],
  ['not valid UTF-8', [5, 1, 0xff]],
  ['not canonical', [5, 4], Buffer.from('null')],
  ['shortest form', [0, 0x83, 0, 1, 2, 3]],
] as const) {
  test(`content is refused: ${what} (${Buffer.concat(parts.map((p) => Buffer.from(p))).toString('hex', 0, 8)})`, () => {
    const error = throwsCode(() => decode(...parts), 'ERR_DAMAGED')
    assert.ok(error.message.includes(what), error.message)
  })
}

test('decoded inline bytes do not change with the buffer they came from', () => {
  const buffer = Buffer.from([0, 2, 5, 6])
  const entry = readContent(new ByteReader(buffer, 'x'), path) as FileEntry
  buffer.fill(0)
  assert.equal(entry.content, { kind: 'inline', bytes: new Uint8Array([5, 6]) })
})

test('targets that no entry can hold are refused by path', () => {
  for (const [target, rule] of [
    ['', 'its target is empty'],
    ['a\0', 'its target holds a NUL'],
    ['é'.repeat(2049), 'its target is longer than 4096 bytes'],
    ['\ud800', 'its target is not valid UTF-8'],
  ] as const) {
    const error = throwsCode(() => encode(symlink(path, target)), 'ERR_UNSUPPORTED')
    assert.is(error.message, `symlink "a/b" cannot be stored: ${rule}`)
  }
})

test('entries that contradict themselves are mistakes of the program', () => {
  const bytes = new Uint8Array(3)
  for (const wrong of [
    { ...file(path), size: 5 },
    { ...file(path), size: 65, content: { kind: 'inline', bytes: new Uint8Array(65) } },
    bigFile(path, 64),
    { ...bigFile(path, 100), size: 262_145 },
    { ...bigFile(path, 300_000), size: 262_144 },
    { ...bigFile(path, 300_000), size: 2 ** 53 },
    { ...bigFile(path, 300_000), size: 300_000.5 },
    { ...bigFile(path, 100), content: { kind: 'chunk', id: 'abc' as ObjectId } },
    { ...bigFile(path, 100), content: { kind: 'chunk', id: 'x'.repeat(64) as ObjectId } },
  ] as Entry[]) {
    assert.throws(
      () => encode(wrong),
      (error: unknown) => error instanceof TypeError,
    )
  }
  assert.equal(encode({ ...file(path), size: 3, content: { kind: 'inline', bytes } }).length, 5)
})

test('equal means the same content, whatever the path', () => {
  const entries: Entry[] = [
    file('a', ''),
    file('a', 'x'),
    file('a', 'x', true),
    bigFile('a', 100, 'one'),
    bigFile('a', 100, 'two'),
    { ...bigFile('a', 100, 'one'), executable: true },
    bigFile('a', 300_000, 'one'),
    symlink('a', 'x'),
    symlink('a', 'y'),
    directory('a'),
    reference('a', 'x'),
    reference('a', 'y'),
  ]
  for (const [i, a] of entries.entries()) {
    for (const [j, b] of entries.entries()) {
      assert.is(equalEntries(a, { ...structuredClone(b), path: 'b' as EntryPath }), i === j)
    }
  }
})

test('an entry adds its size, the length of its target, or what its source says', () => {
  assert.is(entrySize(file('a', 'xyz')), 3)
  assert.is(entrySize(bigFile('a', 300_000)), 300_000)
  assert.is(entrySize(symlink('a', 'é')), 2)
  assert.is(entrySize(directory('a')), 0)
  const remote = reference('a', 'x')
  assert.is(entrySize(remote), 0)
  assert.is(entrySize({ ...remote, reference: { ...remote.reference, size: 9 } }), 9)
})

test.run()
