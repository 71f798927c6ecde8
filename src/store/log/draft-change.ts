/**
 * The changes of drafts that several processes build together (docs/format.md section 6). Each process adds parts: trees
 * of entries whose bytes are stored with them. Finishing merges the parts into one version.
 */
import * as v from 'valibot'
import type { ObjectId } from '../../types.ts'
import {
  countSchema,
  nameSchema,
  nonceSchema,
  objectIdSchema,
  runIdSchema,
  somePathsSchema,
  textSchema,
} from './schemas.ts'

export interface DraftOpen {
  readonly kind: 'draft.open'
  /** Random, 32 hex digits. */
  readonly draft: string
  readonly project: string
  /** Of the artifact that the version will be of. */
  readonly name: string
  readonly type?: string
  /** What those who build it call it; of an artifact's open drafts each has another. */
  readonly key: string
  /** The version whose entries it starts from. */
  readonly base?: ObjectId
}

export interface DraftPart {
  readonly kind: 'draft.part'
  readonly draft: string
  /** Parts count from 0. */
  readonly part: number
  /** Root of the tree of its entries. */
  readonly root: ObjectId
  readonly files: number
  readonly bytes: number
  /** Who adds it, for messages. */
  readonly writer: string
  readonly run?: string
  /** Its entries take the place of those of other writers. */
  readonly overwrite?: true
  /** Entries of earlier parts and of the base that go, with all that is below them. */
  readonly removed?: readonly string[]
}

export interface DraftFinish {
  readonly kind: 'draft.finish'
  readonly draft: string
  /** What it became. */
  readonly version: ObjectId
}

export interface DraftAbort {
  readonly kind: 'draft.abort'
  readonly draft: string
}

export type DraftChange = DraftOpen | DraftPart | DraftFinish | DraftAbort

type DraftSchemas = {
  readonly [K in DraftChange['kind']]: v.GenericSchema<
    unknown,
    Extract<DraftChange, { readonly kind: K }>
  >
}

export const DRAFT_SCHEMAS: DraftSchemas = {
  'draft.open': v.strictObject({
    kind: v.literal('draft.open'),
    draft: nonceSchema,
    project: nameSchema,
    name: nameSchema,
    type: v.exactOptional(nameSchema),
    key: textSchema,
    base: v.exactOptional(objectIdSchema),
  }),
  'draft.part': v.strictObject({
    kind: v.literal('draft.part'),
    draft: nonceSchema,
    part: countSchema,
    root: objectIdSchema,
    files: countSchema,
    bytes: countSchema,
    writer: textSchema,
    run: v.exactOptional(runIdSchema),
    overwrite: v.exactOptional(v.literal(true)),
    removed: v.exactOptional(somePathsSchema),
  }),
  'draft.finish': v.strictObject({
    kind: v.literal('draft.finish'),
    draft: nonceSchema,
    version: objectIdSchema,
  }),
  'draft.abort': v.strictObject({ kind: v.literal('draft.abort'), draft: nonceSchema }),
}
