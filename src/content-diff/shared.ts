/**
 * What two files have in common, from the lists of their chunks alone. Runs in order are found as patience diff finds
 * lines: chunks that are once in each file, of them the longest sequence that ascends in both, and their neighbours.
 */
import type { Chunks } from './source.ts'

/** `length` bytes that are the same, from `before` on in one file and from `after` on in the other. */
export interface SharedRun {
  readonly before: number
  readonly after: number
  readonly length: number
}

/** Runs of shared chunks, ascending in both files. */
export function sharedRuns(before: Chunks, after: Chunks): SharedRun[] {
  const a = idsOf(before)
  const b = idsOf(after)
  const anchors = anchorsOf(a, b)
  const runs: SharedRun[] = []
  let [nextA, nextB] = [0, 0]
  for (let k = 0; k <= anchors.length; k++) {
    const anchor = anchors[k]
    let [i, j] = anchor ?? [a.length, b.length]
    if (i < nextA || j < nextB) continue
    while (i > nextA && j > nextB && a[i - 1] === b[j - 1]) {
      i--
      j--
    }
    const [fromA, fromB] = [i, j]
    while (i < a.length && j < b.length && a[i] === b[j]) {
      i++
      j++
    }
    if (i === fromA) continue
    const start = before.starts[fromA] as number
    runs.push({
      before: start,
      after: after.starts[fromB] as number,
      length: (before.starts[i] as number) - start,
    })
    nextA = i
    nextB = j
  }
  return runs
}

/** Bytes of each file in chunks that the other does not have, wherever they stand. */
export function ownBytes(before: Chunks, after: Chunks): { before: number; after: number } {
  const a = idsOf(before)
  const b = idsOf(after)
  return { before: bytesBeside(a, before, new Set(b)), after: bytesBeside(b, after, new Set(a)) }
}

function bytesBeside(ids: readonly string[], { starts }: Chunks, known: Set<string>): number {
  let bytes = 0
  for (const [index, id] of ids.entries()) {
    if (!known.has(id)) bytes += (starts[index + 1] as number) - (starts[index] as number)
  }
  return bytes
}

function idsOf({ ids, starts }: Chunks): string[] {
  return Array.from({ length: starts.length - 1 }, (_, index) =>
    ids.toString('latin1', index * 32, index * 32 + 32),
  )
}

type Pair = readonly [number, number]

/** Places of what is once in each sequence: of these, the longest list that ascends in both. */
export function anchorsOf(a: readonly string[], b: readonly string[]): Pair[] {
  return ascending(uniquePairs(a, b))
}

/** Chunks that are once in each file, in the order of the first. */
function uniquePairs(a: readonly string[], b: readonly string[]): Pair[] {
  const inB = placesOfUnique(b)
  const pairs: Pair[] = []
  for (const [id, index] of placesOfUnique(a)) {
    const other = index < 0 ? undefined : inB.get(id)
    if (other !== undefined && other >= 0) pairs.push([index, other])
  }
  return pairs
}

function placesOfUnique(ids: readonly string[]): Map<string, number> {
  const places = new Map<string, number>()
  for (const [index, id] of ids.entries()) places.set(id, places.has(id) ? -1 : index)
  return places
}

/** The longest subsequence that ascends in the second member (patience sorting). */
function ascending(pairs: readonly Pair[]): Pair[] {
  const ends: number[] = []
  const previous = new Int32Array(pairs.length)
  for (const [index, [, place]] of pairs.entries()) {
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((pairs[ends[middle] as number] as Pair)[1] < place) low = middle + 1
      else high = middle
    }
    previous[index] = low === 0 ? -1 : (ends[low - 1] as number)
    ends[low] = index
  }
  const found: Pair[] = []
  for (let at = ends.at(-1) ?? -1; at >= 0; at = previous[at] as number) {
    found.push(pairs[at] as Pair)
  }
  return found.reverse()
}
