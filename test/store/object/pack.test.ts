import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { Codec } from '../../../src/store/object/compression.ts'
import { CHUNK, NODE, VERSION } from '../../../src/store/object/id.ts'
import {
  codecOf,
  decodeRecordHeader,
  decodeTable,
  decodeTrailer,
  encodeEntry,
  encodeRecordHeader,
  encodeTrailer,
  entryOffset,
  kindOf,
  MAX_PACK_BYTES,
  type PackEntry,
  packId,
  recordType,
  tableEntries,
} from '../../../src/store/object/pack.ts'
import { throwsCode } from '../../support/rejects.ts'

const test = suite('pack')

test('a record header is laid out as the format says', () => {
  const bytes = Buffer.alloc(12)
  encodeRecordHeader({ type: recordType(NODE, Codec.brotli), stored: 258, raw: 0x10203 }, bytes, 1)
  assert.is(bytes.toString('hex'), '00a721020100000302010000')
  assert.equal(decodeRecordHeader(bytes, 1), { type: 0x21, stored: 258, raw: 0x10203 })
})

test('a type is a kind and a codec', () => {
  const type = recordType(VERSION, Codec.zstd)
  assert.equal([type, kindOf(type), codecOf(type)], [0x32, VERSION, Codec.zstd])
})

test('where no record can be, none is read', () => {
  const cases: [string, string][] = [
    ['another mark', 'a8010100000001000000'],
    ['an unknown kind', 'a7410100000001000000'],
    ['lengths that differ without a codec', 'a7000100000002000000'],
    ['a chunk over 2 MiB', 'a7010100000001002000'],
    ['a payload over 2 MiB', 'a7010100200001000000'],
    ['a node over 4 MiB', 'a7210100000001004000'],
    ['a header cut off', 'a70101000000010000'],
  ]
  for (const [what, hex] of cases) {
    assert.is(decodeRecordHeader(Buffer.from(hex, 'hex')), undefined, what)
  }
  assert.ok(decodeRecordHeader(Buffer.from('a7010000200000002000', 'hex')), 'a chunk of 2 MiB')
  assert.ok(decodeRecordHeader(Buffer.from('a7210000400000004000', 'hex')), 'a node of 4 MiB')
})

test('a table is laid out as the format says', () => {
  const table = encodeTable([{ ...entry(0xab, 8), checksum: 0x0102030405060708n }], 5)
  const layout = `0500000001000000${'ab'.repeat(32)}080000000a0000000a000000000807060504030201`
  assert.is(table.toString('hex'), layout)
})

test('what stands in a table is read back', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(255), { minLength: 1, maxLength: 40 }), (firsts) => {
      const sorted = [...firsts].sort((a, b) => a - b)
      const entries = sorted.map((first) => entry(first, 8 + firsts.indexOf(first) * 20))
      const table = decodeTable(encodeTable(entries), 8 + firsts.length * 20, 'x')
      assert.equal(tableEntries(table), entries)
      assert.equal([table.salt, table.count], [0, firsts.length])
    }),
  )
})

test('a table in which anything contradicts is refused', () => {
  const good = encodeTable([entry(1, 8), entry(2, 28)])
  assert.is(decodeTable(good, 48, 'x').count, 2)
  const cases: [string, Buffer, RegExp][] = [
    ['nothing', Buffer.alloc(7), /nothing stands/],
    ['a count of more', withCount(good, 3), /3 entries/],
    ['a count beyond memory', withCount(good, 0xffffffff), /4294967295 entries/],
    ['a byte more', Buffer.concat([good, Buffer.alloc(1)]), /2 entries/],
    ['descending ids', encodeTable([entry(2, 8), entry(1, 28)]), /do not grow/],
    ['an id twice', encodeTable([entry(1, 8), entry(1, 28)]), /do not grow/],
    ['a record in the magic', encodeTable([entry(1, 7)]), /outside/],
    ['a record in the table', encodeTable([entry(1, 29)]), /outside/],
    ['an offset beyond the pack', encodeTable([entry(1, 0xffffffff)]), /outside/],
    ['records that overlap', encodeTable([entry(1, 8), entry(2, 27)]), /overlap/],
    ['one record twice', encodeTable([entry(1, 8), entry(2, 8)]), /overlap/],
    ['a record within another', encodeTable([entry(1, 8), entry(2, 10, 1)]), /overlap/],
    ['an unknown kind', encodeTable([{ ...entry(1, 8), type: 0x40 }]), /lengths/],
    ['a chunk over 2 MiB', encodeTable([{ ...entry(1, 8), raw: 2 ** 21 + 1, type: 1 }]), /lengths/],
    ['an object of other length than stored', encodeTable([{ ...entry(1, 8), raw: 9 }]), /lengths/],
  ]
  for (const [what, table, message] of cases) {
    const error = throwsCode(() => decodeTable(table, 48, 'Pack "x"'), 'ERR_DAMAGED')
    assert.match(error.message, message, what)
    assert.match(error.message, /^Pack "x"/)
  }
})

test('records may lie apart, and in any order', () => {
  const table = encodeTable([entry(1, 500), entry(2, 8), entry(3, 300)])
  assert.is(decodeTable(table, 1_000, 'x').count, 3)
})

test('a trailer is laid out as the format says', async () => {
  await loadHashes()
  const trailer = encodeTrailer(0x010203, Buffer.from('abc'))
  assert.is(
    trailer.toString('hex'),
    '03020100' + '03000000' + '990977adf52cbc44' + '41525450454e4431',
  )
})

test('a trailer that does not fit its pack is refused', async () => {
  await loadHashes()
  const table = encodeTable([entry(1, 8)])
  const trailer = encodeTrailer(28, table)
  const bytes = 28 + table.length + 24
  assert.equal(decodeTrailer(trailer, bytes, 'x').tableOffset, 28)
  const beyond = encodeTrailer(MAX_PACK_BYTES, table)
  const cases: [string, Buffer, number][] = [
    ['a longer pack', trailer, bytes + 1],
    ['a shorter pack', trailer, bytes - 1],
    ['a table in the magic', encodeTrailer(7, table), 7 + table.length + 24],
    ['a table without a count', encodeTrailer(28, Buffer.alloc(7)), 28 + 7 + 24],
    ['a pack over 64 MiB', beyond, MAX_PACK_BYTES + table.length + 24],
    ['another end', Buffer.concat([trailer.subarray(0, 23), Buffer.from('2')]), bytes],
    ['an end cut off', trailer.subarray(1), bytes],
  ]
  for (const [what, end, packBytes] of cases) {
    assert.ok(
      throwsCode(() => decodeTrailer(end, packBytes, 'x'), 'ERR_DAMAGED'),
      what,
    )
  }
})

test('a pack is named by its table', () => {
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  assert.is(packId(Buffer.alloc(0)), empty)
})

/** A chunk whose id is this byte over and over; its record has 20 bytes unless `length` (of the payload) is given. */
function entry(id: number, offset: number, length = 10): PackEntry {
  const type = recordType(CHUNK, Codec.none)
  return { id: Buffer.alloc(32, id), offset, stored: length, raw: length, type, checksum: 1n }
}

/** A table with its entries in the order given. */
function encodeTable(entries: readonly PackEntry[], salt = 0): Buffer {
  const table = Buffer.alloc(entryOffset(entries.length))
  table.writeUInt32LE(salt, 0)
  table.writeUInt32LE(entries.length, 4)
  for (const [index, one] of entries.entries()) encodeEntry(one, table, entryOffset(index))
  return table
}

function withCount(table: Buffer, count: number): Buffer {
  const copy = Buffer.from(table)
  copy.writeUInt32LE(count, 4)
  return copy
}

test.run()
