import { deflateSync } from 'node:zlib'
import { encode } from 'fast-png'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compareContents } from '../../src/content-diff/compare.ts'
import type { ImageDifference } from '../../src/content-diff/difference.ts'
import { crc32 } from './crc32.ts'
import { OPTIONS, sourceOf } from './sources.ts'

const test = suite('differences of images')

async function differ(
  before: Uint8Array,
  after: Uint8Array,
  path = 'a.png',
): Promise<ImageDifference> {
  const found = await compareContents(sourceOf(before, path), sourceOf(after, path), OPTIONS)
  if (found.kind !== 'image') throw new Error(`Compared as ${found.kind}: ${found.notes}`)
  return found
}

/** An image of one value, but for some places. */
function image(
  channels: 1 | 2 | 3 | 4,
  places: Readonly<Record<number, number>> = {},
  depth: 8 | 16 = 8,
): Uint8Array {
  const data = new (depth === 8 ? Uint8Array : Uint16Array)(20 * 10 * channels).fill(100)
  for (const [at, value] of Object.entries(places)) data[Number(at)] = value
  return encode({ width: 20, height: 10, data, channels, depth })
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const ends = Buffer.alloc(8)
  ends.writeUInt32BE(data.length, 0)
  ends.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)])
}

/** A PNG of 8 bits with these rows, each with its filter first. */
function png(
  width: number,
  height: number,
  type: number,
  rows: Uint8Array,
  ...more: Buffer[]
): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, type], 8)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...more,
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

test('pixels that changed are counted, and how far', async () => {
  const found = await differ(image(3), image(3, { 0: 110, 1: 90, 30: 255 }))
  assert.equal(found.before, { format: 'PNG', width: 20, height: 10 })
  assert.equal(found.pixels, { total: 200, changed: 2, max: 155, mean: 175 / 800 })
  const deep = await differ(image(1, {}, 16), image(1, { 5: 100 + 257 }, 16))
  assert.is(deep.pixels?.changed, 1)
  assert.ok(Math.abs((deep.pixels?.max ?? 0) - 1) < 1e-4)
})

test('the same pixels in other channels, by a palette, with another compression', async () => {
  const rows = Buffer.alloc(10 * 21)
  const indexed = png(20, 10, 3, rows, chunk('PLTE', Buffer.from([100, 100, 100])))
  const gray = Buffer.alloc(10 * 21, 100)
  for (let row = 0; row < 10; row++) gray[row * 21] = 0
  for (const other of [indexed, image(1), png(20, 10, 0, gray)]) {
    const found = await differ(image(3), other)
    assert.is(found.pixels?.changed, 0)
    assert.equal(found.notes, ['The same pixels, written differently.'])
  }
  assert.is((await differ(image(4), image(3))).pixels?.max, 155)
})

test('other formats and other sizes are said', async () => {
  const gif = (width: number): Buffer => {
    const bytes = Buffer.from('GIF89a\0\0\x05\0\0\0\0', 'latin1')
    bytes.writeUInt16LE(width, 6)
    return bytes
  }
  const found = await differ(gif(7), gif(8), 'a.gif')
  assert.equal(
    [found.before, found.after],
    [
      { format: 'GIF', width: 7, height: 5 },
      { format: 'GIF', width: 8, height: 5 },
    ],
  )
})

test('an image that is none, or that would fill the memory, is found out', async () => {
  const none = await compareContents(sourceOf('a', 'a.png'), sourceOf('b', 'a.png'), OPTIONS)
  assert.equal(
    [none.kind, none.notes[0]],
    ['text', 'Not compared as an image: it says no size of an image.'],
  )
  const bomb = png(20, 10, 2, Buffer.alloc(50 << 20))
  const profile = chunk(
    'iCCP',
    Buffer.concat([Buffer.from('p\0\0'), deflateSync(Buffer.alloc(50 << 20))]),
  )
  assert.match((await differ(image(3), bomb)).notes[0] ?? '', /pixels are damaged/)
  const rows = Buffer.alloc(10 * 61, 100)
  for (let row = 0; row < 10; row++) rows[row * 61] = 0
  const before = process.memoryUsage().rss
  assert.is((await differ(image(3), png(20, 10, 2, rows, profile))).pixels?.changed, 0)
  assert.ok(process.memoryUsage().rss - before < 40e6)
  const huge = png(60_000, 60_000, 2, Buffer.alloc(10))
  assert.match(
    (await differ(huge, Buffer.concat([huge, Buffer.alloc(1)]))).notes[0] ?? '',
    /too large/,
  )
  const good = Buffer.from(image(3))
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good)
    bad[at] = (bad[at] as number) ^ 0x55
    await compareContents(sourceOf(good, 'a.png'), sourceOf(bad, 'a.png'), OPTIONS)
    await compareContents(sourceOf(good, 'a.png'), sourceOf(good.subarray(0, at), 'a.png'), OPTIONS)
  }
})

test.run()
