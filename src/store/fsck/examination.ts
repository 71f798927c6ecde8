/** What the checks of one look at a store share, and hand on to each other. */
import type { ObjectId, OperationOptions } from '../../types.ts'
import type { StoreIdentity } from '../index/database.ts'
import type { Io } from '../io/io.ts'
import type { Layout } from '../layout.ts'
import type { FreshIndex } from './fresh-index.ts'
import type { LiveIndex } from './live-index.ts'
import type { Problems } from './problems.ts'

export interface ExamineOptions extends OperationOptions {
  readonly io: Io
  readonly layout: Layout
  readonly cacheDir?: string | undefined
  /** The project that refs leave out. */
  readonly project: string
  /** The share of the packs whose bytes are read, 0 to 1. */
  readonly data: number
  /** Packs whose bytes are read in any case. */
  readonly readAlso?: ReadonlySet<ObjectId>
  /** Worker threads. */
  readonly jobs?: number | undefined
}

/** Counts of what was looked at, such as `operations`. */
export type Counts = Readonly<Record<string, number>>

export interface Examination extends ExamineOptions {
  readonly problems: Problems
  /** Of packs. */
  bytesRead: number
  /** What `format.json` says, or as much of it as can be known otherwise. */
  identity: StoreIdentity
  /** False where `format.json` is damaged: then `identity` is pieced together. */
  isIdentityKnown: boolean
  /** Made by the check of the log. */
  fresh: FreshIndex
  /** Opened by the check of the index. */
  live: LiveIndex
  /** The first operation that is damaged or missing: what is known of the rest is what fits without it. */
  gap: number | undefined
  /** The first operation that only a newer program understands: the log was read up to the one before. */
  blocked: number | undefined
}
