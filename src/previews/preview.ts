/**
 * What is to be seen of a file without reading it: the head of a text or table, the outline of a document, the size of an
 * image, the names of tensors, what an archive holds. At most some KiB are read, wherever they are in the file. The name
 * says what a file is, and where it doesn't, its first bytes do; what turns out to be something else is shown as text or
 * bytes.
 */
import type { Source } from '../content-diff/source.ts'
import { imageFormat, imageSize } from '../values/image-size.ts'
import { type ArchivePreview, tarPreview, zipPreview } from './archives.ts'
import { unzippedHead } from './gzip.ts'
import { documentPreview, type ValuesPreview } from './outline.ts'
import { type TablePreview, tablePreview } from './table.ts'
import type { TensorsPreview } from './tensors.ts'
import { type TextPreview, textPreview } from './text.ts'

export type Preview =
  | TextPreview
  | TablePreview
  | ValuesPreview
  | ImagePreview
  | TensorsPreview
  | ArchivePreview
  | BytesPreview

export interface ImagePreview {
  readonly kind: 'image'
  readonly format: string
  /** Pixels. */
  readonly width: number
  readonly height: number
}

export interface BytesPreview {
  readonly kind: 'bytes'
  /** What files begin so, such as `Parquet`. */
  readonly format?: string
  /** The first bytes, in hex. */
  readonly head: string
}

export interface PreviewLimits {
  /** Lines, rows, tensors, entries. */
  readonly lines: number
}

/** A file, or the beginning of one that is packed. */
export interface Previewed extends Pick<Source, 'path' | 'size' | 'read' | 'pieces' | 'chunks'> {
  /** True: there is more than these bytes. */
  readonly isCut?: boolean
}

const HEAD_BYTES = 8192
const SHOWN_BYTES = 16

/** @throws ArtifactsError of the source. */
export async function previewOf(source: Previewed, limits: PreviewLimits): Promise<Preview> {
  const found = await byName(source, limits)
  if (found !== undefined) return found
  const head = Buffer.from(source.read(0, HEAD_BYTES))
  return (await byMagic(source, head, limits)) ?? textPreview(source, limits) ?? bytesOf(head)
}

async function byName(source: Previewed, limits: PreviewLimits): Promise<Preview | undefined> {
  const ending = /\.([^./]+)$/.exec(source.path)?.[1]?.toLowerCase()
  switch (ending) {
    case 'csv':
      return tablePreview(source, 'csv', limits)
    case 'tsv':
    case 'tab':
      return tablePreview(source, 'tsv', limits)
    case 'json':
    case 'geojson':
    case 'ipynb':
      return documentPreview(source, 'json')
    case 'jsonl':
    case 'ndjson':
      return documentPreview(source, 'jsonl')
    case 'yaml':
    case 'yml':
      return documentPreview(source, 'yaml')
    case 'safetensors':
      return (await import('./tensors.ts')).safetensorsPreview(source, limits)
    case 'npy':
      return (await import('./tensors.ts')).npyPreview(source)
    default:
      return undefined
  }
}

async function byMagic(
  source: Previewed,
  head: Buffer,
  limits: PreviewLimits,
): Promise<Preview | undefined> {
  const format = imageFormat(head)
  if (format !== undefined) {
    const size = imageSize(source.read(0, IMAGE_BYTES))
    return size && { kind: 'image', format, ...size }
  }
  if (head.subarray(0, 4).equals(ZIP) || head.subarray(0, 4).equals(EMPTY_ZIP)) {
    return zipPreview(source, limits)
  }
  if (head.toString('latin1', 257, 262) === 'ustar') return tarPreview(source, limits)
  if (head[0] === 0x1f && head[1] === 0x8b && source.isCut !== true) {
    const inner = unzippedHead(source)
    const found = inner && (await previewOf(inner, limits))
    return found?.kind === 'bytes' ? undefined : found && withGzip(found)
  }
  return undefined
}

/** A JPEG may have a preview of its own before its size. */
const IMAGE_BYTES = 2 ** 18
const ZIP = Buffer.from('PK\x03\x04', 'latin1')
const EMPTY_ZIP = Buffer.from('PK\x05\x06', 'latin1')

function withGzip(preview: Preview): Preview {
  return 'packed' in preview || preview.kind === 'image' || preview.kind === 'bytes'
    ? preview
    : { ...preview, packed: 'gzip' }
}

/** First bytes of what is often met. */
const FORMATS: readonly (readonly [magic: string, format: string])[] = [
  ['PAR1', 'Parquet'],
  ['ARROW1', 'Arrow'],
  ['\x89HDF\r\n\x1a\n', 'HDF5'],
  ['SQLite format 3\0', 'SQLite'],
  ['GGUF', 'GGUF'],
  ['%PDF-', 'PDF'],
  ['\x1f\x8b', 'gzip'],
  ['\x28\xb5\x2f\xfd', 'zstd'],
  ['\xfd7zXZ\0', 'xz'],
  ['BZh', 'bzip2'],
  ['\x7fELF', 'ELF'],
  ['Obj\x01', 'Avro'],
  ['\x80\x02', 'pickle'],
  ['\x80\x03', 'pickle'],
  ['\x80\x04', 'pickle'],
  ['\x80\x05', 'pickle'],
]

function bytesOf(head: Buffer): BytesPreview {
  const start = head.toString('latin1', 0, 32)
  const format = FORMATS.find(([magic]) => start.startsWith(magic))?.[1]
  return {
    kind: 'bytes',
    ...(format === undefined ? {} : { format }),
    head: head.toString('hex', 0, SHOWN_BYTES),
  }
}
