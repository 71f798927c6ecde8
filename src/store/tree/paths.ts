/**
 * The one rule set for paths inside a version (docs/format.md section 5). Every door uses it: adding an entry,
 * decoding a node, checking out, verifying. The rules work on the UTF-8 bytes of a path, so that text from a caller
 * and bytes from a node go through the same code.
 */

import { isUtf8 } from 'node:buffer'
import { ArtifactsError } from '../../errors.ts'
import type { EntryPath } from '../../types.ts'

/** Bytes that a path may have. */
export const MAX_PATH = 4096

const MAX_PART = 255
const SLASH = 0x2f
const DOT = 0x2e
const NOT_UTF8 = 'it is not valid UTF-8'

/**
 * Returns `text` as a path that a version may hold.
 * @throws ArtifactsError `ERR_INVALID_PATH` naming the path and the rule it breaks.
 */
export function checkPath(text: string): EntryPath {
  encodePath(text, scratch)
  return text as EntryPath
}

/**
 * Writes the UTF-8 bytes of `text` to the start of `into`, which holds at least `MAX_PATH` bytes, and returns how many.
 * @throws ArtifactsError `ERR_INVALID_PATH` naming the path and the rule it breaks.
 */
export function encodePath(text: string, into: Buffer): number {
  const length = writeText(text, into)
  if (length < 0) throw invalidPath(text, length === TOO_LONG ? tooLong : NOT_UTF8)
  const fault = pathFault(into, length)
  if (fault !== undefined) throw invalidPath(text, fault)
  return length
}

/**
 * Returns the path whose bytes are `key[0, length)`, or the rule it breaks. The first `checked` bytes may be left
 * out of the check because a path that passed began with them too.
 */
export function decodePath(
  key: Buffer,
  length: number,
  checked = 0,
): { path: EntryPath } | { fault: string } {
  const fault = pathFault(key, length, checked)
  if (fault !== undefined) return { fault }
  if (isAscii(key, length)) return { path: key.toString('latin1', 0, length) as EntryPath }
  if (!isUtf8(key.subarray(0, length))) return { fault: NOT_UTF8 }
  return { path: key.toString('utf8', 0, length) as EntryPath }
}

/**
 * Orders two paths by their UTF-8 bytes; the result is negative, 0 or positive. JavaScript's own order compares UTF-16
 * units, which differs only where a surrogate meets a unit above it: U+10000 comes after U+FFFF, but its first unit
 * is 0xd800.
 */
export function comparePaths(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  for (let at = 0; at < most; at++) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left !== right) return byteRank(left) - byteRank(right)
  }
  return a.length - b.length
}

/** Returns `path` in quotes with everything that could move a cursor or hide written as an escape, 300 characters at most. */
export function quotePath(path: string): string {
  const shown = path.length > 300 ? `${path.slice(0, 300)}…` : path
  return JSON.stringify(shown).replace(
    /\p{C}|\p{Zl}|\p{Zp}/gu,
    (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  )
}

const scratch = Buffer.allocUnsafe(MAX_PATH)
const tooLong = `it is longer than ${MAX_PATH} bytes`
const TOO_LONG = -1
const LONE_SURROGATE = -2

function writeText(text: string, into: Buffer): number {
  if (text.length > MAX_PATH) return TOO_LONG
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit >= 0x80) {
      if (/\p{Surrogate}/u.test(text)) return LONE_SURROGATE
      if (Buffer.byteLength(text) > MAX_PATH) return TOO_LONG
      return into.write(text, 'utf8')
    }
    into[at] = unit
  }
  return text.length
}

/** Every rule but UTF-8. A check of `checked` bytes less begins with the part that the last of them stands in. */
function pathFault(key: Uint8Array, length: number, checked = 0): string | undefined {
  if (length === 0) return 'it is empty'
  if (length > MAX_PATH) return tooLong
  if (key[0] === SLASH) return 'it is absolute'
  let start = checked
  while (start > 0 && key[start - 1] !== SLASH) start--
  for (let at = start; at < length; at++) {
    const byte = key[at]
    if (byte === SLASH) {
      const fault = partFault(key, start, at)
      if (fault !== undefined) return fault
      start = at + 1
    } else if (byte === 0) {
      return 'it holds a NUL'
    }
  }
  return partFault(key, start, length)
}

function partFault(key: Uint8Array, from: number, to: number): string | undefined {
  const length = to - from
  if (length === 0) return 'it has an empty part'
  if (length > MAX_PART) return `it has a part of more than ${MAX_PART} bytes`
  if (key[from] !== DOT) return undefined
  if (length === 1) return 'it has a part "."'
  if (length === 2 && key[from + 1] === DOT) return 'it has a part ".."'
  if (length === 4 && equalsFolded(key, from, '.git')) return 'it has a part ".git"'
  if (length === 10 && equalsFolded(key, from, '.artifacts')) return 'it has a part ".artifacts"'
  return undefined
}

function equalsFolded(key: Uint8Array, from: number, name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const byte = key[from + at] as number
    const folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    if (folded !== name.charCodeAt(at)) return false
  }
  return true
}

function isAscii(key: Uint8Array, length: number): boolean {
  let bits = 0
  for (let at = 0; at < length; at++) bits |= key[at] as number
  return bits < 0x80
}

/** Surrogates stand for U+10000 and above, whose bytes come after those of every other unit. */
function byteRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

function invalidPath(text: string, rule: string): ArtifactsError {
  return new ArtifactsError(
    'ERR_INVALID_PATH',
    `path ${quotePath(text)} cannot be stored: ${rule}`,
    {
      data: { path: text, rule },
    },
  )
}
