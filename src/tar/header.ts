/**
 * One header block of a tar: POSIX.1-1988 ustar, GNU's and the older v7
 * (pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, gnu.org/software/tar/manual/html_node/Standard.html).
 */

export const BLOCK = 512

export interface TarHeader {
  /** As it is in the block; names need not be UTF-8. */
  readonly name: Buffer
  /** The type flag as a character; that of v7, NUL, is `0`. */
  readonly type: string
  /** Bytes that follow; undefined where the field is no number that can be counted with. */
  readonly size: number | undefined
  readonly mode: number
  readonly target: Buffer
}

/** Undefined: the block is no header. */
export function decodeHeader(block: Buffer): TarHeader | undefined {
  if (numberIn(block, 148, 8) !== checksumOf(block)) return undefined
  const format = formatOf(block)
  if (format === undefined) return undefined
  const prefix = format === 'ustar' ? textIn(block, 345, 155) : Buffer.alloc(0)
  const name = textIn(block, 0, 100)
  const flag = block[156] as number
  return {
    name: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    type: flag === 0 ? '0' : String.fromCharCode(flag),
    size: numberIn(block, 124, 12),
    mode: numberIn(block, 100, 8) ?? 0o644,
    target: textIn(block, 157, 100),
  }
}

export function isZero(block: Uint8Array): boolean {
  for (const byte of block) if (byte !== 0) return false
  return true
}

/** GNU's keeps times where ustar has the prefix. */
function formatOf(block: Buffer): 'ustar' | 'other' | undefined {
  const magic = block.toString('latin1', 257, 265)
  if (magic.startsWith('ustar\0')) return 'ustar'
  if (magic === 'ustar  \0' || magic === '\0\0\0\0\0\0\0\0') return 'other'
  return undefined
}

function checksumOf(block: Buffer): number {
  let sum = 8 * 0x20
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] as number
  return sum
}

function textIn(block: Buffer, from: number, length: number): Buffer {
  const end = block.indexOf(0, from)
  return block.subarray(from, end < 0 || end > from + length ? from + length : end)
}

/** Octal digits between spaces and NULs, or GNU's base 256: the bits after the first one. An empty field is 0. */
function numberIn(block: Buffer, from: number, length: number): number | undefined {
  const first = block[from] as number
  if (first >= 0x80) {
    let value = first & 0x7f
    for (let at = from + 1; at < from + length; at++) {
      value = value * 256 + (block[at] as number)
      if (value > Number.MAX_SAFE_INTEGER) return undefined
    }
    return value
  }
  const digits = block.toString('latin1', from, from + length).replace(/^ +|[ \0]+$/g, '')
  if (digits === '') return 0
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined
}
