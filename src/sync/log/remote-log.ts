/**
 * The log of a remote (docs/remote.md section 4): reading what is new in it, and creating the next operation.
 *
 * Operations are never removed, so one look at n + 1 tells whether there is news. Where there is much, `latest.json` says
 * about how much: then segments are read, and single operations several at once. Neither is believed: every operation is
 * checked, and must follow the one before.
 */
import * as v from 'valibot'
import { ArtifactsError } from '../../errors.ts'
import { decodeFormat, type FormatFacts } from '../../store/format.ts'
import {
  decodeOperation,
  encodeOperation,
  type LogEntry,
  MAX_LINE,
  type Operation,
  TAIL,
} from '../../store/log/operation.ts'
import { type Backend, type RequestOptions, readAll } from '../backend.ts'
import { bytesSource } from '../source.ts'
import {
  FORMAT_NAME,
  LATEST_NAME,
  operationName,
  SEGMENT_SIZES,
  segmentAround,
  segmentName,
} from './names.ts'
import { recordsIn } from './records.ts'

/** A place in a log: the operation with this number bears this hash; 0 is before the first, with the hash of `format.json`. */
export interface Position {
  readonly n: number
  readonly hash: string
}

/** An operation as it came. */
export interface RemoteEntry extends Position {
  /** Both lines. */
  readonly bytes: Buffer
  readonly entry: LogEntry
}

const LARGEST_RECORD = MAX_LINE + TAIL
const LARGEST_NOTE = 65_536
/** From so many operations on segments are worth looking for. */
const MANY = 32
const AT_ONCE = 8
const latestSchema = v.object({
  n: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
})

/** Which store lies there; undefined: none yet. */
export async function readIdentity(
  backend: Backend,
  options: RequestOptions = {},
): Promise<FormatFacts | undefined> {
  const bytes = await readIfThere(backend, FORMAT_NAME, LARGEST_NOTE, options)
  if (bytes !== undefined) {
    return decodeFormat(bytes.toString('utf8'), backend.address + FORMAT_NAME)
  }
  if ((await backend.head(operationName(1), options)) === undefined) return undefined
  throw changed(`"${backend.address}" has operations, and no "${FORMAT_NAME}".`)
}

/**
 * The operations behind a place in the log that was read before, in order. Where there are none it is one request.
 * @throws ArtifactsError ERR_REMOTE_CHANGED when they do not follow it, ERR_DAMAGED when they are not whole
 */
export async function* readNews(
  backend: Backend,
  since: Position,
  options: RequestOptions = {},
): AsyncGenerator<RemoteEntry> {
  let at = since
  let isUnderstood = true
  const take = (bytes: Buffer): RemoteEntry => {
    const entry = check(backend, bytes, at)
    isUnderstood = entry.kind === 'operation'
    at = { n: at.n + 1, hash: entry.hash }
    return { ...at, bytes, entry }
  }
  const first = await readIfThere(backend, operationName(at.n + 1), LARGEST_RECORD, options)
  if (first === undefined) return
  yield take(first)
  const hinted = await readHint(backend, options)
  // What follows an operation that can't be understood can't be either.
  for (let before = -1; isUnderstood && hinted - at.n >= MANY && at.n > before; ) {
    before = at.n
    try {
      for await (const bytes of segmentFrom(backend, at.n + 1, hinted, options)) yield take(bytes)
    } catch (error) {
      // The operations' own files decide what is wrong.
      if (!isDamage(error) && !isChange(error)) throw error
      break
    }
  }
  while (isUnderstood) {
    for (const bytes of await readSeveral(backend, at.n + 1, hinted, options)) {
      if (bytes === undefined) return
      if (isUnderstood) yield take(bytes)
    }
  }
}

/**
 * Throws where the remote no longer has the operation that was read before: its log was replaced, or went back. Whoever
 * creates the next operation asks first.
 */
export async function checkPosition(
  backend: Backend,
  { n, hash }: Position,
  options: RequestOptions = {},
): Promise<void> {
  const name = n === 0 ? FORMAT_NAME : operationName(n)
  const bytes = await readIfThere(backend, name, LARGEST_RECORD, options)
  if (bytes?.toString('latin1', bytes.length - TAIL) === `\n${hash}\n`) return
  const now = bytes === undefined ? 'is gone' : 'is another one now'
  throw changed(`"${backend.address}${name}", which was read before, ${now}.`)
}

export type Created =
  | { readonly kind: 'created'; readonly hash: string }
  | { readonly kind: 'taken' }

/**
 * Creates an operation where its number is free; what it names is there already. After ERR_REMOTE_UNREACHABLE it may have
 * been created.
 */
export async function createOperation(
  backend: Backend,
  operation: Operation,
  options: RequestOptions = {},
): Promise<Created> {
  const { bytes, hash } = encodeOperation(operation)
  const name = operationName(operation.n)
  const answer = await backend.putIfAbsent(name, bytesSource(bytes), options)
  return answer === 'created' ? { kind: 'created', hash } : { kind: 'taken' }
}

/** Tells those who know nothing about how long the log is. Nothing depends on it. */
export function announce(
  backend: Backend,
  { n, hash }: Position,
  options: RequestOptions = {},
): Promise<void> {
  return backend.put(LATEST_NAME, bytesSource(`${JSON.stringify({ hash, n })}\n`), options)
}

/** Where the log is said to end; undefined where nobody says so in a way that can be read. To be checked. */
export async function readLatest(
  backend: Backend,
  options: RequestOptions = {},
): Promise<Position | undefined> {
  const bytes = await readIfThere(backend, LATEST_NAME, LARGEST_NOTE, options)
  const parsed = v.safeParse(latestSchema, parse(bytes?.toString('utf8') ?? ''))
  return parsed.success ? parsed.output : undefined
}

/** The bytes of operation `n` and some after it, as far as there are said to be more; undefined: there is none. */
function readSeveral(
  backend: Backend,
  n: number,
  hinted: number,
  options: RequestOptions,
): Promise<(Buffer | undefined)[]> {
  const count = Math.min(AT_ONCE, Math.max(1, hinted - n + 1))
  const names = Array.from({ length: count }, (_, i) => operationName(n + i))
  return Promise.all(names.map((name) => readIfThere(backend, name, LARGEST_RECORD, options)))
}

/** The operations from `n` on out of the largest segment that has it and is finished; none where there is no such segment. */
async function* segmentFrom(
  backend: Backend,
  n: number,
  hinted: number,
  options: RequestOptions,
): AsyncGenerator<Buffer> {
  for (const size of SEGMENT_SIZES.toReversed()) {
    const range = segmentAround(n, size)
    if (range.last > hinted) continue
    const content = await unlessAbsent(() => backend.get(segmentName(range), options))
    if (content === undefined) continue
    let at = range.first
    for await (const bytes of recordsIn(content.bytes)) {
      if (at > range.last) return
      if (at >= n) yield bytes
      at++
    }
    return
  }
}

function check(backend: Backend, bytes: Buffer, { n, hash }: Position): LogEntry {
  const path = backend.address + operationName(n + 1)
  try {
    return decodeOperation(bytes, { n: n + 1, prev: hash, path })
  } catch (error) {
    if (!isDamage(error)) throw error
    if (isSoundAlone(bytes, n + 1, path)) {
      throw changed(`"${path}" does not follow operation ${n} as it was read before.`, error)
    }
    throw new ArtifactsError('ERR_DAMAGED', error.message, {
      hint: `Try again; if it stays so, what lies there is damaged: \`artifacts fsck --remote\`.`,
      cause: error,
    })
  }
}

function isSoundAlone(bytes: Buffer, n: number, path: string): boolean {
  try {
    decodeOperation(bytes, { n, prev: undefined, path })
    return true
  } catch (error) {
    if (!isDamage(error)) throw error
    return false
  }
}

function isChange(error: unknown): boolean {
  return error instanceof ArtifactsError && error.code === 'ERR_REMOTE_CHANGED'
}

function isDamage(error: unknown): error is ArtifactsError {
  return error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
}

/** About how many operations there are; 0 where nobody says so in a way that can be read. */
async function readHint(backend: Backend, options: RequestOptions): Promise<number> {
  return (await readLatest(backend, options))?.n ?? 0
}

function readIfThere(
  backend: Backend,
  name: string,
  most: number,
  options: RequestOptions,
): Promise<Buffer | undefined> {
  return unlessAbsent(() => readAll(backend, name, { most, ...options }))
}

async function unlessAbsent<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_NOT_FOUND') return undefined
    throw error
  }
}

function changed(message: string, cause?: unknown): ArtifactsError {
  return new ArtifactsError('ERR_REMOTE_CHANGED', message, {
    hint: 'Somebody has replaced the remote, or put an old copy in its place. Ask who looks after it.',
    ...(cause === undefined ? {} : { cause }),
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
