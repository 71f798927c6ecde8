/**
 * The rules of metadata: an object of what JSON can hold, copied deeply. NaN becomes null, dates become ISO 8601, typed
 * arrays become lists. Whatever else JSON cannot hold is refused by its place, at the call that gives it.
 */
import { ArtifactsError } from './errors.ts'
import type { Json, Metadata } from './types.ts'

/** Levels of objects and lists within each other. */
const MAX_DEPTH = 64

/** Returns a deep copy of what can be metadata. @throws ArtifactsError ERR_USAGE naming the place that can't. */
export function checkMetadata(value: unknown): Metadata {
  if (!isPlainObject(value)) {
    throw new ArtifactsError(
      'ERR_USAGE',
      `Metadata is ${described(value)}, not an object of names and values.`,
      { hint: 'Give it as `{ accuracy: 0.93 }`.' },
    )
  }
  return copyObject(value, 'metadata', [])
}

function copy(value: unknown, place: string, above: readonly object[]): Json {
  switch (typeof value) {
    case 'string':
      if (/\p{Surrogate}/u.test(value)) throw refused(place, 'a text with half a character')
      return value
    case 'boolean':
      return value
    case 'number':
      if (Number.isNaN(value)) return null
      if (!Number.isFinite(value)) throw refused(place, String(value))
      return value
    case 'object':
      if (value === null) return null
      return copyStructure(value, place, above)
    default:
      throw refused(place, described(value))
  }
}

function copyStructure(value: object, place: string, above: readonly object[]): Json {
  if (above.includes(value)) throw refused(place, 'an object that holds itself')
  if (above.length >= MAX_DEPTH) throw refused(place, `more than ${MAX_DEPTH} levels`)
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw refused(place, 'a date that is none')
    return value.toISOString()
  }
  if (Array.isArray(value) || isNumbers(value)) {
    // Not `map`, which steps over holes.
    return Array.from(value, (item: unknown, index) =>
      copy(item, `${place}[${index}]`, [...above, value]),
    )
  }
  if (!isPlainObject(value)) throw refused(place, described(value))
  return copyObject(value, place, above)
}

function copyObject(value: object, place: string, above: readonly object[]): Metadata {
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const at = /^[A-Za-z_$][\w$]*$/.test(key)
        ? `${place}.${key}`
        : `${place}[${JSON.stringify(key)}]`
      if (/\p{Surrogate}/u.test(key)) throw refused(at, 'a name with half a character')
      return [key, copy(item, at, [...above, value])]
    }),
  )
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** A typed array of numbers; bigints are no JSON. */
function isNumbers(value: object): value is Iterable<number> & object {
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView) &&
    !(value instanceof BigInt64Array) &&
    !(value instanceof BigUint64Array)
  )
}

function described(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return `an object of the class "${value.constructor?.name ?? ''}"`
  return `a ${typeof value}`
}

function refused(place: string, what: string): ArtifactsError {
  return new ArtifactsError('ERR_USAGE', `"${place}" is ${what}, which metadata can't hold.`, {
    hint: 'Use texts, finite numbers, booleans, null, lists and plain objects.',
    data: { place },
  })
}
