/**
 * Arrays of numbers: how far two of one type and shape are from each other. Bytes that lie in a chunk which both files
 * have at the same place of the array are equal, and are not read; the rest is read in blocks.
 */
import { endianness } from 'node:os'
import type { CompareOptions } from './compare.ts'
import type { TensorChange, TensorShape, TensorsDifference, TensorValues } from './difference.ts'
import { numbersOf } from './numbers.ts'
import type { Chunks, Source } from './source.ts'

/** An array in a file. */
export interface Tensor extends TensorShape {
  /** Where its bytes begin and end in the file. */
  readonly start: number
  readonly end: number
  /** Bytes of an element. */
  readonly itemBytes: number
  /** How elements are written, as in `numbersOf`; none: they are only compared bit by bit. */
  readonly encoding?: string
  readonly isBigEndian?: boolean
}

type Counts = Pick<
  TensorsDifference,
  'added' | 'removed' | 'changed' | 'unchanged' | 'tensors' | 'omitted'
>

/** Compares arrays of the same name; they are listed in the order of their names. */
export async function compareTensors(
  before: Source,
  after: Source,
  a: ReadonlyMap<string, Tensor>,
  b: ReadonlyMap<string, Tensor>,
  { limit, signal }: Pick<CompareOptions, 'limit' | 'signal'>,
): Promise<Counts> {
  const counts = { added: 0, removed: 0, changed: 0, unchanged: 0 }
  const tensors: TensorChange[] = []
  for (const name of Array.from(new Set([...a.keys(), ...b.keys()])).sort()) {
    const change = await compareOne(name, before, after, a.get(name), b.get(name), signal)
    counts[change?.kind ?? 'unchanged']++
    if (change !== undefined && tensors.length < limit) tensors.push(change)
  }
  const { added, removed, changed } = counts
  return { ...counts, tensors, omitted: added + removed + changed - tensors.length }
}

async function compareOne(
  name: string,
  before: Source,
  after: Source,
  old: Tensor | undefined,
  now: Tensor | undefined,
  signal: AbortSignal | undefined,
): Promise<TensorChange | undefined> {
  if (old === undefined) return { kind: 'added', name, after: shapeOf(now as Tensor) }
  if (now === undefined) return { kind: 'removed', name, before: shapeOf(old) }
  const sides = { before: shapeOf(old), after: shapeOf(now) }
  if (old.dtype !== now.dtype || old.shape.join() !== now.shape.join()) {
    return { kind: 'changed', name, ...sides }
  }
  const values = await compareElements(before, after, old, now, signal)
  return values.changed === 0 ? undefined : { kind: 'changed', name, ...sides, values }
}

function shapeOf({ dtype, shape }: Tensor): TensorShape {
  return { dtype, shape }
}

const BLOCK_BYTES = 4 << 20
const OURS_IS_BIG = endianness() === 'BE'

async function compareElements(
  before: Source,
  after: Source,
  old: Tensor,
  now: Tensor,
  signal: AbortSignal | undefined,
): Promise<TensorValues> {
  const { itemBytes } = old
  const total = new Total()
  for (const [from, to] of unshared(before.chunks(), after.chunks(), old, now)) {
    const first = Math.floor(from / itemBytes) * itemBytes
    const end = Math.min(Math.ceil(to / itemBytes) * itemBytes, old.end - old.start)
    const block = Math.max(1, Math.floor(BLOCK_BYTES / itemBytes)) * itemBytes
    for (let at = first; at < end; at += block) {
      const length = Math.min(block, end - at)
      const a = aligned(before.read(old.start + at, length), old)
      const b = aligned(after.read(now.start + at, length), now)
      if (!a.equals(b)) total.add(a, b, old)
      await new Promise((resolve) => setImmediate(resolve))
      signal?.throwIfAborted()
    }
  }
  return total.values((old.end - old.start) / itemBytes)
}

/** A copy whose memory begins where arrays of any type can, in the order of bytes of this machine. */
function aligned(bytes: Uint8Array, { itemBytes, isBigEndian = false }: Tensor): Buffer {
  const copy = Buffer.from(new ArrayBuffer(bytes.length))
  copy.set(bytes)
  if (isBigEndian === OURS_IS_BIG) return copy
  if (itemBytes === 2) return copy.swap16()
  if (itemBytes === 4) return copy.swap32()
  return itemBytes === 8 ? copy.swap64() : copy
}

/** Ranges of bytes, from the beginning of the array, that chunks do not show to be equal. */
function* unshared(
  before: Chunks,
  after: Chunks,
  old: Tensor,
  now: Tensor,
): Generator<readonly [number, number]> {
  const shift = now.start - old.start
  let open: number | undefined
  for (let index = indexAt(before, old.start); ; index++) {
    const start = before.starts[index]
    if (start === undefined || start >= old.end || index === before.starts.length - 1) break
    const other = indexAt(after, start + shift)
    const isShared =
      after.starts[other] === start + shift &&
      other < after.starts.length - 1 &&
      before.ids.compare(after.ids, other * 32, other * 32 + 32, index * 32, index * 32 + 32) === 0
    const from = Math.max(0, start - old.start)
    if (!isShared) {
      open ??= from
    } else if (open !== undefined) {
      yield [open, from]
      open = undefined
    }
  }
  if (open !== undefined) yield [open, old.end - old.start]
}

/** Index of the chunk that holds the byte at `at`. */
function indexAt({ starts }: Chunks, at: number): number {
  let low = 0
  let high = starts.length - 1
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if ((starts[middle] as number) <= at) low = middle
    else high = middle
  }
  return low
}

class Total {
  #changed = 0
  #notFinite = 0
  #max = -1
  #sum = 0

  /** Counts elements of two blocks that differ. */
  add(a: Buffer, b: Buffer, { itemBytes, encoding }: Tensor): void {
    const numbers = encoding === undefined ? undefined : numbersOf(encoding)
    const [x, y] = [numbers?.(a), numbers?.(b)]
    for (let at = 0, index = 0; at < a.length; at += itemBytes, index++) {
      if (isEqual(a, b, at, itemBytes)) continue
      this.#changed++
      if (x === undefined || y === undefined) continue
      const difference = Math.abs(Number((y[index] as never) - (x[index] as never)))
      if (Number.isFinite(difference)) {
        this.#sum += difference
        if (difference > this.#max) this.#max = difference
      } else {
        this.#notFinite++
      }
    }
  }

  values(elements: number): TensorValues {
    const mean = this.#sum / elements
    return {
      elements,
      changed: this.#changed,
      ...(this.#max < 0 ? {} : { max: this.#max }),
      ...(this.#max < 0 || !Number.isFinite(mean) ? {} : { mean }),
      notFinite: this.#notFinite,
    }
  }
}

function isEqual(a: Buffer, b: Buffer, at: number, length: number): boolean {
  for (let index = at; index < at + length; index++) if (a[index] !== b[index]) return false
  return true
}
