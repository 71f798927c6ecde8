/** What names there are in `log/`. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { damaged, isSystemError } from '../../errors.ts'
import { type Layout, parseSegmentName } from '../layout.ts'
import type { Segment } from './segment.ts'

export interface Listing {
  /** The highest number that an operation's file has; 0: there is none. */
  readonly highest: number
  /** Those with the most operations first. */
  readonly segments: readonly Segment[]
}

/** Throws ERR_DAMAGED when there is no such directory. */
export function listLog(layout: Layout): Listing {
  let highest = 0
  const segments: Segment[] = []
  for (const name of namesIn(layout)) {
    const digits = OPERATION.exec(name)?.[1]
    if (digits !== undefined) highest = Math.max(highest, Number(digits))
    const range = parseSegmentName(name)
    if (range !== undefined) segments.push({ ...range, path: join(layout.log, name) })
  }
  segments.sort((a, b) => b.last - b.first - (a.last - a.first) || a.first - b.first)
  return { highest, segments }
}

const OPERATION = /^(\d{12})\.json$/

function namesIn(layout: Layout): string[] {
  try {
    return readdirSync(layout.log)
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) throw damaged(`The directory "${layout.log}" is missing.`)
    throw error
  }
}

/** Whether a segment's name says that it holds this operation. */
export function holds({ first, last }: Segment, n: number): boolean {
  return first <= n && n <= last
}
