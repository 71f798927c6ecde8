/**
 * Arrays of numbers as NumPy writes them (NEP 1): magic, version, length of the header, a Python dictionary of element
 * type, order and shape, padded so that the numbers begin at a multiple of 64 bytes. Arrays of Python objects hold
 * pickles, which are programs; they are refused like every type that JavaScript has no array for.
 */
import { endianness } from 'node:os'
import { ArtifactsError } from '../errors.ts'

export type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array

/** An array of any number of dimensions but one; in C order, the last index changing fastest. */
export class NdArray {
  readonly data: TypedArray
  readonly shape: readonly number[]

  /** @throws ArtifactsError ERR_INVALID_VALUE when the shape does not have as many elements. */
  constructor(data: TypedArray, shape: readonly number[]) {
    const count = shape.reduce((product, length) => product * length, 1)
    if (
      !shape.every((length) => Number.isSafeInteger(length) && length >= 0) ||
      count !== data.length
    ) {
      throw new ArtifactsError(
        'ERR_INVALID_VALUE',
        `An array of ${data.length} elements has not the shape "${shape.join(' × ')}".`,
      )
    }
    this.data = data
    this.shape = [...shape]
  }
}

/** Whether `value` is an array that a `.npy` file can hold. */
export function isTypedArray(value: unknown): value is TypedArray {
  return Object.values(TYPES).some((type) => value instanceof type)
}

export function encodeNpy(array: TypedArray | NdArray): Uint8Array {
  const { data, shape } = array instanceof NdArray ? array : { data: array, shape: [array.length] }
  const lengths = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const header = `{'descr': '${typeOf(data)}', 'fortran_order': False, 'shape': (${lengths}), }`
  const length = Math.ceil((PREFIX + header.length + 1) / ALIGNMENT) * ALIGNMENT
  const bytes = Buffer.alloc(length + data.byteLength)
  bytes.write(MAGIC, 'latin1')
  bytes[6] = 1
  bytes.writeUInt16LE(length - PREFIX, 8)
  bytes.write(`${header.padEnd(length - PREFIX - 1)}\n`, PREFIX, 'latin1')
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), length)
  return bytes
}

/**
 * The array that the bytes hold; one of one dimension as it is. Nothing is allocated before all lengths fit.
 * @throws ArtifactsError ERR_INVALID_VALUE for bytes that are no such file; ERR_UNSUPPORTED for other types of elements.
 */
export function decodeNpy(bytes: Uint8Array, where: string): TypedArray | NdArray {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const { descr, isFortran, shape, start } = npyHeader(file, file.length, where)
  const [, endian = '', name = ''] = /^'([<>|=])(.*)'$/.exec(descr) ?? []
  if (!Object.hasOwn(TYPES, name)) throw otherType(where, descr)
  const type = TYPES[name as keyof typeof TYPES]
  const count = shape.reduce((product, length) => product * length, 1)
  const size = type.BYTES_PER_ELEMENT
  if (count * size !== file.length - start) {
    throw invalid(where, `it has ${file.length - start} bytes where its header has other lengths`)
  }
  const data = new type(count)
  const raw = Buffer.from(data.buffer)
  file.copy(raw, 0, start)
  if (size > 1 && endian === (OURS === '<' ? '>' : '<')) swap(raw, size)
  if (shape.length === 1) return data
  return new NdArray(isFortran ? inOrder(data, shape) : data, shape)
}

export interface NpyHeader {
  /** The type of the elements as Python writes it, with its quotes; `[` for a record. */
  readonly descr: string
  /** Whether the first index changes fastest. */
  readonly isFortran: boolean
  readonly shape: readonly number[]
  /** Where in the file the elements begin. */
  readonly start: number
}

/** Bytes that hold every header that is accepted. */
export const NPY_HEAD: number = 65_536 + 12

/**
 * What the header of a `.npy` file says.
 * @param head the first bytes of a file of `size` bytes
 * @throws ArtifactsError ERR_INVALID_VALUE
 */
export function npyHeader(head: Uint8Array, size: number, where: string): NpyHeader {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length)
  const { header, start } = readHeader(bytes, where)
  const [, descr = ''] = /'descr'\s*:\s*('[^']*'|\[)/.exec(header) ?? []
  const [, order] = /'fortran_order'\s*:\s*(True|False)/.exec(header) ?? []
  const [, lengths] = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header) ?? []
  if (descr === '' || order === undefined || lengths === undefined) {
    throw invalid(where, 'its header is none')
  }
  const shape = lengths.split(',').flatMap((text) => lengthOf(text, where))
  if (shape.length > MAX_DIMENSIONS) throw invalid(where, 'it has too many dimensions')
  if (start > size) throw invalid(where, 'it ends in its header')
  return { descr, isFortran: order === 'True', shape, start }
}

const MAGIC = '\x93NUMPY'
/** Bytes before the header in version 1. */
const PREFIX = 10
const ALIGNMENT = 64
const MAX_HEADER = 65_536
/** As in NumPy. */
const MAX_DIMENSIONS = 64
const OURS = endianness() === 'LE' ? '<' : '>'
const TYPES = {
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  i8: BigInt64Array,
  u8: BigUint64Array,
  f4: Float32Array,
  f8: Float64Array,
} as const

function typeOf(data: TypedArray): string {
  const [name] = Object.entries(TYPES).find(([, type]) => data instanceof type) ?? []
  return `${data.BYTES_PER_ELEMENT === 1 ? '|' : OURS}${name}`
}

function readHeader(file: Buffer, where: string): { header: string; start: number } {
  if (file.length < PREFIX || file.toString('latin1', 0, 6) !== MAGIC) {
    throw invalid(where, 'it does not begin as one')
  }
  const version = file[6] as number
  if (version < 1 || version > 3) throw invalid(where, `it has the unknown version ${version}`)
  if (version > 1 && file.length < PREFIX + 2) throw invalid(where, 'it ends in its header')
  const from = version === 1 ? PREFIX : PREFIX + 2
  const length = version === 1 ? file.readUInt16LE(8) : file.readUInt32LE(8)
  if (length > MAX_HEADER || from + length > file.length) {
    throw invalid(where, `its header of ${length} bytes is not there`)
  }
  return { header: file.toString('latin1', from, from + length), start: from + length }
}

/** One dimension, or none for what stands behind the last comma. */
function lengthOf(text: string, where: string): number[] {
  const digits = text.trim().replace(/L$/, '')
  if (digits === '') return []
  const length = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN
  if (Number.isSafeInteger(length)) return [length]
  throw invalid(where, `its shape has the length "${text.trim()}"`)
}

function swap(bytes: Buffer, size: number): void {
  if (size === 2) bytes.swap16()
  else if (size === 4) bytes.swap32()
  else bytes.swap64()
}

/** From Fortran's order, in which the first index changes fastest. */
function inOrder(data: TypedArray, shape: readonly number[]): TypedArray {
  const ordered = data.slice()
  const index = shape.map(() => 0)
  for (let from = 0; from < data.length; from++) {
    const at = index.reduce((sum, i, dimension) => sum * (shape[dimension] as number) + i, 0)
    ordered[at] = data[from] as never
    for (let dimension = 0; dimension < shape.length; dimension++) {
      index[dimension] = (index[dimension] as number) + 1
      if ((index[dimension] as number) < (shape[dimension] as number)) break
      index[dimension] = 0
    }
  }
  return ordered
}

function invalid(where: string, why: string): ArtifactsError {
  return new ArtifactsError('ERR_INVALID_VALUE', `"${where}" is no array of NumPy: ${why}.`, {
    hint: 'Read its bytes instead of its value: `artifacts cat REF PATH`.',
  })
}

function otherType(where: string, type: string): ArtifactsError {
  const objects = /^'\|?O/.test(type)
  return new ArtifactsError(
    'ERR_UNSUPPORTED',
    objects
      ? `"${where}" is an array of Python objects, which are programs and are not run here.`
      : `"${where}" is an array of elements of the type ${type === '[' ? 'of a record' : type}, which has no JavaScript array.`,
    { hint: 'Save it from Python with another type: `numpy.save(file, array.astype("float32"))`.' },
  )
}
