/** What a directory holds as the system tells it, and which of those names no version can hold. */
import { isUtf8 } from 'node:buffer'
import { type Dirent, opendirSync, readdirSync } from 'node:fs'
import { ArtifactsError } from '../../errors.ts'
import { isStagingName } from '../layout.ts'
import { checkPath, MAX_PATH } from '../tree/paths.ts'
import { escapeBytes, type Findings } from './findings.ts'

/** Nothing is left out yet but what no walk ever looks at: whatever is called `.git` or `.artifacts`. */
export interface RawListing {
  /** In no order: `name` of a file or symlink, `name/` of a directory. */
  readonly keys: string[]
  /** What sockets and the like are, by name. */
  readonly specials: ReadonlyMap<string, string>
  /** Some name is long, or has characters that may stand for bytes that are not UTF-8. */
  readonly isUnusual: boolean
  /** Whether the file that was asked for is there. */
  readonly hasFile: boolean
}

/** A directory that says it is this large is read in pieces: a million `Dirent`s at once weigh 100 MB. */
const LARGE_DIRECTORY = 4 << 20

/**
 * Reads a directory.
 *
 * @param size of the directory in bytes, as the system states it
 * @param wantedFile a name to look out for
 */
export function readNames(location: string, size: number, wantedFile: string): RawListing {
  const keys: string[] = []
  const specials = new Map<string, string>()
  let isUnusual = false
  let hasFile = false
  for (const entry of entriesOf(location, size)) {
    const { name } = entry
    if (isReserved(name)) continue
    if (name.length > LONG_NAME || UNUSUAL.test(name)) isUnusual = true
    if (entry.isFile()) {
      if (name === wantedFile) hasFile = true
      keys.push(name)
    } else if (entry.isDirectory()) keys.push(`${name}/`)
    else if (entry.isSymbolicLink()) keys.push(name)
    else specials.set(name, kindOf(entry))
  }
  return { keys, specials, isUnusual, hasFile }
}

function entriesOf(location: string, size: number): Iterable<Dirent> {
  if (size < LARGE_DIRECTORY) return readdirSync(location, { withFileTypes: true })
  return streamedEntries(location)
}

function* streamedEntries(location: string): Generator<Dirent, void, void> {
  const stream = opendirSync(location, { bufferSize: 1024 })
  try {
    for (let entry = stream.readSync(); entry !== null; entry = stream.readSync()) yield entry
  } finally {
    stream.closeSync()
  }
}

function isReserved(name: string): boolean {
  if (name[0] !== '.') return false
  if (name.length !== 4 && name.length !== 10) return isStagingName(name)
  const folded = name.toLowerCase()
  return folded === '.git' || folded === '.artifacts'
}

/** Above this a name may have more than 255 bytes. */
const LONG_NAME = 85
/** Node writes U+FFFD for bytes that are not UTF-8; Windows has names with lone surrogates. */
const UNUSUAL = /[\ud800-\udfff\ufffd]/

function kindOf(entry: Dirent): string {
  if (entry.isFIFO()) return 'a FIFO'
  if (entry.isSocket()) return 'a socket'
  return entry.isCharacterDevice() || entry.isBlockDevice() ? 'a device' : 'of an unknown kind'
}

/** Above this a path may be too long even if its name is short. */
const LONG_PREFIX = MAX_PATH / 3 - LONG_NAME

/** The declared types know no entries whose names are bytes. */
const AS_BYTES = { withFileTypes: true, encoding: 'buffer' as BufferEncoding } as const

/** Takes out the names that no version can hold. */
export function refuseNames(
  location: string,
  prefix: string,
  keys: readonly string[],
  isUnusual: boolean,
  findings: Findings,
): readonly string[] {
  if (!isUnusual && prefix.length < LONG_PREFIX) return keys
  const doubtful = new Set(keys.filter((key) => key.includes('\ufffd')))
  const proper = new Set<string>()
  if (doubtful.size > 0) {
    for (const entry of readdirSync(location, AS_BYTES)) {
      const name = entry.name as unknown as Buffer
      const key = entry.isDirectory() ? `${name.toString()}/` : name.toString()
      if (!doubtful.has(key)) continue
      if (isUtf8(name)) proper.add(key)
      else findings.refused.add(prefix + escapeBytes(name), 'its name is not valid UTF-8')
    }
  }
  const kept: string[] = []
  for (const key of keys) {
    if (doubtful.has(key) && !proper.delete(key)) continue
    const rule = brokenRule(prefix + (key.endsWith('/') ? key.slice(0, -1) : key))
    if (rule === undefined) kept.push(key)
    else findings.refused.add(prefix + key, rule)
  }
  return kept
}

function brokenRule(path: string): string | undefined {
  try {
    checkPath(path)
    return undefined
  } catch (error) {
    if (!(error instanceof ArtifactsError) || error.code !== 'ERR_INVALID_PATH') throw error
    return String(error.data['rule'])
  }
}
