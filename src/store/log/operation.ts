/**
 * One operation as bytes (docs/format.md section 6): a line of canonical JSON, and the SHA-256 of that line. The
 * second line of each operation is the `prev` of the next, so the newest hash stands for the whole log.
 */
import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { ArtifactsError, damaged } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import { canonicalJson } from './canonical.ts'
import { type Change, readChange } from './change.ts'
import {
  countSchema,
  describe,
  hashSchema,
  nonceSchema,
  objectIdSchema,
  timeSchema,
} from './schemas.ts'
import { versionId } from './version-object.ts'

export type PackKind = 'data' | 'meta' | 'mixed' | 'index'

/** A pack that joins the store. */
export interface JoiningPack {
  readonly id: ObjectId
  readonly bytes: number
  readonly kind: PackKind
  /** Where its table of contents lies in it. */
  readonly toc: readonly [offset: number, length: number]
  /** SHA-256 of the file, where it was ever computed. */
  readonly sha256?: string
}

export interface Operation {
  /** From 1. */
  readonly n: number
  /** Second line of operation n − 1; of `format.json` for operation 1. */
  readonly prev: string
  /** UTC, ISO 8601 with milliseconds. */
  readonly at: string
  readonly by: { readonly user: string; readonly host: string }
  /** The program that wrote it, such as `artifacts/0.1.0`. */
  readonly tool: string
  /** Random; tells its writer that an operation found under the name it wanted is its own. */
  readonly nonce: string
  readonly packs: readonly JoiningPack[]
  readonly changes: readonly Change[]
}

/** What stands under a number: an operation, or one that only a newer program understands. */
export type LogEntry =
  | { readonly kind: 'operation'; readonly operation: Operation; readonly hash: string }
  | {
      readonly kind: 'unknown'
      readonly n: number
      readonly hash: string
      readonly tool: string
      readonly why: string
    }

/** Where an operation is expected: its number, the hash it follows, and its path for messages. */
export interface Position {
  readonly n: number
  /** Undefined where the operation before is lost: then any will do. */
  readonly prev: string | undefined
  readonly path: string
}

/** The longest line of an operation, in bytes. */
export const MAX_LINE: number = 16 * 1024 * 1024
/** Of the second line, with both line ends. */
export const TAIL: number = 1 + 64 + 1
const MAX_PACK = 64 * 1024 * 1024
/** Magic before and trailer behind what a table can take of a pack. */
const PACK_HEAD = 8
const PACK_TAIL = 24

const shortText = v.pipe(v.string(), v.maxLength(255))
const packSchema: v.GenericSchema<unknown, JoiningPack> = v.pipe(
  v.strictObject({
    id: objectIdSchema,
    bytes: v.pipe(countSchema, v.maxValue(MAX_PACK)),
    kind: v.picklist(['data', 'meta', 'mixed', 'index']),
    toc: v.tuple([v.pipe(countSchema, v.minValue(PACK_HEAD)), countSchema]),
    sha256: v.exactOptional(hashSchema),
  }),
  v.check(
    ({ bytes, toc }) => toc[0] + toc[1] + PACK_TAIL === bytes,
    'a table that does not end the pack',
  ),
)
const operationSchema = v.strictObject({
  n: v.pipe(countSchema, v.minValue(1)),
  prev: hashSchema,
  at: timeSchema,
  by: v.strictObject({ user: shortText, host: shortText }),
  tool: shortText,
  nonce: nonceSchema,
  packs: v.array(packSchema),
  changes: v.pipe(v.array(v.unknown()), v.minLength(1)),
})

/**
 * Returns an operation's file and its hash. Throws ERR_USAGE when it is longer than 16 MiB, and an Error for one that
 * breaks the format: that is a mistake of the program.
 */
export function encodeOperation(operation: Operation): { bytes: Buffer; hash: string } {
  const line = Buffer.from(canonicalJson(operation))
  const reading = understand(operation)
  if ('why' in reading) throw new Error(`Operation ${operation.n} would hold ${reading.why}.`)
  const wrong = wrongVersion(operation)
  if (wrong !== undefined) throw new Error(`Version "${wrong}" is not the hash of its object.`)
  if (line.length > MAX_LINE) {
    throw new ArtifactsError(
      'ERR_USAGE',
      `An operation of ${line.length} bytes is larger than ${MAX_LINE}.`,
      {
        hint: 'Store large metadata as a file of the version.',
      },
    )
  }
  const hash = sha256(line)
  return { bytes: Buffer.concat([line, Buffer.from(`\n${hash}\n`)]), hash }
}

/** Reads an operation's file. Throws ERR_DAMAGED for bytes that are not the operation that belongs there. */
export function decodeOperation(bytes: Buffer, position: Position): LogEntry {
  const { path } = position
  const line = bytes.subarray(0, Math.max(0, bytes.length - TAIL))
  const hash = sha256(line)
  if (
    bytes.length > MAX_LINE + TAIL ||
    !bytes.subarray(line.length).equals(Buffer.from(`\n${hash}\n`))
  ) {
    throw damaged(`Operation "${path}" does not match its checksum.`)
  }
  const value = parseCanonical(line)
  if (value === undefined) throw damaged(`Operation "${path}" is not canonical JSON.`)
  if (value['n'] !== position.n)
    throw damaged(`Operation "${path}" says that its number is ${value['n']}.`)
  if (position.prev !== undefined && value['prev'] !== position.prev) {
    throw damaged(`Operation "${path}" does not follow operation ${position.n - 1} of this store.`)
  }
  const reading = understand(value)
  if ('why' in reading) {
    const tool = typeof value['tool'] === 'string' ? value['tool'] : 'an unknown tool'
    return { kind: 'unknown', n: position.n, hash, tool, why: reading.why }
  }
  const wrong = wrongVersion(reading.operation)
  if (wrong !== undefined)
    throw damaged(`Version "${wrong}" in operation "${path}" is not the hash of its object.`)
  return { kind: 'operation', operation: reading.operation, hash }
}

function understand(value: unknown): { operation: Operation } | { why: string } {
  const envelope = v.safeParse(operationSchema, value)
  if (!envelope.success) return { why: describe(envelope.issues) }
  const changes: Change[] = []
  for (const item of envelope.output.changes) {
    const reading = readChange(item)
    if ('why' in reading) return reading
    changes.push(reading.change)
  }
  return { operation: { ...envelope.output, changes } }
}

/** The id of a version that is not the hash of its object, if there is one. */
function wrongVersion(operation: Operation): ObjectId | undefined {
  const wrong = operation.changes.find(
    (change) => change.kind === 'version.add' && versionId(change.object) !== change.version,
  )
  return wrong?.kind === 'version.add' ? wrong.version : undefined
}

function parseCanonical(line: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line)
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return canonicalJson(value) === text ? (value as Record<string, unknown>) : undefined
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return undefined
    throw error
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
