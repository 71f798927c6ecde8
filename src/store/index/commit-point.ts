/**
 * The loop around the commit point: bring the index up to date, plan on that state, create the next operation. Whoever
 * loses the race for the number plans again on the new state, until it wins, is refused, or is cancelled. Nobody waits
 * for anybody: one of those who try always gets the number, and a process that dies holds nobody up.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { ArtifactsError, isFailedCall } from '../../errors.ts'
import type { Io } from '../io/io.ts'
import { type Layout, temporaryName } from '../layout.ts'
import { type Appended, appendOperation, syncLog } from '../log/append.ts'
import type { JoiningPack, Operation } from '../log/operation.ts'
import type { Plan } from '../log/plan.ts'
import { type SegmentSizes, segmentsEndingWith, writeSegment } from '../log/write-segment.ts'
import { isSqliteError } from './connection.ts'
import type { Blocked, Head } from './refresh.ts'
import type { StateView } from './state.ts'
import type { StoreIndex } from './store-index.ts'

/** The store as a writer sees it. */
export interface Writer {
  readonly io: Io
  readonly layout: Layout
  readonly index: StoreIndex
  readonly by: Operation['by']
  /** This program, such as `artifacts/0.1.0`. */
  readonly tool: string
  /** Default: those of the format. */
  readonly segmentSizes?: SegmentSizes | undefined
}

export interface Intent<Outcome> {
  /** Packs that are written and durable; those that an operation has named meanwhile are not named again. */
  readonly packs: readonly JoiningPack[]
  /** Run once for each attempt. What it throws ends the commit. */
  readonly plan: (state: StateView, head: Head) => Plan<Outcome>
  readonly signal?: AbortSignal | undefined
}

export interface Committed<Outcome> {
  readonly outcome: Outcome
  /** The operation that was created; absent when there was nothing to change. */
  readonly operation?: number
}

const LONGEST_PAUSE_MS = 250
/** How long a running process may hold the lock that stands in for hard links. */
const PATIENCE_MS = 10_000

/**
 * Writes what `plan` answers as the next operation. Throws ERR_DURABILITY_UNKNOWN when the commit stands but may not
 * survive a power loss, ERR_UNSUPPORTED when a newer program has written to the store, ERR_DAMAGED when the end of the log
 * is damaged, ERR_BUSY, and the signal's reason; after these last four, nothing was committed.
 */
export async function commitOperation<Outcome>(
  writer: Writer,
  intent: Intent<Outcome>,
): Promise<Committed<Outcome>> {
  const { index } = writer
  const nonce = randomBytes(16).toString('hex')
  const giveUpAt = Date.now() + PATIENCE_MS
  for (let attempt = 1; ; attempt++) {
    intent.signal?.throwIfAborted()
    index.refresh()
    if (index.blocked !== undefined) throw cannotWrite(index.blocked)
    const { plan, packs, head } = index.snapshot((state, head) => {
      const plan = intent.plan(state, head)
      const wanted = plan.packs ?? intent.packs
      return { plan, packs: wanted.filter(({ id }) => !state.hasPack(id)), head }
    })
    const { changes, outcome } = plan
    if (changes.length === 0) {
      assureDurable(writer, head)
      return { outcome }
    }
    const n = head.applied + 1
    const { by, tool } = writer
    const at = new Date().toISOString()
    const appended = append(
      { n, prev: head.hash, at, by, tool, nonce, packs, changes },
      writer,
      head,
    )
    if (appended.kind === 'created') {
      if (updateIndex(index, appended.hash)) writeSegments(writer, n)
      return { outcome, operation: n }
    }
    if (appended.kind === 'busy' && Date.now() > giveUpAt) throw busy(appended)
    await pause(attempt, intent.signal)
  }
}

/**
 * Creates an operation that somebody else has planned, as it is, where the log still ends before it; what it names is
 * there and durable. Throws as `commitOperation` does.
 */
export function appendReceived(writer: Writer, operation: Operation): 'created' | 'taken' {
  const { index } = writer
  const head = index.refresh()
  if (index.blocked !== undefined) throw cannotWrite(index.blocked)
  if (head.applied + 1 !== operation.n || head.hash !== operation.prev) return 'taken'
  // Its nonce may be the name of a file that a process left that was killed.
  const appended = append(operation, writer, head, `.${temporaryName()}`)
  if (appended.kind === 'busy') throw busy(appended)
  if (appended.kind === 'created' && updateIndex(index, appended.hash)) {
    writeSegments(writer, operation.n)
  }
  return appended.kind
}

function append(
  operation: Operation,
  { io, layout, index }: Writer,
  head: Head,
  temporary?: string,
): Appended {
  try {
    return appendOperation(operation, {
      io,
      layout,
      previousIsDurable: head.durable === head.hash,
      ...(temporary === undefined ? {} : { temporary }),
    })
  } catch (error) {
    const committed = error instanceof ArtifactsError && error.code === 'ERR_DURABILITY_UNKNOWN'
    if (committed) updateIndex(index, undefined)
    throw error
  }
}

/**
 * Who is told that there is nothing to change relies on what is there; the process that wrote it may have died before
 * the name of its operation was durable, or may not have come to that yet.
 */
function assureDurable({ io, layout, index }: Writer, { applied, hash, durable }: Head): void {
  if (durable === hash) return
  syncLog(io, layout, applied)
  updateIndex(index, hash)
}

/**
 * Takes up the own operation, and notes up to which one all are durable. The commit stands whether this succeeds or not:
 * the next opening would do it.
 */
function updateIndex(index: StoreIndex, durable: string | undefined): boolean {
  try {
    index.refresh()
    if (durable !== undefined) index.noteDurable(durable)
    return true
  } catch (error) {
    const isBusy = error instanceof ArtifactsError && error.code === 'ERR_BUSY'
    if (!isBusy && !isSqliteError(error)) throw error
    index.sayBehind(error)
    return false
  }
}

/** Writes the segments that end with the own operation. Where that fails nobody misses them, and gc writes them. */
function writeSegments(writer: Writer, n: number): void {
  try {
    for (const range of segmentsEndingWith(n, writer.segmentSizes)) writeSegment(writer, range)
  } catch (error) {
    const isHarmless =
      error instanceof ArtifactsError || isFailedCall(error) || isSqliteError(error)
    if (!isHarmless) throw error
  }
}

/** Waits a random time that grows with the attempts, so that those who collided do not collide again. */
async function pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const most = Math.min(LONGEST_PAUSE_MS, 2 ** Math.min(attempt, 10))
  try {
    await setTimeout(Math.random() * most, undefined, { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

function cannotWrite(blocked: Blocked): ArtifactsError {
  if ('damage' in blocked) return blocked.damage
  const { n, tool, why } = blocked
  return new ArtifactsError(
    'ERR_UNSUPPORTED',
    `Operation ${n}, written by "${tool}", holds ${why}: this program can read the store as it was before, not change it.`,
    { hint: `Install the version that wrote it, "${tool}", or a newer one.` },
  )
}

function busy({ lock, holder }: Extract<Appended, { kind: 'busy' }>): ArtifactsError {
  return new ArtifactsError('ERR_BUSY', `Process "${holder}" holds the lock "${lock}".`, {
    hint: 'Try again when it has finished. If it runs on another host and is dead, remove the lock file.',
  })
}
