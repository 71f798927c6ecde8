import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  idByTable,
  type Salvaged,
  type SalvageSources,
  salvagePack,
} from '../../../src/store/fsck/salvage-pack.ts'
import { createIo } from '../../../src/store/io/io.ts'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { compress } from '../../../src/store/object/compression.ts'
import { CHUNK, chunkHash } from '../../../src/store/object/id.ts'
import { type PackEntry, tableEntries } from '../../../src/store/object/pack.ts'
import { readTable } from '../../../src/store/object/pack-reader.ts'
import { PackWriter, publish } from '../../../src/store/object/pack-writer.ts'
import type { ObjectId } from '../../../src/types.ts'
import { seededRandom } from '../../support/random.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('salvage-pack')

interface Sample {
  readonly id: ObjectId
  readonly good: Buffer
  /** In the order of their records. */
  readonly entries: readonly PackEntry[]
  readonly toc: readonly [number, number]
  readonly path: string
}

/** Six chunks, the third and the last compressed. */
async function samplePack(directory: string, salts = 0): Promise<Sample> {
  await loadHashes()
  const random = seededRandom(3)
  const noise = (size: number): Buffer => random.bytes(size)
  const chunks = [noise(100), noise(300), Buffer.from(random.text(2000)), noise(50), noise(700)]
  chunks.push(Buffer.from(random.text(5000)))
  const io = createIo({ durability: 'process' })
  const writer = new PackWriter(io, join(directory, 'tmp'))
  for (const raw of chunks) {
    const { codec, bytes } = compress(raw, CHUNK)
    const id = chunkHash(raw)
    writer.append({ kind: CHUNK, id, codec, stored: bytes, rawLength: raw.length })
  }
  let left = salts
  const { id, toc } = await writer.finish(() => left-- > 0)
  const path = join(directory, `${id}.pack`)
  publish(io, join(directory, 'tmp'), path)
  const entries = tableEntries(readTable(path)).sort((a, b) => a.offset - b.offset)
  return { id: id as ObjectId, good: readFileSync(path), entries, toc, path }
}

function salvage(
  bytes: Uint8Array,
  { id }: Sample,
  sources: Partial<SalvageSources> = {},
): Salvaged {
  return salvagePack(Buffer.from(bytes), id, {
    toc: undefined,
    places: () => [],
    isWanted: () => false,
    duplicate: () => undefined,
    mayRestore: true,
    ...sources,
  })
}

/** Which of the sample's records were found. */
function found(sample: Sample, { records }: Salvaged): number[] {
  for (const { id, payload, offset } of records) {
    const entry = sample.entries.find((each) => each.id.equals(id)) as PackEntry
    assert.is(offset, entry.offset)
    assert.ok(payload.equals(sample.good.subarray(offset + 10, offset + 10 + entry.stored)))
  }
  return records.map(({ id }) => sample.entries.findIndex((entry) => entry.id.equals(id)))
}

function flipped(bytes: Uint8Array, ...places: readonly number[]): Buffer {
  const copy = Buffer.from(bytes)
  for (const at of places) copy[at] = (copy[at] as number) ^ 0x10
  return copy
}

test('a pack without table and trailer is put together again from its records', async () => {
  await using dir = await temporaryDirectory()
  for (const salts of [0, 1, 5]) {
    const sample = await samplePack(dir.path, salts)
    const cut = sample.good.subarray(0, sample.toc[0])
    assert.ok(salvage(cut, sample).whole?.equals(sample.good), `salt ${salts}`)
    // With bytes behind it that are nothing.
    const garbage = Buffer.concat([cut, Buffer.alloc(500, 'x')])
    assert.ok(salvage(garbage, sample).whole?.equals(sample.good))
  }
})

test('headers, magic and trailer are known from the table, wherever that is found', async () => {
  await using dir = await temporaryDirectory()
  const sample = await samplePack(dir.path)
  const { good, entries, toc } = sample
  const headers = entries.map(({ offset }) => offset)
  const damaged = flipped(good, 1, ...headers, ...headers.map((at) => at + 3))
  assert.ok(salvage(damaged, sample).whole?.equals(good))
  const trailer = good.length - 24
  const lost = flipped(damaged, trailer, trailer + 4, trailer + 9, trailer + 20)
  assert.is(salvage(lost, sample).whole, undefined)
  assert.ok(salvage(lost, sample, { toc }).whole?.equals(good))
  assert.ok(salvage(damaged.subarray(0, trailer), sample, { toc }).whole?.equals(good))
  assert.is(salvage(damaged, sample, { mayRestore: false }).whole, undefined)
})

test('a payload that changed is left out, the others are taken', async () => {
  await using dir = await temporaryDirectory()
  const sample = await samplePack(dir.path)
  const [, second, third] = sample.entries as [PackEntry, PackEntry, PackEntry]
  const damaged = flipped(sample.good, second.offset + 100, third.offset + 200)
  assert.equal(found(sample, salvage(damaged, sample)), [0, 3, 4, 5])
  // Without the table, what changed is an object too, which nobody knows.
  const walked = salvage(damaged.subarray(0, sample.toc[0]), sample)
  const known = walked.records.filter(({ id }) => sample.entries.some((each) => each.id.equals(id)))
  assert.equal(found(sample, { records: known }), [0, 3, 4, 5])
})

test('a payload is taken from the same record of another pack', async () => {
  await using dir = await temporaryDirectory()
  const sample = await samplePack(dir.path)
  const { good, entries } = sample
  const second = entries[1] as PackEntry
  const damaged = flipped(good, second.offset + 100)
  const payload = good.subarray(second.offset + 10, second.offset + 10 + second.stored)
  const duplicate = (entry: PackEntry): Buffer | undefined =>
    entry.id.equals(second.id) ? Buffer.from(payload) : undefined
  assert.ok(salvage(damaged, sample, { duplicate }).whole?.equals(good))
  const wrong = (): Buffer => flipped(payload, 0)
  assert.is(salvage(damaged, sample, { duplicate: wrong }).whole, undefined)
})

test('bits that mean nothing to the decoder are put right by compressing anew', async () => {
  await using dir = await temporaryDirectory()
  const sample = await samplePack(dir.path)
  const last = sample.entries[5] as PackEntry
  let harmless = 0
  for (let bit = 0; bit < 64; bit++) {
    const bytes = Buffer.from(sample.good)
    // A brotli stream begins with the size of its window.
    const at = last.offset + 10 + (bit >> 3)
    bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7))
    const salvaged = salvage(bytes, sample)
    if (salvaged.whole === undefined) assert.equal(found(sample, salvaged), [0, 1, 2, 3, 4])
    else harmless++
  }
  assert.ok(harmless > 0)
})

test('without the table, what lies behind a lost header is found by the index, or when it is needed', async () => {
  await using dir = await temporaryDirectory()
  const sample = await samplePack(dir.path)
  const { entries, good, toc } = sample
  const third = entries[2] as PackEntry
  const cut = flipped(good, third.offset, third.offset + 1).subarray(0, toc[0])
  assert.equal(found(sample, salvage(cut, sample)), [0, 1])
  const places = entries.map((entry) => ({
    ...entry,
    id: entry.id.toString('hex') as ObjectId,
  }))
  assert.equal(found(sample, salvage(cut, sample, { places: () => places })), [0, 1, 2, 3, 4, 5])
  const misplaced = places.map((place) => ({ ...place, offset: place.offset + 1 }))
  assert.equal(found(sample, salvage(cut, sample, { places: () => misplaced })), [0, 1])
  const wanted = entries[4] as PackEntry
  const isWanted = (id: Buffer): boolean => id.equals(wanted.id)
  assert.equal(found(sample, salvage(cut, sample, { isWanted })), [0, 1, 4])
})

test('nothing is made of nothing', async () => {
  await using dir = await temporaryDirectory()
  const sample = await samplePack(dir.path)
  const nothing = [
    Buffer.alloc(0),
    Buffer.alloc(9),
    Buffer.alloc(5000),
    seededRandom(8).bytes(50_000),
  ]
  for (const bytes of nothing) {
    const { whole, records } = salvage(bytes, sample, { toc: sample.toc, isWanted: () => true })
    assert.is(whole, undefined)
    assert.ok(records.every(({ id }) => !sample.entries.some((entry) => entry.id.equals(id))))
  }
})

test('a file says which pack it is, whatever it is called', async () => {
  await using dir = await temporaryDirectory()
  const sample = await samplePack(dir.path)
  assert.is(idByTable(sample.path), sample.id)
  assert.is(idByTable('/dev/null'), undefined)
})

test.run()
