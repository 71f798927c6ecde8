/**
 * Terms about values in JSON. A value is written as in `--meta`: JSON if it parses, else text. Numbers compare with
 * numbers and texts with texts only; a list is as wanted if one of its items is.
 */
import { ArtifactsError } from './errors.ts'
import type { Term } from './find-terms.ts'
import type { Json, Metadata } from './types.ts'

/**
 * @param key keys with dots between, or a key that has dots itself
 * @throws ArtifactsError ERR_USAGE for a comparison with what has no order.
 */
export function jsonTest(term: Term, key: string): (metadata: Metadata) => boolean {
  const { operator, value, typed } = term
  const wanted = readValue(value)
  switch (operator) {
    case 'is':
      return (metadata) => valueAt(metadata, key) !== undefined
    case '=':
      return some(key, (item) => isEqual(item, wanted, value))
    case '!=':
      return none(key, (item) => isEqual(item, wanted, value))
    case '~':
      return some(key, (item) => hasText(item, value))
    case '!~':
      return none(key, (item) => hasText(item, value))
    default:
      if (typeof wanted !== 'number' && typeof wanted !== 'string') {
        throw new ArtifactsError('ERR_USAGE', `The term "${typed}" is not understood.`, {
          hint: 'Only numbers and texts have an order: use = or !=.',
        })
      }
      return some(
        key,
        (item) =>
          typeof item === typeof wanted && compares(item as typeof wanted, operator, wanted),
      )
  }
}

type Test = (item: Json) => boolean

function some(key: string, test: Test): (metadata: Metadata) => boolean {
  return (metadata) => {
    const value = valueAt(metadata, key)
    if (value === undefined) return false
    return test(value) || (Array.isArray(value) && value.some(test))
  }
}

/** What is not there is not as it should not be. */
function none(key: string, test: Test): (metadata: Metadata) => boolean {
  const any = some(key, test)
  return (metadata) => !any(metadata)
}

/** The value under a key, or under keys inside each other. */
function valueAt(value: Json, key: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const object = value as Metadata
  if (Object.hasOwn(object, key)) return object[key]
  for (let dot = key.indexOf('.'); dot >= 0; dot = key.indexOf('.', dot + 1)) {
    const head = key.slice(0, dot)
    const inner = Object.hasOwn(object, head) ? object[head] : undefined
    const found = inner === undefined ? undefined : valueAt(inner, key.slice(dot + 1))
    if (found !== undefined) return found
  }
  return undefined
}

/** `007` is the text and not the number, but both are found by it where they stand. */
function isEqual(item: Json, wanted: Json, text: string): boolean {
  if (typeof item === 'string') return item === wanted || item === text
  return JSON.stringify(item) === JSON.stringify(wanted)
}

function hasText(item: Json, text: string): boolean {
  return typeof item === 'string' && item.toLowerCase().includes(text.toLowerCase())
}

function compares<T extends string | number>(
  item: T,
  operator: Term['operator'],
  wanted: T,
): boolean {
  switch (operator) {
    case '<':
      return item < wanted
    case '<=':
      return item <= wanted
    case '>':
      return item > wanted
    default:
      return item >= wanted
  }
}

function readValue(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}
