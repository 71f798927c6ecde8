/** The values that operations and version objects are made of, as schemas (docs/format.md section 6). */
import * as v from 'valibot'
import { isAlias, isName, isRunId, isTag, isText } from '../../names.ts'
import type { ArtifactId, Metadata, ObjectId } from '../../types.ts'

export const objectIdSchema: v.GenericSchema<unknown, ObjectId> = hex<ObjectId>(64)
export const hashSchema: v.GenericSchema<unknown, string> = hex<string>(64)
export const nonceSchema: v.GenericSchema<unknown, string> = hex<string>(32)
export const artifactIdSchema: v.GenericSchema<unknown, ArtifactId> = hex<ArtifactId>(32)
export const nameSchema: v.GenericSchema<unknown, string> = text(isName, 'not a name')
export const aliasSchema: v.GenericSchema<unknown, string> = text(isAlias, 'not an alias')
export const runIdSchema: v.GenericSchema<unknown, string> = text(isRunId, 'not the id of a run')
export const textSchema: v.GenericSchema<unknown, string> = text(isText, 'not a text')
export const tagsSchema: v.GenericSchema<unknown, readonly string[]> = list(
  text(isTag, 'not a tag'),
)
/** The value comes from JSON or goes through canonical JSON: what is inside is JSON. */
export const metadataSchema: v.GenericSchema<unknown, Metadata> = v.custom<Metadata>(
  isObject,
  'not an object',
)
export const countSchema: v.GenericSchema<unknown, number> = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(0),
)
export const positiveSchema: v.GenericSchema<unknown, number> = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(1),
)
export const timeSchema: v.GenericSchema<unknown, string> = text(isTime, 'not a time')

export const somePathsSchema: v.GenericSchema<unknown, readonly string[]> = v.pipe(
  list(text(isPathText, 'not a path')),
  v.check((texts) => texts.length > 0, 'no path'),
)

export const someTagsSchema: v.GenericSchema<unknown, readonly string[]> = v.pipe(
  tagsSchema,
  v.check((tags) => tags.length > 0, 'no tag'),
)

/** `old` has the keys of `set`, which has some. */
export function replacing<T extends { readonly set: object; readonly old: object }>(
  schema: v.GenericSchema<unknown, T>,
): v.GenericSchema<unknown, T> {
  return v.pipe(
    schema,
    v.check<T, string>(({ set, old }) => {
      const keys = Object.keys(set)
      const same = keys.length === Object.keys(old).length
      return same && keys.length > 0 && keys.every((key) => Object.hasOwn(old, key))
    }, 'not the keys that are set'),
  )
}

/** A list that repeats none of its items, which are texts or numbers. */
export function list<T>(item: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, readonly T[]> {
  return v.pipe(
    v.array(item),
    v.check((items) => new Set(items).size === items.length, 'repeats an item'),
  )
}

export function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Says in a few words where a value breaks its schema. */
export function describe(
  issues: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]],
): string {
  const [issue] = issues
  return `the field "${v.getDotPath(issue) ?? ''}" amiss (${issue.message})`
}

function hex<T extends string>(digits: number): v.GenericSchema<unknown, T> {
  const pattern = new RegExp(`^[0-9a-f]{${digits}}$`)
  return v.custom<T>(
    (value) => typeof value === 'string' && pattern.test(value),
    `not ${digits} hex digits`,
  )
}

function text(rule: (text: string) => boolean, message: string): v.GenericSchema<unknown, string> {
  return v.custom<string>((value) => typeof value === 'string' && rule(value), message)
}

/** What a path can be before its rules are looked at: not empty, 4,096 units at most. */
function isPathText(value: string): boolean {
  return value.length > 0 && value.length <= 4096
}

function isTime(value: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) return false
  const time = Date.parse(value)
  return !Number.isNaN(time) && new Date(time).toISOString() === value
}
