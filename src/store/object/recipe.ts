/**
 * Recipes: the chunks of a file that has more than one (docs/format.md section 3). The list of a large file is cut into
 * parts after chunks whose ids say so, so that a change in the middle of it leaves the other parts as they were.
 */
import { damaged } from '../../errors.ts'
import { SINGLE_CHUNK_BYTES } from './chunker.ts'
import { CHUNK, ID_BYTES, objectHash, RECIPE } from './id.ts'
import { maxRawLength } from './pack.ts'

/** Ids (32 bytes each, one after another) with the length in bytes of what each stands for. */
export interface Pieces {
  readonly ids: Buffer
  readonly lengths: readonly number[]
}

/** A file and all its chunks. */
export interface ChunkedFile extends Pieces {
  /** Bytes. */
  readonly size: number
  /** Of the whole file. */
  readonly sha256: Uint8Array
}

/** A file, as its chunks or as recipes of parts. */
export interface FileRecipe extends ChunkedFile {
  readonly of: 'chunks' | 'parts'
}

/** The chunks of one part of a file. */
export interface PartRecipe extends Pieces {
  readonly of: 'part'
}

export type Recipe = FileRecipe | PartRecipe

export interface SplitRecipe {
  readonly root: FileRecipe
  /** Encoded recipes of the parts, in order; none for a file of few chunks. */
  readonly parts: readonly Buffer[]
}

/** Files of up to this many chunks have a recipe without parts. */
const MAX_CHUNKS = 4_096
const MAX_PART_CHUNKS = 16_384
const TAGS = ['chunks', 'parts', 'part'] as const
const FILE_HEADER_BYTES = 1 + 8 + ID_BYTES + 4
const PART_HEADER_BYTES = 1 + 4

/** Cuts a file's list of chunks into parts where it is long. */
export function splitRecipe(file: ChunkedFile): SplitRecipe {
  const { size, sha256, ids, lengths } = file
  if (lengths.length <= MAX_CHUNKS) {
    return { root: { of: 'chunks', size, sha256, ids, lengths }, parts: [] }
  }
  const parts: Buffer[] = []
  const partIds: Buffer[] = []
  const partLengths: number[] = []
  for (let from = 0, to = 0; from < lengths.length; from = to) {
    do to++
    while (to < lengths.length && to - from < MAX_PART_CHUNKS && !endsPart(ids, to - 1))
    const partOf = lengths.slice(from, to)
    const part = encodeRecipe({ of: 'part', ids: idsOf(ids, from, to), lengths: partOf })
    parts.push(part)
    partIds.push(objectHash(RECIPE, part))
    partLengths.push(sum(partOf))
  }
  const root = {
    of: 'parts',
    size,
    sha256,
    ids: Buffer.concat(partIds),
    lengths: partLengths,
  } as const
  return { root, parts }
}

export function encodeRecipe(recipe: Recipe): Buffer {
  const { of, ids, lengths } = recipe
  const itemBytes = itemBytesOf(of)
  const headerBytes = of === 'part' ? PART_HEADER_BYTES : FILE_HEADER_BYTES
  const bytes = Buffer.alloc(headerBytes + lengths.length * itemBytes)
  bytes[0] = TAGS.indexOf(of)
  if (of !== 'part') {
    writeU64(recipe.size, bytes, 1)
    bytes.set(recipe.sha256, 9)
  }
  bytes.writeUInt32LE(lengths.length, headerBytes - 4)
  for (const [index, length] of lengths.entries()) {
    const at = headerBytes + index * itemBytes
    bytes.set(idsOf(ids, index, index + 1), at)
    if (of === 'parts') writeU64(length, bytes, at + ID_BYTES)
    else bytes.writeUInt32LE(length, at + ID_BYTES)
  }
  return bytes
}

/**
 * Reads a recipe and checks all that can be said without its parts. `name` begins the message when it is refused.
 * @throws ArtifactsError `ERR_DAMAGED`
 */
export function decodeRecipe(encoded: Uint8Array, name: string): Recipe {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  const refuse = (reason: string): never => {
    throw damaged(`${name} is not as it was written: ${reason}`)
  }
  const of = TAGS[bytes[0] ?? TAGS.length] ?? refuse('it is of no kind that recipes have')
  const headerBytes = of === 'part' ? PART_HEADER_BYTES : FILE_HEADER_BYTES
  if (bytes.length < headerBytes) refuse('it ends too early')
  const itemBytes = itemBytesOf(of)
  const count = bytes.readUInt32LE(headerBytes - 4)
  if (bytes.length !== headerBytes + count * itemBytes)
    refuse('it has another length than its count')
  const ids = Buffer.allocUnsafe(count * ID_BYTES)
  const lengths: number[] = []
  for (let index = 0; index < count; index++) {
    const at = headerBytes + index * itemBytes
    bytes.copy(ids, index * ID_BYTES, at, at + ID_BYTES)
    lengths.push(of === 'parts' ? readU64(bytes, at + ID_BYTES) : bytes.readUInt32LE(at + ID_BYTES))
  }
  if (lengths.includes(0)) refuse('a piece of it is empty')
  if (of !== 'parts' && lengths.some((length) => length > maxRawLength(CHUNK))) {
    refuse('a chunk of it is longer than a chunk can be')
  }
  if (of === 'part') {
    checkPartEnds(ids, count, refuse)
    return { of, ids, lengths }
  }
  const size = readU64(bytes, 1)
  if (size <= SINGLE_CHUNK_BYTES) refuse('its file is so small that it is one chunk')
  if (size !== sum(lengths)) refuse('its lengths do not add up')
  if (of === 'chunks' && (count < 2 || count > MAX_CHUNKS)) refuse(`it has ${count} chunks`)
  return { of, size, sha256: Buffer.from(bytes.subarray(9, 9 + ID_BYTES)), ids, lengths }
}

/**
 * Checks part number `index` of `root`, which `bytes` are said to be, and returns its chunks.
 * @throws ArtifactsError `ERR_DAMAGED`
 */
export function decodePart(
  bytes: Uint8Array,
  root: FileRecipe,
  index: number,
  name: string,
): Pieces {
  const part = decodeRecipe(bytes, name)
  const isLast = index === root.lengths.length - 1
  const count = part.lengths.length
  const fits =
    part.of === 'part' &&
    sum(part.lengths) === root.lengths[index] &&
    (isLast || count === MAX_PART_CHUNKS || endsPart(part.ids, count - 1)) &&
    (index > 0 || !isLast || count > MAX_CHUNKS)
  if (!fits) throw damaged(`${name} is not as it was written: it is no part of its file`)
  return part
}

function checkPartEnds(ids: Buffer, count: number, refuse: (reason: string) => never): void {
  if (count === 0 || count > MAX_PART_CHUNKS) refuse(`it has ${count} chunks`)
  for (let index = 0; index < count - 1; index++) {
    if (endsPart(ids, index)) refuse('it goes on behind its end')
  }
}

/** Whether a part ends after this chunk. */
function endsPart(ids: Uint8Array, index: number): boolean {
  const at = index * ID_BYTES
  return ids[at + 1] === 0 && ((ids[at] as number) & 0x0f) === 0
}

function itemBytesOf(of: Recipe['of']): number {
  return ID_BYTES + (of === 'parts' ? 8 : 4)
}

function idsOf(ids: Buffer, from: number, to: number): Buffer {
  return ids.subarray(from * ID_BYTES, to * ID_BYTES)
}

function writeU64(value: number, into: Buffer, at: number): void {
  into.writeBigUInt64LE(BigInt(value), at)
}

/** Numbers beyond 53 bits come out so large that no sum of lengths can be equal to them. */
function readU64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at))
}

function sum(lengths: readonly number[]): number {
  return lengths.reduce((total, length) => total + length, 0)
}
