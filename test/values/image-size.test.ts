import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { imageSize } from '../../src/values/image-size.ts'

const test = suite('image-size')

/** Heads of images of 70 by 3 pixels that Pillow wrote. */
const IMAGES: Readonly<Record<string, string>> = {
  PNG: 'iVBORw0KGgoAAAANSUhEUgAAAEYAAAADCAIAAACh2e4M',
  GIF: 'R0lGODdhRgADAIEAAMgKCgAA',
  JPEG: '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////////////////////////////////2wBDAVVaWnhpeOuCguv/////////////////////////////////////////////////////////////////////////wAARCAADAEYDASIAAhEBAxEB',
  'progressive JPEG with EXIF':
    '/9j/4AAQSkZJRgABAQAAAQABAAD/4QAWRXhpZgAASUkqAAgAAAAAAAAAAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////////////////////////////////2wBDAVVaWnhpeOuCguv/////////////////////////////////////////////////////////////////////////wgARCAADAEYDASIAAhEBAxEB',
  'lossy WebP': 'UklGRkIAAABXRUJQVlA4IDYAAAAQAwCdASpGAAMAP3G00mE0rqolpmgC',
  'lossless WebP': 'UklGRiIAAABXRUJQVlA4TBYAAAAvRYAAAAdQhSJXof8BgCD8nzuI6H8a',
  'extended WebP': 'UklGRmAAAABXRUJQVlA4WAoAAAAEAAAARQAAAgAAVlA4IDYAAAAQAwCd',
}

for (const [kind, base64] of Object.entries(IMAGES)) {
  test(`${kind} says how large it is`, () => {
    assert.equal(imageSize(Buffer.from(base64, 'base64')), { width: 70, height: 3 })
  })
}

test('a beginning of an image, changed anywhere, gives a size or none', () => {
  const image = fc
    .constantFrom(...Object.values(IMAGES))
    .map((base64) => Buffer.from(base64, 'base64'))
  const change = fc.tuple(fc.nat(200), fc.nat(255))
  fc.assert(
    fc.property(image, fc.nat(250), fc.array(change), (bytes, length, changes) => {
      const damaged = Buffer.from(bytes.subarray(0, length))
      for (const [at, byte] of changes) if (at < damaged.length) damaged[at] = byte
      const size = imageSize(damaged)
      assert.ok(size === undefined || (size.width > 0 && size.height > 0))
    }),
    { numRuns: 2000 },
  )
})

test('what is no image has no size, nor has one that says 0', () => {
  assert.is(imageSize(Buffer.from('no image at all, but long enough to be one')), undefined)
  assert.is(imageSize(Buffer.alloc(0)), undefined)
  const png = Buffer.from(IMAGES['PNG'] as string, 'base64')
  assert.is(imageSize(png.fill(0, 16, 20)), undefined)
})

test('tables of a JPEG that stand before its frame are no frame', () => {
  const jpeg = Buffer.from(IMAGES['JPEG'] as string, 'base64')
  const tables = [0xc4, 0xc8, 0xcc].flatMap((marker) => [0xff, marker, 0, 7, 1, 2, 3, 4, 5])
  const other = Buffer.concat([
    jpeg.subarray(0, 2),
    Buffer.from([...tables, 0xff]),
    jpeg.subarray(2),
  ])
  assert.equal(imageSize(other), { width: 70, height: 3 })
})

test('segments without end of a JPEG are left behind', () => {
  const segments = Buffer.from([0xff, 0xe0, 0, 2])
  const began = performance.now()
  const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8]), ...new Array(1_000_000).fill(segments)])
  assert.is(imageSize(jpeg), undefined)
  assert.ok(performance.now() - began < 1000)
})

test.run()
