/**
 * The changes that come of other stores (docs/format.md section 6, docs/remote.md). Each store has its own log: what a pull
 * brings is said in changes of this store, and these say what has no other words.
 */
import * as v from 'valibot'
import type { ArtifactId, ObjectId } from '../../types.ts'
import {
  artifactIdSchema,
  countSchema,
  list,
  nonceSchema,
  objectIdSchema,
  positiveSchema,
} from './schemas.ts'

/** A version, or the link of a portfolio, makes room for one that elsewhere has its number. */
export interface VersionRenumber {
  readonly kind: 'version.renumber'
  /** The version's artifact, or the portfolio that it is linked into. */
  readonly artifact: ArtifactId
  readonly version: ObjectId
  /** Free by then. */
  readonly number: number
  readonly old: number
}

/** Bytes of a partial version came. */
export interface VersionFetch {
  readonly kind: 'version.fetch'
  readonly artifact: ArtifactId
  readonly version: ObjectId
  /** All of them are here: the version is partial no more. */
  readonly whole?: true
}

/** Says that in other stores an artifact bears another id. */
export interface ArtifactJoin {
  readonly kind: 'artifact.join'
  readonly artifact: ArtifactId
  readonly as: ArtifactId
}

/** Says that the other changes of the operation are what another store's operations up to `n` mean here. */
export interface Pull {
  readonly kind: 'pull'
  /** Its id. */
  readonly store: string
  readonly n: number
}

export type SyncChange = VersionRenumber | VersionFetch | ArtifactJoin | Pull

/**
 * In which packs of a remote a version's objects lay when it came there: up to 100 packs, ascending; or the one pack that
 * holds the chunk `list`, which is their ids, 32 bytes each.
 */
export type Closure =
  | { readonly packs: readonly ObjectId[] }
  | { readonly list: ObjectId; readonly packs: readonly [ObjectId] }

/** Above this the packs of a closure stand in a list of their own. */
export const MOST_CLOSURE_PACKS = 100

export const closureSchema: v.GenericSchema<unknown, Closure> = v.union([
  v.strictObject({
    packs: v.pipe(
      list(objectIdSchema),
      v.check((ids) => ids.length <= MOST_CLOSURE_PACKS, 'too many packs'),
      v.check((ids) => ids.every((id, i) => i === 0 || (ids[i - 1] ?? '') < id), 'not ascending'),
    ),
  }),
  v.strictObject({ list: objectIdSchema, packs: v.tuple([objectIdSchema]) }),
])

type SyncSchemas = {
  readonly [K in SyncChange['kind']]: v.GenericSchema<
    unknown,
    Extract<SyncChange, { readonly kind: K }>
  >
}

export const SYNC_SCHEMAS: SyncSchemas = {
  'version.renumber': v.pipe(
    v.strictObject({
      kind: v.literal('version.renumber'),
      artifact: artifactIdSchema,
      version: objectIdSchema,
      number: countSchema,
      old: countSchema,
    }),
    v.check(({ number, old }) => number !== old, 'the same number'),
  ),
  'version.fetch': v.strictObject({
    kind: v.literal('version.fetch'),
    artifact: artifactIdSchema,
    version: objectIdSchema,
    whole: v.exactOptional(v.literal(true)),
  }),
  'artifact.join': v.strictObject({
    kind: v.literal('artifact.join'),
    artifact: artifactIdSchema,
    as: artifactIdSchema,
  }),
  pull: v.strictObject({ kind: v.literal('pull'), store: nonceSchema, n: positiveSchema }),
}
