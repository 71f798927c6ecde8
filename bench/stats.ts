/** Medians with their spread, and when a comparison says nothing. */

export interface Figure {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly count: number
}

/** A comparison with something that itself varies by more than this part of its median is void. */
export const SPREAD_LIMIT = 0.25

/** Undefined for no values. */
export function figureOf(values: readonly number[]): Figure | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const min = sorted[0]
  const max = sorted.at(-1)
  if (min === undefined || max === undefined) return undefined
  const upper = sorted[sorted.length >> 1] ?? max
  const lower = sorted[(sorted.length - 1) >> 1] ?? min
  return { median: (lower + upper) / 2, min, max, count: sorted.length }
}

/** How far the values lie apart, as a part of the median. */
export function spreadOf({ median, min, max }: Figure): number {
  return median === 0 ? 0 : (max - min) / median
}

export function isSteady(figure: Figure): boolean {
  return spreadOf(figure) <= SPREAD_LIMIT
}
