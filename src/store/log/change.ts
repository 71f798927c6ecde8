/**
 * The changes an operation can hold (docs/format.md section 6). This file is the one list of kinds: a new kind is an
 * interface and a schema here, and a case in `index/fold.ts`, which does not compile without it.
 */
import * as v from 'valibot'
import { isAlias, isName, isTag } from '../../names.ts'
import type { ArtifactId, Metadata, ObjectId, VersionObject } from '../../types.ts'

export interface ArtifactCreate {
  readonly kind: 'artifact.create'
  readonly artifact: ArtifactId
  readonly project: string
  readonly name: string
  readonly type: string
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
}

export interface AliasSet {
  readonly kind: 'alias.set'
  readonly artifact: ArtifactId
  readonly alias: string
  readonly version: ObjectId
  /** The version it named before. */
  readonly old: ObjectId | null
}

export type Change = ArtifactCreate | VersionAdd | AliasSet
export type ChangeKind = Change['kind']
export type ChangeOf<K extends ChangeKind> = Extract<Change, { readonly kind: K }>

const hex = <T extends string>(digits: number): v.GenericSchema<unknown, T> => {
  const pattern = new RegExp(`^[0-9a-f]{${digits}}$`)
  return v.custom<T>(
    (value) => typeof value === 'string' && pattern.test(value),
    `not ${digits} hex digits`,
  )
}
const text = (rule: (text: string) => boolean, message: string): v.GenericSchema<unknown, string> =>
  v.custom<string>((value) => typeof value === 'string' && rule(value), message)
const list = <T>(item: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, readonly T[]> =>
  v.pipe(
    v.array(item),
    v.check((items) => new Set(items).size === items.length, 'repeats an item'),
  )

export const objectIdSchema: v.GenericSchema<unknown, ObjectId> = hex<ObjectId>(64)
export const hashSchema: v.GenericSchema<unknown, string> = hex<string>(64)
export const nonceSchema: v.GenericSchema<unknown, string> = hex<string>(32)
export const countSchema: v.GenericSchema<unknown, number> = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(0),
)
export const timeSchema: v.GenericSchema<unknown, string> = text(isTime, 'not a time')

const artifactId = hex<ArtifactId>(32)
const name = text(isName, 'not a name')

const versionObjectSchema: v.GenericSchema<unknown, VersionObject> = v.strictObject({
  bytes: countSchema,
  createdAt: timeSchema,
  files: countSchema,
  parents: list(objectIdSchema),
  root: objectIdSchema,
  run: v.exactOptional(name),
})

const SCHEMAS: { readonly [K in ChangeKind]: v.GenericSchema<unknown, ChangeOf<K>> } = {
  'artifact.create': v.strictObject({
    kind: v.literal('artifact.create'),
    artifact: artifactId,
    project: name,
    name,
    type: name,
  }),
  'version.add': v.strictObject({
    kind: v.literal('version.add'),
    artifact: artifactId,
    number: countSchema,
    version: objectIdSchema,
    object: versionObjectSchema,
    description: v.exactOptional(v.string()),
    // The value comes from JSON or goes through canonical JSON: what is inside is JSON.
    metadata: v.exactOptional(v.custom<Metadata>(isObject, 'not an object')),
    tags: v.exactOptional(list(text(isTag, 'not a tag'))),
  }),
  'alias.set': v.strictObject({
    kind: v.literal('alias.set'),
    artifact: artifactId,
    alias: text(isAlias, 'not an alias'),
    version: objectIdSchema,
    old: v.nullable(objectIdSchema),
  }),
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

/** Says in a few words where a value breaks its schema. */
export function describe(
  issues: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]],
): string {
  const [issue] = issues
  return `the field "${v.getDotPath(issue) ?? ''}" amiss (${issue.message})`
}

function isTime(value: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) return false
  const time = Date.parse(value)
  return !Number.isNaN(time) && new Date(time).toISOString() === value
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
