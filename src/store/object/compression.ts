/**
 * Compression of single objects. Written: brotli, which every Node reads, or nothing; read: zstd too where Node has it.
 *
 * Most bytes of models, images and archives can't be made smaller, and finding that out by trying costs more than
 * hashing them. So the entropy of a sample decides first: at 1,024 bytes in 16 places it costs about 1 µs an object.
 * Qualities are chosen by measurement (one core; ratio beside zstd 3, restic's default):
 *
 *     text of 1–16 KiB    quality 1: 193 MB/s, 0.310    2: 118 MB/s, 0.287    3: 98 MB/s, 0.280    zstd 0.284
 *     CSV, 64 KiB chunks  quality 0: 345 MB/s, 0.399    1: 260 MB/s, 0.338    2: 131 MB/s, 0.325   zstd 0.344
 *     tree nodes          quality 1: 237 MB/s, 0.838    2: 167 MB/s, 0.818    5: 45 MB/s, 0.810
 *
 * Window, mode and size hint change neither speed nor ratio by more than 2 %.
 */
import * as zlib from 'node:zlib'
import { ArtifactsError, damaged } from '../../errors.ts'
import { CHUNK, type ObjectKind } from './id.ts'

/** How a record's payload is encoded, by its number in packs. */
export const Codec = { none: 0, brotli: 1, zstd: 2 } as const
export type Codec = (typeof Codec)[keyof typeof Codec]

export interface Compressed {
  readonly codec: Codec
  /** The bytes to store; `raw` itself where nothing is gained. */
  readonly bytes: Uint8Array
}

/** Kept only where it saves at least 8 %. */
const WORTHWHILE = 0.92
/** Bits a byte. Where letters alone decide, 7.36 would save 8 %; float32 weights stand at 7.3 and fall short of it. */
const CHUNK_ENTROPY = 7.2
/** Nodes look worse than they are: their ids are noise, what stands between them repeats. */
const METADATA_ENTROPY = 7.7
/**
 * Chunks between these sizes deserve the higher quality: 7 % smaller for 65 % more time. Smaller ones gain only 4 %, and
 * those of large files must keep up with the disk.
 */
const BETTER_ABOVE = 8_192
const BETTER_UP_TO = 16_384

const SAMPLES = 16
const SAMPLE_BYTES = 64

const counts = new Uint16Array(256)
/** n · log2(n) */
const TERMS = Float64Array.from({ length: SAMPLES * SAMPLE_BYTES + 1 }, (_, n) =>
  n === 0 ? 0 : n * Math.log2(n),
)

/** Makes an object smaller if that is worthwhile. The same bytes give the same result. */
export function compress(raw: Uint8Array, kind: ObjectKind): Compressed {
  if (sampledEntropy(raw) < (kind === CHUNK ? CHUNK_ENTROPY : METADATA_ENTROPY)) {
    const isWorthMore = raw.length > BETTER_ABOVE && raw.length <= BETTER_UP_TO
    const quality = kind !== CHUNK || isWorthMore ? 2 : 1
    const bytes = zlib.brotliCompressSync(raw, {
      // One allocation for nearly every object; the default is 16 KiB at a time.
      chunkSize: Math.max(raw.length >>> 1, 64),
      params: { [zlib.constants.BROTLI_PARAM_QUALITY]: quality },
    })
    if (bytes.length <= raw.length * WORTHWHILE) return { codec: Codec.brotli, bytes }
  }
  return { codec: Codec.none, bytes: raw }
}

/**
 * Returns the `rawLength` bytes that `stored` stands for; with codec 0 that is `stored` itself.
 * @throws ArtifactsError `ERR_DAMAGED` when it stands for anything else, `ERR_UNSUPPORTED` for a codec this program or
 * this Node does not have.
 */
export function decompress(codec: number, stored: Uint8Array, rawLength: number): Uint8Array {
  const raw = codec === Codec.none ? stored : decoded(codec, stored, rawLength)
  if (raw.length !== rawLength) {
    throw damaged(`Stored bytes stand for ${raw.length} bytes where ${rawLength} are expected`)
  }
  return raw
}

/** Whether this program, on this Node, can decompress what has this codec. */
export function isReadable(codec: number): boolean {
  return codec < Codec.zstd || (codec === Codec.zstd && 'zstdDecompressSync' in zlib)
}

type Decode = (stored: Uint8Array, options: zlib.ZlibOptions) => Buffer

function decoded(codec: number, stored: Uint8Array, rawLength: number): Uint8Array {
  const decode = decoderOf(codec)
  try {
    // Room for one byte more: a buffer that is filled exactly makes Node ask for another one.
    return decode(stored, {
      maxOutputLength: Math.max(rawLength, 1),
      chunkSize: Math.max(rawLength + 1, 64),
    })
  } catch (error) {
    if (!isRefusal(error)) throw error
    throw damaged(`Stored bytes can't be decompressed to ${rawLength} bytes`, { cause: error })
  }
}

function decoderOf(codec: number): Decode {
  if (codec === Codec.brotli) return zlib.brotliDecompressSync
  if (codec !== Codec.zstd) {
    throw new ArtifactsError(
      'ERR_UNSUPPORTED',
      `Stored bytes have the codec "${codec}", which this version does not know`,
      {
        hint: 'Use a newer version of artifacts.',
      },
    )
  }
  const decode = (zlib as { readonly zstdDecompressSync?: Decode }).zstdDecompressSync
  if (decode === undefined) {
    throw new ArtifactsError(
      'ERR_UNSUPPORTED',
      `Stored bytes have the codec "zstd", which Node ${process.version} does not know`,
      {
        hint: 'Use Node 22.15 or newer.',
      },
    )
  }
  return decode
}

/** Whether a decoder refused its input. Its codes are many (`Z_BUF_ERROR`, `ERR_BUFFER_TOO_LARGE`, one per rule). */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && !/ALLOC|MEM/.test(String(error.code))
}

/** Shannon entropy in bits a byte, by Miller and Madow's estimate for small samples. */
function sampledEntropy(bytes: Uint8Array): number {
  counts.fill(0)
  const sampled = Math.min(bytes.length, SAMPLES * SAMPLE_BYTES)
  if (sampled === bytes.length) count(bytes, 0, sampled)
  else {
    const step = (bytes.length - SAMPLE_BYTES) / (SAMPLES - 1)
    for (let i = 0; i < SAMPLES; i++) {
      const from = Math.floor(i * step)
      count(bytes, from, from + SAMPLE_BYTES)
    }
  }
  let sum = 0
  let distinct = 0
  for (let value = 0; value < 256; value++) {
    const times = counts[value] as number
    if (times === 0) continue
    sum += TERMS[times] as number
    distinct++
  }
  return Math.log2(sampled) - sum / sampled + (distinct - 1) / (2 * Math.LN2 * sampled)
}

function count(bytes: Uint8Array, from: number, to: number): void {
  for (let i = from; i < to; i++) (counts[bytes[i] as number] as number)++
}
