/** `format.json`: the store's id, and the format that its files are in (docs/format.md section 1). */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { ArtifactsError, damaged, isSystemError } from '../errors.ts'
import type { StoreIdentity } from './index/database.ts'
import { canonicalJson } from './log/canonical.ts'

/** The format this program writes, and the newest that it reads. */
export const FORMAT = 4

const schema = v.object({
  format: v.pipe(v.number(), v.integer(), v.minValue(1)),
  store: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  tool: v.pipe(v.string(), v.maxLength(200)),
})

export function encodeFormat({ id, tool }: { readonly id: string; readonly tool: string }): Buffer {
  const line = canonicalJson({ format: FORMAT, store: id, tool })
  return Buffer.from(`${line}\n${hashOf(line)}\n`)
}

/** What `format.json` says of a store. */
export interface FormatFacts extends StoreIdentity {
  /** The format that its files are in. */
  readonly format: number
}

/**
 * Reads a store's `format.json`.
 * @throws ArtifactsError ERR_NO_STORE, ERR_DAMAGED, or ERR_UNSUPPORTED for a format of a later program.
 */
export function readFormat(path: string): FormatFacts {
  return decodeFormat(readText(path), path)
}

/** Reads the content of the `format.json` at this path; throws as `readFormat` does. */
export function decodeFormat(text: string, path: string): FormatFacts {
  const [line = '', hash = '', ...rest] = text.split('\n')
  const isWhole = hashOf(line) === hash && rest.length === 1 && rest[0] === ''
  const parsed = v.safeParse(schema, isWhole ? parse(line) : undefined)
  if (!parsed.success) {
    throw damaged(`The file "${path}" is not as it was written.`, {
      hint: 'Mend it with `artifacts fsck --repair`, or copy it from another copy of the store: it never changes.',
    })
  }
  const { format, store, tool } = parsed.output
  if (format > FORMAT) {
    throw new ArtifactsError(
      'ERR_UNSUPPORTED',
      `The store "${path}" is in format ${format}, made by "${tool}"; this program knows formats up to ${FORMAT}.`,
      { hint: `Install the version that made it, "${tool}", or a newer one.` },
    )
  }
  return { id: store, hash, format }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error
    throw new ArtifactsError('ERR_NO_STORE', `There is no store: "${path}" is missing.`, {
      hint: 'Run `artifacts init` to make one.',
    })
  }
}

function hashOf(line: string): string {
  return createHash('sha256').update(line).digest('hex')
}
