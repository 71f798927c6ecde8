/** Metadata from `--meta K=V` and `--meta-file F`. */
import { readFileSync } from 'node:fs'
import type { Json, Metadata } from '../index.ts'
import { UsageError } from './usage-error.ts'

/**
 * The file's object with the pairs laid over it; undefined when neither was given. A value is JSON if it parses, else
 * text. A number that JSON cannot hold as written (`12345678901234567890`, `1e999`) stays text too.
 */
export function readMetadata(
  pairs: readonly string[],
  file: string | undefined,
): Metadata | undefined {
  if (pairs.length === 0 && file === undefined) return undefined
  const fromFile = file === undefined ? {} : readObject(file)
  return Object.fromEntries([...Object.entries(fromFile), ...pairs.map(readPair)])
}

function readPair(pair: string): [string, Json] {
  const equals = pair.indexOf('=')
  if (equals <= 0) {
    throw new UsageError(
      `"${pair}" is not metadata: a key, "=" and a value are expected.`,
      'Write it as `--meta accuracy=0.93`.',
    )
  }
  return [pair.slice(0, equals), readValue(pair.slice(equals + 1))]
}

function readValue(text: string): Json {
  try {
    const value: Json = JSON.parse(text)
    return typeof value === 'number' && !holds(value, text) ? text : value
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

function holds(value: number, text: string): boolean {
  return Number.isFinite(value) && (Number.isSafeInteger(value) || !/^-?\d+$/.test(text.trim()))
}

function readObject(file: string): Metadata {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new UsageError(`"${file}" is not JSON: ${error.message}.`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(
      `"${file}" holds no JSON object.`,
      'Metadata is an object: `{"accuracy": 0.93}`.',
    )
  }
  return value as Metadata
}
