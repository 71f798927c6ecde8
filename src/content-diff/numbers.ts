/** Bytes as numbers, in the ways that files of tensors write them. */

/** Numbers by index; whole ones of 64 bits are bigints. */
export type Numbers = ArrayLike<number> | ArrayLike<bigint>

/** How to read elements that are written so; undefined where nothing here can. The bytes begin where any array can. */
export function numbersOf(encoding: string): ((bytes: Buffer) => Numbers) | undefined {
  return Object.hasOwn(READERS, encoding) ? READERS[encoding] : undefined
}

const READERS: Readonly<Record<string, (bytes: Buffer) => Numbers>> = {
  u1: (bytes) => bytes,
  i1: ({ buffer, byteOffset, length }) => new Int8Array(buffer, byteOffset, length),
  u2: ({ buffer, byteOffset, length }) => new Uint16Array(buffer, byteOffset, length / 2),
  i2: ({ buffer, byteOffset, length }) => new Int16Array(buffer, byteOffset, length / 2),
  u4: ({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length / 4),
  i4: ({ buffer, byteOffset, length }) => new Int32Array(buffer, byteOffset, length / 4),
  u8: ({ buffer, byteOffset, length }) => new BigUint64Array(buffer, byteOffset, length / 8),
  i8: ({ buffer, byteOffset, length }) => new BigInt64Array(buffer, byteOffset, length / 8),
  f4: ({ buffer, byteOffset, length }) => new Float32Array(buffer, byteOffset, length / 4),
  f8: ({ buffer, byteOffset, length }) => new Float64Array(buffer, byteOffset, length / 8),
  f2: ({ buffer, byteOffset, length }) =>
    Float64Array.from(new Uint16Array(buffer, byteOffset, length / 2), (bits) => half(bits)),
  bf16: (bytes) => {
    const { buffer, byteOffset, length } = bytes
    const bits = Uint32Array.from(new Uint16Array(buffer, byteOffset, length / 2), (x) => x << 16)
    return new Float32Array(bits.buffer)
  },
  e5m2: (bytes) => Float64Array.from(bytes, (bits) => half(bits << 8)),
  e4m3: (bytes) => Float64Array.from(bytes, e4m3),
}

/** IEEE 754 binary16. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** FP8 E4M3 (Micikevicius et al. 2022): no infinities, and NaN where all bits but the sign are set. */
function e4m3(bits: number): number {
  const sign = bits & 0x80 ? -1 : 1
  const exponent = (bits >> 3) & 15
  const fraction = bits & 7
  if (exponent === 15 && fraction === 7) return Number.NaN
  if (exponent === 0) return sign * fraction * 2 ** -9
  return sign * (1 + fraction / 8) * 2 ** (exponent - 7)
}
