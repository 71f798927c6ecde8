/** Width and height of an image from its first bytes: PNG, GIF, JPEG and WebP say them near their beginning. */

/** Bytes that are looked at; a JPEG may have a preview of 64 KiB before its size. */
export const IMAGE_HEAD: number = 2 ** 18

export interface ImageSize {
  readonly width: number
  readonly height: number
}

/** Undefined for anything else, and where the bytes end before. */
export function imageSize(bytes: Uint8Array): ImageSize | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, IMAGE_HEAD))
  const size = pngSize(head) ?? gifSize(head) ?? jpegSize(head) ?? webpSize(head)
  return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined
}

/** The format of an image by its first bytes; undefined for anything else. */
export function imageFormat(bytes: Uint8Array): 'PNG' | 'GIF' | 'JPEG' | 'WebP' | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 16))
  const text = start.toString('latin1')
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'PNG'
  if (/^GIF8[79]a/.test(text)) return 'GIF'
  if (text.startsWith('\xff\xd8\xff')) return 'JPEG'
  return /^RIFF....WEBPVP8[ LX]/s.test(text) ? 'WebP' : undefined
}

function pngSize(head: Buffer): ImageSize | undefined {
  if (head.length < 24 || head.toString('latin1', 0, 8) !== '\x89PNG\r\n\x1a\n') return undefined
  return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) }
}

function gifSize(head: Buffer): ImageSize | undefined {
  if (head.length < 10 || !/^GIF8[79]a$/.test(head.toString('latin1', 0, 6))) return undefined
  return { width: head.readUInt16LE(6), height: head.readUInt16LE(8) }
}

/** Segments follow each other; that of a start of frame has the size. */
function jpegSize(head: Buffer): ImageSize | undefined {
  if (head.length < 4 || head.readUInt16BE(0) !== 0xffd8) return undefined
  for (let at = 2; at + 9 <= head.length; ) {
    const marker = head[at + 1] as number
    if (head[at] !== 0xff) return undefined
    // Any number of 0xff may stand before a marker.
    if (marker === 0xff) {
      at++
      continue
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return { width: head.readUInt16BE(at + 7), height: head.readUInt16BE(at + 5) }
    const length = head.readUInt16BE(at + 2)
    if (length < 2) return undefined
    at += 2 + length
  }
  return undefined
}

/** Lossy, lossless and extended files have three kinds of head. */
function webpSize(head: Buffer): ImageSize | undefined {
  if (head.length < 30 || !/^RIFF....WEBPVP8[ LX]/s.test(head.toString('latin1', 0, 16))) {
    return undefined
  }
  switch (head.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return { width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff }
    case 'VP8L': {
      const bits = head.readUInt32LE(21)
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
    }
    default:
      return { width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 }
  }
}
