/**
 * The changes an operation can hold (docs/format.md section 6). This file is the one list of kinds: a new kind is an
 * interface and a schema here (those of runs: run-change.ts, of drafts: draft-change.ts, of other stores: sync-change.ts), and a case in `index/fold.ts` and in `invert.ts`, which do not compile without it.
 */
import * as v from 'valibot'
import type { ArtifactId, Metadata, ObjectId, VersionObject } from '../../types.ts'
import { DRAFT_SCHEMAS, type DraftChange } from './draft-change.ts'
import {
  RUN_SCHEMAS,
  type RunFinish,
  type RunLogs,
  type RunStart,
  type RunUpdate,
  type RunUses,
} from './run-change.ts'
import {
  aliasSchema,
  artifactIdSchema,
  countSchema,
  describe,
  isObject,
  list,
  metadataSchema,
  nameSchema,
  objectIdSchema,
  positiveSchema,
  replacing,
  someTagsSchema,
  tagsSchema,
  timeSchema,
} from './schemas.ts'
import { type Closure, closureSchema, SYNC_SCHEMAS, type SyncChange } from './sync-change.ts'

export interface ArtifactCreate {
  readonly kind: 'artifact.create'
  readonly artifact: ArtifactId
  readonly project: string
  readonly name: string
  readonly type: string
  /** It holds links to versions of other artifacts, and no versions of its own. */
  readonly portfolio?: true
}

/** Labels of an artifact, or some of them; null: not set. */
export interface ArtifactLabels {
  readonly type?: string
  readonly description?: string | null
}

export interface ArtifactEdit {
  readonly kind: 'artifact.edit'
  readonly artifact: ArtifactId
  readonly set: ArtifactLabels
  /** What the keys of `set` were before. */
  readonly old: ArtifactLabels
}

export interface ArtifactRename {
  readonly kind: 'artifact.rename'
  readonly artifact: ArtifactId
  readonly name: string
  readonly old: string
}

export interface VersionAdd {
  readonly kind: 'version.add'
  readonly artifact: ArtifactId
  readonly number: number
  /** The id of `object`. */
  readonly version: ObjectId
  readonly object: VersionObject
  readonly description?: string
  readonly metadata?: Metadata
  /** Without repetition. */
  readonly tags?: readonly string[]
  /** Where its objects lay when it was pushed here. */
  readonly closure?: Closure
  /** It came without its bytes, or without some: they are elsewhere. */
  readonly partial?: true
}

/** How long a version is kept: seconds from its creation; without a value, what the store says. */
export type Ttl = number | 'never'

/** Labels of a version, or some of them; null: not set. */
export interface VersionLabels {
  readonly description?: string | null
  readonly metadata?: Metadata | null
  readonly tags?: readonly string[] | null
  readonly ttl?: Ttl | null
}

export interface VersionEdit {
  readonly kind: 'version.edit'
  readonly artifact: ArtifactId
  readonly version: ObjectId
  readonly set: VersionLabels
  /** What the keys of `set` were before. */
  readonly old: VersionLabels
}

export interface VersionDelete {
  readonly kind: 'version.delete'
  readonly artifact: ArtifactId
  readonly version: ObjectId
}

export interface VersionRestore {
  readonly kind: 'version.restore'
  readonly artifact: ArtifactId
  readonly version: ObjectId
}

/** Says that a deleted version cannot come back. */
export interface VersionPurge {
  readonly kind: 'version.purge'
  readonly artifact: ArtifactId
  readonly version: ObjectId
}

export interface AliasSet {
  readonly kind: 'alias.set'
  readonly artifact: ArtifactId
  readonly alias: string
  readonly version: ObjectId
  /** The version it named before. */
  readonly old: ObjectId | null
}

export interface AliasRemove {
  readonly kind: 'alias.remove'
  readonly artifact: ArtifactId
  readonly alias: string
  /** The version it named. */
  readonly old: ObjectId
}

/** Makes a version of another artifact the version `number` of a portfolio. */
export interface LinkAdd {
  readonly kind: 'link.add'
  readonly portfolio: ArtifactId
  readonly number: number
  readonly version: ObjectId
}

export interface LinkRemove {
  readonly kind: 'link.remove'
  readonly portfolio: ArtifactId
  readonly number: number
  readonly version: ObjectId
}

export interface DroppedPack {
  readonly id: ObjectId
  /** Where to look for what it held. */
  readonly into?: ObjectId
}

export interface PacksDrop {
  readonly kind: 'packs.drop'
  readonly packs: readonly DroppedPack[]
}

/** Says that the other changes of the operation are the inverse of an earlier one's. */
export interface Undo {
  readonly kind: 'undo'
  readonly operation: number
}

export type Change =
  | ArtifactCreate
  | ArtifactEdit
  | ArtifactRename
  | VersionAdd
  | VersionEdit
  | VersionDelete
  | VersionRestore
  | VersionPurge
  | AliasSet
  | AliasRemove
  | LinkAdd
  | LinkRemove
  | RunStart
  | RunUpdate
  | RunFinish
  | RunUses
  | RunLogs
  | DraftChange
  | SyncChange
  | PacksDrop
  | Undo
export type ChangeKind = Change['kind']
export type ChangeOf<K extends ChangeKind> = Extract<Change, { readonly kind: K }>

const versionObjectSchema: v.GenericSchema<unknown, VersionObject> = v.strictObject({
  bytes: countSchema,
  createdAt: timeSchema,
  files: countSchema,
  parents: list(objectIdSchema),
  root: objectIdSchema,
  run: v.exactOptional(nameSchema),
})

const artifactLabels = v.strictObject({
  type: v.exactOptional(nameSchema),
  description: v.exactOptional(v.nullable(v.string())),
})
const versionLabels = v.strictObject({
  description: v.exactOptional(v.nullable(v.string())),
  metadata: v.exactOptional(v.nullable(metadataSchema)),
  tags: v.exactOptional(v.nullable(someTagsSchema)),
  ttl: v.exactOptional(v.nullable(v.union([positiveSchema, v.literal('never')]))),
})

const versionOf = { artifact: artifactIdSchema, version: objectIdSchema }
const linkOf = { portfolio: artifactIdSchema, number: countSchema, version: objectIdSchema }

const SCHEMAS: { readonly [K in ChangeKind]: v.GenericSchema<unknown, ChangeOf<K>> } = {
  'artifact.create': v.strictObject({
    kind: v.literal('artifact.create'),
    artifact: artifactIdSchema,
    project: nameSchema,
    name: nameSchema,
    type: nameSchema,
    portfolio: v.exactOptional(v.literal(true)),
  }),
  'artifact.edit': replacing(
    v.strictObject({
      kind: v.literal('artifact.edit'),
      artifact: artifactIdSchema,
      set: artifactLabels,
      old: artifactLabels,
    }),
  ),
  'artifact.rename': v.strictObject({
    kind: v.literal('artifact.rename'),
    artifact: artifactIdSchema,
    name: nameSchema,
    old: nameSchema,
  }),
  'version.add': v.strictObject({
    kind: v.literal('version.add'),
    ...versionOf,
    number: countSchema,
    object: versionObjectSchema,
    description: v.exactOptional(v.string()),
    metadata: v.exactOptional(metadataSchema),
    tags: v.exactOptional(tagsSchema),
    closure: v.exactOptional(closureSchema),
    partial: v.exactOptional(v.literal(true)),
  }),
  'version.edit': replacing(
    v.strictObject({
      kind: v.literal('version.edit'),
      ...versionOf,
      set: versionLabels,
      old: versionLabels,
    }),
  ),
  'version.delete': v.strictObject({ kind: v.literal('version.delete'), ...versionOf }),
  'version.restore': v.strictObject({ kind: v.literal('version.restore'), ...versionOf }),
  'version.purge': v.strictObject({ kind: v.literal('version.purge'), ...versionOf }),
  'alias.set': v.strictObject({
    kind: v.literal('alias.set'),
    ...versionOf,
    alias: aliasSchema,
    old: v.nullable(objectIdSchema),
  }),
  'alias.remove': v.strictObject({
    kind: v.literal('alias.remove'),
    artifact: artifactIdSchema,
    alias: aliasSchema,
    old: objectIdSchema,
  }),
  'link.add': v.strictObject({ kind: v.literal('link.add'), ...linkOf }),
  'link.remove': v.strictObject({ kind: v.literal('link.remove'), ...linkOf }),
  ...RUN_SCHEMAS,
  ...DRAFT_SCHEMAS,
  ...SYNC_SCHEMAS,
  'packs.drop': v.strictObject({
    kind: v.literal('packs.drop'),
    packs: v.pipe(
      v.array(v.strictObject({ id: objectIdSchema, into: v.exactOptional(objectIdSchema) })),
      v.minLength(1),
    ),
  }),
  undo: v.strictObject({ kind: v.literal('undo'), operation: positiveSchema }),
}

/** A change, or what about it this program does not understand. */
export type ReadChange = { readonly change: Change } | { readonly why: string }

/** Validates a change that came from JSON: its kind is known and its fields are exactly those of the kind. */
export function readChange(value: unknown): ReadChange {
  const kind = isObject(value) ? (value as { kind?: unknown }).kind : undefined
  if (typeof kind !== 'string' || !Object.hasOwn(SCHEMAS, kind)) {
    return { why: `a change of the unknown kind ${JSON.stringify(kind)}` }
  }
  const result = v.safeParse(SCHEMAS[kind as ChangeKind], value)
  return result.success
    ? { change: result.output }
    : { why: `a change "${kind}" with ${describe(result.issues)}` }
}

/** Validates a version object that came from JSON; undefined when its fields are not exactly those of the format. */
export function readVersionObject(value: unknown): VersionObject | undefined {
  const result = v.safeParse(versionObjectSchema, value)
  return result.success ? result.output : undefined
}
