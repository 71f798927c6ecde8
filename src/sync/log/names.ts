/** The names of a remote's log (docs/remote.md section 1). */
import type { OperationRange } from '../../store/layout.ts'

export const FORMAT_NAME = 'format.json'
export const LATEST_NAME = 'latest.json'

export function operationName(n: number): string {
  return `log/${twelve(n)}.json`
}

export function segmentName({ first, last }: OperationRange): string {
  return `log/${twelve(first)}-${twelve(last)}.jsonl`
}

/** Operations in a small segment, and in a large one. */
export const SEGMENT_SIZES: readonly [number, number] = [256, 16_384]

/** The segment of this size that holds operation `n`. */
export function segmentAround(n: number, size: number): OperationRange {
  const first = Math.floor((n - 1) / size) * size + 1
  return { first, last: first + size - 1 }
}

function twelve(n: number): string {
  return String(n).padStart(12, '0')
}
