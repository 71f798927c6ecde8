/**
 * Canonical JSON (RFC 8785): one text for one value, so that a hash of the text is a hash of the value.
 * Keys ascend by UTF-16 code units, which is what JavaScript's `<` compares; numbers and strings are written as
 * ECMA-262 writes them, which is what RFC 8785 took over.
 */

/** Deeper values are refused, so that a hostile line cannot exhaust the stack. */
const MAX_DEPTH = 100

/**
 * Returns the canonical JSON of a value. Throws a TypeError that names the place of anything that JSON cannot hold:
 * `undefined`, NaN and infinities, bigints, functions, symbols, lone surrogates, holes, and objects that are not plain.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$', 0)
}

function write(value: unknown, place: string, depth: number): string {
  if (depth > MAX_DEPTH) throw new TypeError(`${place} lies more than ${MAX_DEPTH} levels deep.`)
  switch (typeof value) {
    case 'string':
      return writeString(value, place)
    case 'number':
      if (!Number.isFinite(value))
        throw new TypeError(`${place} is ${value}; JSON has no such number.`)
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value)
        ? writeArray(value, place, depth)
        : writeObject(value, place, depth)
    default:
      throw new TypeError(`${place} is of type ${typeof value}; JSON has no such type.`)
  }
}

function writeString(text: string, place: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new TypeError(`${place} holds a lone surrogate.`)
  return JSON.stringify(text)
}

function writeArray(items: readonly unknown[], place: string, depth: number): string {
  let text = '['
  for (let i = 0; i < items.length; i++) {
    text += `${i === 0 ? '' : ','}${write(items[i], `${place}[${i}]`, depth + 1)}`
  }
  return `${text}]`
}

function writeObject(object: object, place: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${place} is not a plain object.`)
  }
  const fields = Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1))
  let text = '{'
  for (const [key, value] of fields) {
    const inside = `${place}.${key}`
    text += `${text === '{' ? '' : ','}${writeString(key, inside)}:${write(value, inside, depth + 1)}`
  }
  return `${text}}`
}
