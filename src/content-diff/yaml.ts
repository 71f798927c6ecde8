/** YAML by the package `yaml`: aliases that stand for more than they should are refused, and no tag runs anything. */
import { parseAllDocuments } from 'yaml'
import type { Json } from '../types.ts'
import { MAX_DEPTH, type Mark } from './json.ts'
import { Unfit } from './unfit.ts'

/** The value of a YAML text; of several documents, a list. */
export function parseYaml(text: string, mark: Mark): Json | Unfit {
  try {
    const documents = [parseAllDocuments(text, { intAsBigInt: true, logLevel: 'silent' })].flat()
    const values: Json[] = []
    for (const document of documents) {
      const [error] = document.errors
      if (error !== undefined) {
        if (error.message.startsWith('Maximum call stack')) return tooDeep()
        return new Unfit(`it is not YAML (${error.message.split('\n')[0]?.slice(0, 200)})`)
      }
      values.push(plain(document.toJS({ maxAliasCount: MAX_ALIASES }), mark))
    }
    return values.length === 1 ? (values[0] as Json) : values
  } catch (error) {
    // What the package throws for aliases of aliases, and what recursion ends with.
    if (error instanceof ReferenceError) return new Unfit('its aliases stand for too much')
    if (error instanceof RangeError) return tooDeep()
    throw error
  }
}

function tooDeep(): Unfit {
  return new Unfit(`it has more than ${MAX_DEPTH} levels`)
}

const MAX_ALIASES = 100

/** What JSON holds as it is, the rest as texts. What several aliases stand for stays one value. */
function plain(root: unknown, mark: Mark): Json {
  const known = new Map<object, Json>()
  const convert = (value: unknown, depth: number): Json => {
    if (depth > MAX_DEPTH) throw new RangeError('too deep')
    switch (typeof value) {
      case 'bigint':
        return BigInt(Number(value)) === value ? Number(value) : `${mark}${value}`
      case 'number':
        return Number.isFinite(value) ? value : `${mark}${value}`
      case 'string':
      case 'boolean':
        return value
      case 'object': {
        if (value === null) return null
        const made = known.get(value) ?? collection(value, (item) => convert(item, depth + 1))
        known.set(value, made)
        return made
      }
      default:
        return null
    }
  }
  return convert(root, 0)
}

function collection(value: object, convert: (item: unknown) => Json): Json {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value) || value instanceof Set) return Array.from(value, convert)
  const entries: Iterable<[unknown, unknown]> = value instanceof Map ? value : Object.entries(value)
  return Object.fromEntries(Array.from(entries, ([key, item]) => [String(key), convert(item)]))
}
