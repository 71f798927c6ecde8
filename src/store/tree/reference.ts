/** References as they stand in a node: canonical JSON of one fixed shape. */

import * as v from 'valibot'
import type { Reference } from '../../types.ts'
import { canonicalJson } from '../log/canonical.ts'

/** Bytes of canonical JSON that a reference may have. */
export const MAX_REFERENCE = 65_536

const text = v.pipe(
  v.string(),
  v.check((value) => !/\p{Surrogate}/u.test(value), 'half a surrogate pair'),
)

const schema = v.strictObject({
  uri: v.pipe(text, v.minLength(1)),
  digest: v.strictObject({ algo: text, value: text }),
  size: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  etag: v.exactOptional(text),
  versionId: v.exactOptional(text),
  resolved: v.boolean(),
})

/** Returns the canonical JSON of `reference`; throws a `TypeError` when it is not one. */
export function encodeReference(reference: Reference): string {
  if (!v.is(schema, reference)) throw new TypeError('not a reference')
  return canonicalJson({ ...reference })
}

/** Returns the reference that `json` stands for, or undefined when it is not the canonical JSON of one. */
export function decodeReference(json: string): Reference | undefined {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  return v.is(schema, value) && canonicalJson({ ...value }) === json ? value : undefined
}
