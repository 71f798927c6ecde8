/**
 * What archives hold: of a tar its first headers, each looked up where the one before ends; of a zip its central directory
 * (pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3), which says all at the end of the file.
 */
import { BLOCK, decodeHeader } from '../tar/header.ts'
import { decimal, decodePax } from '../tar/pax.ts'
import type { Previewed, PreviewLimits } from './preview.ts'

export interface ArchivePreview {
  readonly kind: 'archive'
  readonly format: 'tar' | 'zip'
  readonly packed?: 'gzip'
  /** Entries in the archive, where it says how many. */
  readonly count?: number
  /** The first of them. */
  readonly entries: readonly ArchivedFile[]
  /** There are more. */
  readonly isCut: boolean
}

export interface ArchivedFile {
  readonly path: string
  /** Bytes, unpacked. */
  readonly size: number
}

/** Long names and pax records that are looked at. */
const LONGEST_EXTENSION = 16 << 10
/** Headers that are looked at for one entry. */
const MOST_HEADERS = 8

/** Undefined for what is no tar. */
export function tarPreview(
  source: Previewed,
  { lines }: PreviewLimits,
): ArchivePreview | undefined {
  const found: ArchivedFile[] = []
  let name: string | undefined
  let size: number | undefined
  let at = 0
  for (let headers = 0; headers < lines * MOST_HEADERS; headers++) {
    const block = Buffer.from(source.read(at, BLOCK))
    if (block.length < BLOCK) break
    const header = decodeHeader(block)
    if (header?.size === undefined) break
    if (found.length === lines) break
    const bytes = size ?? header.size
    at += BLOCK
    if ('xLgK'.includes(header.type)) {
      if (header.size > LONGEST_EXTENSION) break
      const text = Buffer.from(source.read(at, header.size))
      const pax = header.type === 'x' ? decodePax(text) : undefined
      if (header.type === 'L') name = text.toString('utf8').replace(/\0.*$/s, '')
      name = pax?.get('path')?.toString('utf8') ?? name
      const long = pax?.get('size')
      size = long === undefined ? size : decimal(long)
      at += padded(header.size)
      continue
    }
    found.push({ path: name ?? header.name.toString('utf8'), size: bytes })
    name = undefined
    size = undefined
    at += padded(bytes)
  }
  if (found.length === 0) return undefined
  const isCut = source.isCut === true || hasMore(source, at)
  return { kind: 'archive', format: 'tar', entries: found, isCut }
}

function hasMore(source: Previewed, at: number): boolean {
  const block = Buffer.from(source.read(at, BLOCK))
  return block.length === BLOCK && decodeHeader(block) !== undefined
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK
}

/** The end record and the longest comment behind it. */
const END_BYTES = 22 + 65_535
const DIRECTORY_BYTES = 64 << 10

/** Undefined for what is no zip file. */
export function zipPreview(
  source: Previewed,
  { lines }: PreviewLimits,
): ArchivePreview | undefined {
  if (source.isCut === true) return undefined
  const tail = Math.max(0, source.size - END_BYTES)
  const end = Buffer.from(source.read(tail, END_BYTES))
  const at = end.lastIndexOf('PK\x05\x06', undefined, 'latin1')
  if (at < 0 || at + 22 > end.length) return undefined
  const place = directoryAt(source, end, at, tail)
  if (place === undefined || place.start > source.size) return undefined
  const directory = Buffer.from(source.read(place.start, Math.min(place.bytes, DIRECTORY_BYTES)))
  const found: ArchivedFile[] = []
  for (let from = 0; from + 46 <= directory.length && found.length < lines; ) {
    if (directory.toString('latin1', from, from + 4) !== 'PK\x01\x02') return undefined
    const nameLength = directory.readUInt16LE(from + 28)
    const extraLength = directory.readUInt16LE(from + 30)
    const next = from + 46 + nameLength + extraLength + directory.readUInt16LE(from + 32)
    if (next > directory.length) break
    const extra = directory.subarray(from + 46 + nameLength, from + 46 + nameLength + extraLength)
    found.push({
      path: directory.toString('utf8', from + 46, from + 46 + nameLength),
      size: sizeOf(directory.readUInt32LE(from + 24), extra),
    })
    from = next
  }
  const { count } = place
  return { kind: 'archive', format: 'zip', count, entries: found, isCut: found.length < count }
}

/** Where the central directory is: in the end record, or for large archives in that of zip64. */
function directoryAt(
  source: Previewed,
  end: Buffer,
  at: number,
  tail: number,
): { readonly start: number; readonly bytes: number; readonly count: number } | undefined {
  const small = {
    count: end.readUInt16LE(at + 10),
    bytes: end.readUInt32LE(at + 12),
    start: end.readUInt32LE(at + 16),
  }
  if (small.count < 0xffff && small.bytes < 0xffffffff && small.start < 0xffffffff) return small
  const locator = Buffer.from(source.read(Math.max(0, tail + at - 20), 20))
  if (locator.length < 20 || locator.toString('latin1', 0, 4) !== 'PK\x06\x07') return undefined
  const where = Number(locator.readBigUInt64LE(8))
  const large = Number.isSafeInteger(where) ? Buffer.from(source.read(where, 56)) : Buffer.alloc(0)
  if (large.length < 56 || large.toString('latin1', 0, 4) !== 'PK\x06\x06') return undefined
  const [count, bytes, start] = [32, 40, 48].map((from) => Number(large.readBigUInt64LE(from)))
  if (count === undefined || bytes === undefined || start === undefined) return undefined
  return [count, bytes, start].every(Number.isSafeInteger) ? { count, bytes, start } : undefined
}

/** The size of an entry, which for large ones stands first in the field of zip64. */
function sizeOf(size: number, extra: Buffer): number {
  if (size < 0xffffffff) return size
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === 1 && at + 12 <= extra.length) {
      return Number(extra.readBigUInt64LE(at + 4))
    }
  }
  return size
}
