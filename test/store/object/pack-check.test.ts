import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIo } from '../../../src/store/io/io.ts'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { Codec } from '../../../src/store/object/compression.ts'
import { CHUNK, chunkHash } from '../../../src/store/object/id.ts'
import { checkPack, type PackFindings } from '../../../src/store/object/pack-check.ts'
import { PackWriter, publish } from '../../../src/store/object/pack-writer.ts'
import { seededRandom } from '../../support/random.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('pack-check')

/** Five objects, one of them compressed: see the test of the writer. */
const GOLDEN = 'd1dec37ce9567d0c4d7ebf69ba0f1357ebe8ab5e7e48273b0f4238583c05c9a0.pack'
const goldenPath = join('test/golden/object', GOLDEN)
const golden = readFileSync(goldenPath)

test('a sound pack has nothing amiss', async () => {
  await loadHashes()
  const { length: bytes } = golden
  const fast = checkPack(goldenPath, { bytes, data: false })
  assert.equal(fast, { state: 'present', bad: [], blemishes: [], records: 5, bytes: 0 })
  const whole = checkPack(goldenPath, { bytes, data: true })
  assert.equal(whole, { ...fast, bytes: 287 - 8 - 5 * 10 })
})

test('a bit flipped in any byte is noticed with data, and beside payloads without', async () => {
  await loadHashes()
  await using dir = await temporaryDirectory()
  const path = join(dir.path, GOLDEN)
  const payload = (at: number): boolean => at >= 18 && at < 287 && !isInHeader(at)
  for (let at = 0; at < golden.length; at++) {
    const bytes = Buffer.from(golden)
    bytes[at] = (bytes[at] as number) ^ (1 << (at & 7))
    writeFileSync(path, bytes)
    assert.ok(isAmiss(checkPack(path, { bytes: bytes.length, data: true })), `byte ${at}`)
    const fast = checkPack(path, { bytes: bytes.length, data: false })
    assert.ok(payload(at) || isAmiss(fast), `byte ${at}`)
  }
})

test('a pack of another length than the log says is not read', async () => {
  await loadHashes()
  await using dir = await temporaryDirectory()
  const path = join(dir.path, GOLDEN)
  writeFileSync(path, golden)
  const { state, problem } = checkPack(path, { bytes: golden.length + 1, data: true })
  assert.is(state, 'damaged')
  assert.match(problem ?? '', 'where the log says')
  assert.is(checkPack(path, { bytes: undefined, data: true }).state, 'present')
  truncateSync(path, 200)
  assert.is(checkPack(path, { bytes: golden.length, data: false }).state, 'damaged')
  rmSync(path)
  assert.is(checkPack(path, { bytes: golden.length, data: false }).state, 'missing')
})

test('records larger than a window, and many small ones, are read and told apart', async () => {
  await loadHashes()
  await using dir = await temporaryDirectory()
  const io = createIo({ durability: 'process' })
  const random = seededRandom(4)
  const sizes = [
    2 << 20,
    100,
    2 << 20,
    1,
    0,
    3000,
    ...Array.from({ length: 3000 }, () => 40),
    1 << 20,
  ]
  const path = await writePack(
    io,
    dir.path,
    sizes.map((size) => random.bytes(size)),
  )
  const good = readFileSync(path)
  const { length: bytes } = good
  const sound = checkPack(path, { bytes, data: true })
  // Forty bytes of chance never repeat; the empty object and the others are distinct too.
  assert.is(sound.records, sizes.length)
  assert.is(
    sound.bytes,
    sizes.reduce((sum, size) => sum + size, 0),
  )
  assert.not.ok(isAmiss(sound))
  assert.not.ok(isAmiss(checkPack(path, { bytes, data: false })))
  // Deep in the third record.
  good[(3 << 20) + 5] = (good[(3 << 20) + 5] as number) ^ 1
  writeFileSync(path, good)
  const { bad } = checkPack(path, { bytes, data: true })
  assert.equal(
    bad.map(({ offset }) => offset),
    [8 + 10 + (2 << 20) + 10 + 100],
  )
  assert.not.ok(isAmiss(checkPack(path, { bytes, data: false })))
})

test('an object that was written twice is no fault, other bytes between records are', async () => {
  await loadHashes()
  await using dir = await temporaryDirectory()
  const io = createIo({ durability: 'process' })
  const chunk = seededRandom(1).bytes(50)
  const path = await writePack(io, dir.path, [chunk, seededRandom(2).bytes(50), chunk])
  const good = readFileSync(path)
  const { length: bytes } = good
  const sound = checkPack(path, { bytes, data: true })
  assert.is(sound.records, 2)
  assert.not.ok(isAmiss(sound))
  good[8 + 2 * 60] = 0
  writeFileSync(path, good)
  const { bad, blemishes } = checkPack(path, { bytes, data: false })
  assert.equal(bad, [])
  assert.equal(blemishes, ['bytes 128 to 188 belong to no record'])
})

/** Whether a byte of the golden pack is in the header of a record, as its marks tell. */
function isInHeader(at: number): boolean {
  for (let start = 8; start < 287; start += 10 + golden.readUInt32LE(start + 2)) {
    if (at >= start && at < start + 10) return true
  }
  return false
}

function isAmiss({ state, bad, blemishes }: PackFindings): boolean {
  return state !== 'present' || bad.length > 0 || blemishes.length > 0
}

async function writePack(
  io: ReturnType<typeof createIo>,
  directory: string,
  chunks: readonly Buffer[],
): Promise<string> {
  const writer = new PackWriter(io, join(directory, 'tmp'))
  for (const stored of chunks) {
    const id = chunkHash(stored)
    writer.append({ kind: CHUNK, id, codec: Codec.none, stored, rawLength: stored.length })
  }
  const { id } = await writer.finish()
  const path = join(directory, `${id}.pack`)
  publish(io, join(directory, 'tmp'), path)
  return path
}

test.run()
