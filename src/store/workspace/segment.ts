/**
 * Up to 1,024 neighbouring files of one directory as they were when last read, in one block of bytes: names, stats and
 * contents as columns. A row costs 74 bytes beside its name, and is compared without being made an object.
 *
 * ```
 * header   xxh64 of what follows ‖ 6 × u32: magic, rows, bytes of directory, of names, of inline content, 0
 * f64      sizes, mtimes, ctimes, inodes
 * u8       fingerprints (8 a row), ids (32 a row), flags (content kind; 128: trusted), lengths of inline content
 * text     directory, names joined by "/"
 * u8       inline content
 * ```
 *
 * Numbers are in the machine's own byte order, which is that of typed arrays; on a machine with another one the magic
 * number is another.
 */
import { fingerprint } from '../object/checksum.ts'

/** Rows of a segment at most. */
export const SEGMENT_ROWS = 1024
/** Content kinds as the columns write them. */
export const ContentKind = { inline: 0, chunk: 1, recipe: 2 } as const
/** The bits of a flag that are its content kind. */
export const KIND_MASK = 3
/** The bit of a flag that says: the same stat means the same content. */
export const TRUSTED = 128

/** Columns of equal length; row i is one file. */
export interface Segment {
  readonly directory: string
  /** Ascending by their bytes. */
  readonly names: readonly string[]
  readonly sizes: Float64Array
  /** Milliseconds since 1970. */
  readonly mtimes: Float64Array
  readonly ctimes: Float64Array
  readonly inodes: Float64Array
  /** xxh64 of the content, 8 bytes a row. */
  readonly fingerprints: Uint8Array
  /** 32 bytes a row; zeros for inline content. */
  readonly ids: Uint8Array
  readonly flags: Uint8Array
  /** Inline content by row; an empty file may be absent. */
  readonly inline: ReadonlyMap<number, Uint8Array>
}

const MAGIC = 0x53415431
const HEADER = 32
const ROW = 4 * 8 + 8 + 32 + 1 + 1

export function encodeSegment(segment: Segment): Buffer {
  const rows = segment.names.length
  const directory = Buffer.from(segment.directory)
  const names = Buffer.from(segment.names.join('/'))
  let inlineBytes = 0
  for (const bytes of segment.inline.values()) inlineBytes += bytes.length
  let at = HEADER + rows * ROW
  const block = Buffer.alloc(at + directory.length + names.length + inlineBytes)
  const columns = columnsOf(block, rows)
  columns.sizes.set(segment.sizes)
  columns.mtimes.set(segment.mtimes)
  columns.ctimes.set(segment.ctimes)
  columns.inodes.set(segment.inodes)
  columns.fingerprints.set(segment.fingerprints)
  columns.ids.set(segment.ids)
  columns.flags.set(segment.flags)
  block.set(directory, at)
  at += directory.length
  block.set(names, at)
  at += names.length
  for (let row = 0; row < rows; row++) {
    const bytes = segment.inline.get(row)
    if (bytes === undefined) continue
    columns.lengths[row] = bytes.length
    block.set(bytes, at)
    at += bytes.length
  }
  columns.header.set([MAGIC, rows, directory.length, names.length, inlineBytes])
  fingerprint(block.subarray(8), block, 0)
  return block
}

/** Returns what `encodeSegment` was given, the columns as views of `block`; undefined when that is no segment of `directory`. */
export function decodeSegment(block: Buffer, directory: string): Segment | undefined {
  if (block.length < HEADER) return undefined
  const checksum = Buffer.alloc(8)
  fingerprint(block.subarray(8), checksum, 0)
  if (!checksum.equals(block.subarray(0, 8))) return undefined
  // Typed arrays need their offset to be a multiple of their element's size.
  const aligned = block.byteOffset % 8 === 0 ? block : Buffer.from(new Uint8Array(block).buffer)
  const [magic, rows, directoryBytes, nameBytes, inlineBytes] = columnsOf(aligned, 0)
    .header as unknown as Header
  const textAt = HEADER + rows * ROW
  const namesAt = textAt + directoryBytes
  const inlineAt = namesAt + nameBytes
  if (magic !== MAGIC || rows === 0 || inlineAt + inlineBytes !== block.length) return undefined
  if (aligned.toString('utf8', textAt, namesAt) !== directory) return undefined
  const names = aligned.toString('utf8', namesAt, inlineAt).split('/')
  const { header, lengths, ...columns } = columnsOf(aligned, rows)
  const inline = new Map<number, Uint8Array>()
  let at = inlineAt
  for (let row = 0; row < rows; row++) {
    const length = lengths[row] as number
    if (length === 0) continue
    inline.set(row, new Uint8Array(aligned.subarray(at, at + length)))
    at += length
  }
  if (names.length !== rows || at !== block.length) return undefined
  return { directory, names, inline, ...columns }
}

type Header = readonly [
  magic: number,
  rows: number,
  directory: number,
  names: number,
  inline: number,
]

function columnsOf(block: Buffer, rows: number) {
  const { buffer, byteOffset } = block
  let at = byteOffset + HEADER
  const numbers = (): Float64Array => {
    at += rows * 8
    return new Float64Array(buffer, at - rows * 8, rows)
  }
  const bytes = (width: number): Uint8Array => {
    at += rows * width
    return new Uint8Array(buffer, at - rows * width, rows * width)
  }
  return {
    header: new Uint32Array(buffer, byteOffset + 8, HEADER / 4 - 2),
    sizes: numbers(),
    mtimes: numbers(),
    ctimes: numbers(),
    inodes: numbers(),
    fingerprints: bytes(8),
    ids: bytes(32),
    flags: bytes(1),
    lengths: bytes(1),
  }
}
