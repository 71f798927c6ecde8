/**
 * Files of safetensors: the length of a header in eight bytes, the header as JSON, and the bytes of all tensors. The
 * format is that of github.com/huggingface/safetensors; its rules for offsets and shapes are checked before anything is read by them.
 */
import * as v from 'valibot'
import type { Json } from '../types.ts'
import type { CompareOptions } from './compare.ts'
import type { TensorsDifference } from './difference.ts'
import { parseExactly } from './json.ts'
import type { Source } from './source.ts'
import { compareTensors, type Tensor } from './tensors.ts'
import { Unfit } from './unfit.ts'
import { compareValues } from './values.ts'

/** The format allows 100 MB; this holds the names of 250,000 tensors. */
const MAX_HEADER = 32 << 20

/** Bits of an element, and how it is written where that can be read. */
const DTYPES: Readonly<Record<string, readonly [bits: number, encoding?: string]>> = {
  BOOL: [8, 'u1'],
  U8: [8, 'u1'],
  I8: [8, 'i1'],
  F8_E5M2: [8, 'e5m2'],
  F8_E4M3: [8, 'e4m3'],
  F8_E8M0: [8],
  I16: [16, 'i2'],
  U16: [16, 'u2'],
  F16: [16, 'f2'],
  BF16: [16, 'bf16'],
  I32: [32, 'i4'],
  U32: [32, 'u4'],
  F32: [32, 'f4'],
  I64: [64, 'i8'],
  U64: [64, 'u8'],
  F64: [64, 'f8'],
  C64: [64],
}

export interface SafetensorsContents {
  readonly tensors: Map<string, Tensor>
  readonly metadata: Json
}

/** @returns Unfit for files that are none. */
export async function compareSafetensors(
  before: Source,
  after: Source,
  options: Pick<CompareOptions, 'limit' | 'signal'>,
): Promise<TensorsDifference | Unfit> {
  const a = readContents(before)
  if (a instanceof Unfit) return a
  const b = readContents(after)
  if (b instanceof Unfit) return b
  const counts = await compareTensors(before, after, a.tensors, b.tensors, options)
  const { limit } = options
  const { changes } = await compareValues(
    { __metadata__: a.metadata },
    { __metadata__: b.metadata },
    { format: 'json', mark: '', limit },
  )
  const isSame = counts.added + counts.removed + counts.changed + changes.length === 0
  const notes = isSame ? ['The same tensors, laid out differently.'] : []
  return { kind: 'tensors', format: 'safetensors', ...counts, metadata: changes, notes }
}

const HEADER = v.record(v.string(), v.unknown())
const TENSOR = v.object({
  dtype: v.pipe(v.string(), v.maxLength(32)),
  shape: v.pipe(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), v.maxLength(64)),
  data_offsets: v.tuple([v.pipe(v.number(), v.safeInteger()), v.pipe(v.number(), v.safeInteger())]),
})
const METADATA = v.optional(v.record(v.string(), v.string()), {})

/**
 * What the header says.
 * @param longest bytes that it may have
 */
export function readContents(
  source: Source,
  longest: number = MAX_HEADER,
): SafetensorsContents | Unfit {
  if (source.size < 8) return new Unfit('it ends in its header')
  const length = Number(Buffer.from(source.read(0, 8)).readBigUInt64LE(0))
  if (length > longest || length > source.size - 8) {
    return new Unfit(`it has no header of ${length} bytes`)
  }
  const header = parseExactly(Buffer.from(source.read(8, length)).toString(), '')
  if (header instanceof Unfit) return header
  const entries = v.safeParse(HEADER, header)
  if (!entries.success || Array.isArray(header)) return new Unfit('its header is no object')
  const start = 8 + length
  const tensors = new Map<string, Tensor>()
  let metadata: Json = {}
  for (const [name, value] of Object.entries(header as object)) {
    if (name === '__metadata__') {
      const texts = v.safeParse(METADATA, value)
      if (!texts.success) return new Unfit('its metadata are not texts')
      metadata = texts.output
      continue
    }
    const found = v.safeParse(TENSOR, value)
    const tensor = found.success ? tensorOf(found.output, start, source.size) : undefined
    if (tensor === undefined) {
      return new Unfit(`its header says of ${JSON.stringify(name.slice(0, 80))} what can't be`)
    }
    tensors.set(name, tensor)
  }
  return { tensors, metadata }
}

/** Undefined for a tensor that is not in the file, or whose bytes are not as many as its shape needs. */
function tensorOf(
  { dtype, shape, data_offsets: [from, to] }: v.InferOutput<typeof TENSOR>,
  start: number,
  size: number,
): Tensor | undefined {
  const bytes = to - from
  if (from < 0 || bytes < 0 || start + to > size) return undefined
  const elements = shape.reduce((product, length) => product * length, 1)
  const place = { dtype, shape, start: start + from, end: start + to }
  const [bits, encoding] = Object.hasOwn(DTYPES, dtype) ? (DTYPES[dtype] ?? [0]) : [0]
  if (bits === 0) return { ...place, itemBytes: 1 }
  if (elements * bits !== bytes * 8) return undefined
  return { ...place, itemBytes: bits / 8, ...(encoding === undefined ? {} : { encoding }) }
}
