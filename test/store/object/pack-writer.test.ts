import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { installFaults, watchCalls } from '../../../src/store/io/faults.ts'
import { createIo } from '../../../src/store/io/io.ts'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { Codec } from '../../../src/store/object/compression.ts'
import {
  CHUNK,
  chunkHash,
  NODE,
  objectHash,
  RECIPE,
  readId,
  VERSION,
} from '../../../src/store/object/id.ts'
import { MAX_PACK_BYTES, tableEntries, tableEntry } from '../../../src/store/object/pack.ts'
import { readObject, readTable } from '../../../src/store/object/pack-reader.ts'
import {
  type FinishedPack,
  type NewRecord,
  PackWriter,
  publish,
} from '../../../src/store/object/pack-writer.ts'
import { seededRandom } from '../../support/random.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('pack-writer')
const io = createIo({ durability: 'power' })

test('a pack has the bytes that the format and its golden file say', async () => {
  await using dir = await temporaryDirectory()
  const { id, bytes, kind, toc, path } = await writePack(dir.path, goldenRecords())
  assert.is(id, GOLDEN)
  assert.equal(readFileSync(path), readFileSync(`test/golden/object/${GOLDEN}.pack`))
  assert.equal([bytes, kind, toc], [statSync(path).size, 'mixed', [287, 273]])
})

test('objects come back, whatever their sizes', async () => {
  await using dir = await temporaryDirectory()
  const random = seededRandom(1)
  // Five bytes short of a full buffer, so that no header fits behind; then sizes around the other limits.
  const filling = [200_000, 200_000, 200_000, 200_000, 200_000, 48_503]
  const sizes = [...filling, 0, 1, 300_000, 2 ** 20 - 18, 5, 2 ** 21, 262_144, 262_143, 7, 900_000]
  const raws = sizes.map((size) => random.bytes(size))
  const { path } = await writePack(dir.path, raws.map(chunk))
  const fd = openSync(path, 'r')
  const read = tableEntries(readTable(path)).map((entry) =>
    Buffer.from(readObject(fd, CHUNK, { ...entry, id: readId(entry.id) })),
  )
  closeSync(fd)
  const sorted = [...raws].sort((a, b) => chunkHash(a).compare(chunkHash(b)))
  assert.equal(read, sorted)
})

test('a pack is data, metadata or mixed by what it holds', async () => {
  await using dir = await temporaryDirectory()
  const node = { ...chunk(Buffer.from('a')), kind: NODE } as const
  const recipe = { ...chunk(Buffer.from('b')), kind: RECIPE } as const
  const data = chunk(Buffer.from('c'))
  const kinds: string[] = []
  for (const records of [[data], [node, recipe], [node, data]]) {
    kinds.push((await writePack(dir.path, records)).kind)
  }
  assert.equal(kinds, ['data', 'meta', 'mixed'])
})

test('the table is ordered, also where ids begin alike, and an id stands in it once', async () => {
  await using dir = await temporaryDirectory()
  const random = seededRandom(2)
  const ids = Array.from({ length: 3_000 }, (_, i) => {
    const id = random.bytes(32)
    if (i % 3 === 0) id.fill(i % 2 === 0 ? 0xff : 0, 0, random.integer(1, 24))
    return id
  })
  const records = random.shuffle([...ids, ...ids.slice(0, 500)]).map((id, i) => {
    return { ...chunk(Buffer.from(`${i}`)), id }
  })
  const { path } = await writePack(dir.path, records)
  const entries = tableEntries(readTable(path))
  assert.equal(
    entries.map(({ id }) => id),
    [...ids].sort((a, b) => a.compare(b)),
  )
  for (const { id, offset } of entries) {
    const first = records.find((record) => record.id.equals(id)) as NewRecord
    const stored = readFileSync(path).subarray(offset + 10, offset + 10 + first.stored.length)
    assert.equal(stored, first.stored)
  }
})

test('a pack is filled up to 64 MiB and not beyond', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'new')
  const writer = new PackWriter(io, path)
  const stored = Buffer.alloc(2 ** 21)
  while (writer.fits(stored.length)) writer.append({ ...chunk(stored), id: idNumber(writer.count) })
  const rest = MAX_PACK_BYTES - writer.bytes - 63
  assert.not(writer.fits(rest + 1))
  assert.throws(() => writer.append(chunk(stored.subarray(0, rest + 1))), /does not fit/)
  writer.append({ ...chunk(stored.subarray(0, rest)), id: idNumber(writer.count) })
  assert.not(writer.fits(0))
  const { bytes, id } = await writer.finish()
  assert.equal([bytes, statSync(path).size], [MAX_PACK_BYTES, MAX_PACK_BYTES])
  publish(io, path, join(dir.path, `${id}.pack`))
  assert.is(readTable(join(dir.path, `${id}.pack`)).count, 32)
})

test('a pack that the log dropped comes back under another name', async () => {
  await using dir = await temporaryDirectory()
  const dropped = new Set<string>()
  const ids: string[] = []
  for (const salt of [0, 1, 2]) {
    const { id, path } = await writePack(dir.path, [chunk(Buffer.from('a'))], (name) =>
      dropped.has(name),
    )
    assert.is(readTable(path).salt, salt)
    ids.push(id)
    dropped.add(id)
  }
  assert.is(new Set(ids).size, 3)
})

test('a small pack is one write and one sync', async () => {
  await using dir = await temporaryDirectory()
  const watch = watchCalls()
  await writePack(dir.path, goldenRecords())
  const calls = watch.stop().map(({ kind }) => kind)
  assert.equal(calls, ['open', 'write', 'fdatasync', 'close', 'rename'])
})

test('a pack that exists is replaced by the same bytes', async () => {
  await using dir = await temporaryDirectory()
  const first = await writePack(dir.path, goldenRecords())
  io.chmod(first.path, 0o444)
  const second = await writePack(dir.path, goldenRecords())
  assert.is(first.path, second.path)
  assert.equal(readdirSync(dir.path), [`${GOLDEN}.pack`])
})

test('a pack that is given up leaves nothing', async () => {
  await using dir = await temporaryDirectory()
  const untouched = new PackWriter(io, join(dir.path, 'new'))
  untouched.append(chunk(Buffer.from('a')))
  untouched.abort()
  const written = new PackWriter(io, join(dir.path, 'new'))
  written.append(chunk(Buffer.alloc(2 ** 20)))
  assert.ok(existsSync(join(dir.path, 'new')))
  written.abort()
  written.abort()
  assert.equal(readdirSync(dir.path), [])
})

test('a pack that can not be written or synced is reported, and leaves nothing', async () => {
  for (const kind of ['open', 'write', 'fdatasync', 'close'] as const) {
    await using dir = await temporaryDirectory()
    const fault = { do: 'fail', code: 'ENOSPC' } as const
    using _faults = installFaults({ at: 1, kinds: [kind], fault })
    const writer = new PackWriter(io, join(dir.path, 'new'))
    writer.append(chunk(Buffer.from('a')))
    let code: unknown
    await writer.finish().catch((error: NodeJS.ErrnoException) => {
      code = error.code
    })
    assert.is(code, 'ENOSPC', kind)
    writer.abort()
    assert.equal(readdirSync(dir.path), [], kind)
  }
})

test('a write that takes only half is continued', async () => {
  await using dir = await temporaryDirectory()
  using _faults = installFaults({ at: 1, kinds: ['write'], fault: { do: 'short' } })
  const { path } = await writePack(dir.path, goldenRecords())
  assert.equal(readFileSync(path), readFileSync(`test/golden/object/${GOLDEN}.pack`))
})

test('giving up while the sync runs does not close the file under it', async () => {
  await using dir = await temporaryDirectory()
  const writer = new PackWriter(io, join(dir.path, 'new'))
  writer.append(chunk(Buffer.from('a')))
  const finished = writer.finish()
  writer.abort()
  await finished
  assert.equal(readdirSync(dir.path), [])
})

test('what no reader would accept is not written', () => {
  const writer = new PackWriter(io, '/nowhere')
  const record = chunk(Buffer.from('abc'))
  assert.throws(() => writer.append({ ...record, rawLength: 4 }), /No pack can hold/)
  assert.throws(() => writer.append(chunk(Buffer.alloc(2 ** 21 + 1))), /No pack can hold/)
})

test('a pack without records is a mistake', async () => {
  let message = ''
  await new PackWriter(io, '/nowhere').finish().catch((error: Error) => {
    message = error.message
  })
  assert.match(message, /at least one record/)
})

test('the table that is returned is the one in the file', async () => {
  await using dir = await temporaryDirectory()
  const { table, path } = await writePack(dir.path, goldenRecords())
  assert.equal(table, readTable(path).bytes)
  assert.is(tableEntry(readTable(path), 0).offset, 203)
})

const GOLDEN = 'd1dec37ce9567d0c4d7ebf69ba0f1357ebe8ab5e7e48273b0f4238583c05c9a0'

/** One of each kind and both codecs that are written. */
function goldenRecords(): NewRecord[] {
  const text = Buffer.from(
    'to be or not to be, that is the question; to be or not to be, that is the question',
  )
  const stored = Buffer.from(
    '1b51000080aaaaaaeaff7425b8ebe1a6b79b020880c84518548575000ec682484c1203dc6913788b13e8d132acc58bd2e586b10667707f8c4bbd35305aad01',
    'hex',
  )
  return [
    chunk(Buffer.from('seventy bytes of a file that is too long to stand inline in the tree..')),
    { kind: CHUNK, codec: Codec.brotli, id: chunkHash(text), stored, rawLength: text.length },
    ...([RECIPE, NODE, VERSION] as const).map((kind) => {
      const bytes = Buffer.from(`the bytes of an object of kind ${kind}`)
      const id = objectHash(kind, bytes)
      return { kind, codec: Codec.none, id, stored: bytes, rawLength: bytes.length }
    }),
  ]
}

function chunk(raw: Buffer): NewRecord & { readonly id: Buffer } {
  return { kind: CHUNK, codec: Codec.none, id: chunkHash(raw), stored: raw, rawLength: raw.length }
}

function idNumber(number: number): Buffer {
  const id = Buffer.alloc(32)
  id.writeUInt32BE(number)
  return id
}

async function writePack(
  directory: string,
  records: readonly NewRecord[],
  isDropped?: (id: string) => boolean,
): Promise<FinishedPack & { readonly path: string }> {
  const writer = new PackWriter(io, join(directory, 'new'))
  for (const record of records) writer.append(record)
  const pack = await writer.finish(isDropped)
  const path = join(directory, `${pack.id}.pack`)
  publish(io, join(directory, 'new'), path)
  return { ...pack, path }
}

await loadHashes()
test.run()
