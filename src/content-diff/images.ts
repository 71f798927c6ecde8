/**
 * Images: format and size of all kinds that say them near their beginning, and pixels of PNG by fast-png. Of a PNG only
 * the chunks that make pixels are decoded, and only once they are known to hold as many bytes as its size needs.
 */
import { inflateSync } from 'node:zlib'
import { isSystemError } from '../errors.ts'
import { IMAGE_HEAD, imageSize } from '../values/image-size.ts'
import type { ImageDifference, ImageFacts } from './difference.ts'
import { readAll, type Source } from './source.ts'
import { Unfit } from './unfit.ts'

const MAX_BYTES = 64 << 20
const MAX_PIXELS = 16_000_000
const SIGNATURE = '\x89PNG\r\n\x1a\n'

/** @returns Unfit for files that are no images, and for kinds that do not say their size. */
export async function compareImages(
  before: Source,
  after: Source,
): Promise<ImageDifference | Unfit> {
  const [a, b] = [factsOf(before), factsOf(after)]
  if (a === undefined || b === undefined) return new Unfit('it says no size of an image')
  const images = { kind: 'image', before: a, after: b } as const
  const isComparable =
    a.format === 'PNG' && b.format === 'PNG' && a.width === b.width && a.height === b.height
  if (!isComparable) return { ...images, notes: [] }
  const pixelsA = await pixelsOf(before, a)
  const pixelsB = await pixelsOf(after, b)
  if (pixelsA instanceof Unfit || pixelsB instanceof Unfit) {
    const { reason } = (pixelsA instanceof Unfit ? pixelsA : pixelsB) as Unfit
    return { ...images, notes: [`Pixels were not compared: ${reason}.`] }
  }
  const pixels = comparePixels(pixelsA, pixelsB)
  const notes = pixels.changed === 0 ? ['The same pixels, written differently.'] : []
  return { ...images, pixels, notes }
}

function factsOf(source: Source): ImageFacts | undefined {
  const head = source.read(0, IMAGE_HEAD)
  const size = imageSize(head)
  if (size === undefined) return undefined
  const [first] = head
  const format = first === 0x89 ? 'PNG' : first === 0x47 ? 'GIF' : first === 0xff ? 'JPEG' : 'WebP'
  return { format, ...size }
}

type Pixels = NonNullable<ImageDifference['pixels']>

/** Red, green, blue and alpha of each pixel, 0 to 255. */
async function pixelsOf(
  source: Source,
  { width, height }: ImageFacts,
): Promise<Float32Array | Uint8Array | Unfit> {
  if (source.size > MAX_BYTES || width * height > MAX_PIXELS) return new Unfit('it is too large')
  const bytes = essentials(readAll(source), width, height)
  if (bytes instanceof Unfit) return bytes
  const { convertIndexedToRgb, decode } = await import('fast-png')
  try {
    const image = decode(bytes)
    if (image.palette !== undefined) {
      const data = convertIndexedToRgb(image)
      return inFour(data, data.length / (width * height), width * height, 1)
    }
    if (image.depth < 8) return new Unfit('it has less than 8 bits for a pixel')
    return inFour(image.data, image.channels, width * height, image.depth === 16 ? 257 : 1)
  } catch (error) {
    // Errors of the package are of any kind; no call of the system is made here.
    if (error instanceof Error)
      return new Unfit(`it can't be decoded (${error.message.slice(0, 100)})`)
    throw error
  }
}

/** The same image without what is no pixel, such as profiles and texts, which may be compressed without bound. */
function essentials(file: Buffer, width: number, height: number): Buffer | Unfit {
  const parts: Buffer[] = [Buffer.from(SIGNATURE, 'latin1')]
  const data: Buffer[] = []
  for (let at = 8; at + 12 <= file.length; ) {
    const end = at + 12 + file.readUInt32BE(at)
    const type = file.toString('latin1', at + 4, at + 8)
    if (end > file.length) return new Unfit('it ends early')
    if (type === 'IDAT') data.push(file.subarray(at + 8, end - 4))
    if (['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'].includes(type)) parts.push(file.subarray(at, end))
    at = type === 'IEND' ? file.length : end
  }
  try {
    // A byte before each row, of which seven interlaced images have at most as many as twice the rows each.
    const most = width * height * 8 + height * 16 + 64
    inflateSync(Buffer.concat(data), { maxOutputLength: most })
  } catch (error) {
    if (isZlibError(error)) return new Unfit('its pixels are damaged')
    throw error
  }
  return Buffer.concat(parts)
}

function isZlibError(error: unknown): boolean {
  const codes = ['ERR_BUFFER_TOO_LARGE', 'Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT']
  return isSystemError(error, ...codes)
}

/** From gray, gray and alpha, or colours without alpha. */
function inFour(
  data: ArrayLike<number>,
  channels: number,
  pixels: number,
  unit: number,
): Float32Array | Uint8Array | Unfit {
  if (data.length !== pixels * channels) return new Unfit('it has too few pixels')
  const four = unit === 1 ? new Uint8Array(pixels * 4) : new Float32Array(pixels * 4)
  const isGray = channels < 3
  const hasAlpha = channels % 2 === 0
  for (let pixel = 0; pixel < pixels; pixel++) {
    const from = pixel * channels
    for (let channel = 0; channel < 3; channel++) {
      four[pixel * 4 + channel] = (data[isGray ? from : from + channel] as number) / unit
    }
    four[pixel * 4 + 3] = hasAlpha ? (data[from + channels - 1] as number) / unit : 255
  }
  return four
}

function comparePixels(a: ArrayLike<number>, b: ArrayLike<number>): Pixels {
  let [changed, max, sum] = [0, 0, 0]
  for (let at = 0; at < a.length; at += 4) {
    let isChanged = false
    for (let channel = at; channel < at + 4; channel++) {
      const gap = Math.abs((a[channel] as number) - (b[channel] as number))
      if (gap === 0) continue
      isChanged = true
      sum += gap
      if (gap > max) max = gap
    }
    if (isChanged) changed++
  }
  return { total: a.length / 4, changed, max, mean: a.length === 0 ? 0 : sum / a.length }
}
