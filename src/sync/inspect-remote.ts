/** Looks at a remote as a person asks how it is: what lies there, how far away it is, what it lets be done. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { ArtifactsError } from '../errors.ts'
import type { Opened } from '../store/open.ts'
import type { Backend, RequestOptions } from './backend.ts'
import { FORMAT_NAME } from './log/names.ts'
import { readNoted } from './log/noted-log.ts'
import { checkPosition, readIdentity } from './log/remote-log.ts'
import { findTip } from './log/tip.ts'
import { isStore } from './may-push.ts'
import { type Probe, probe, type Verdict } from './probe.ts'
import { noteStore, noteVerdict } from './remote-notes.ts'
import { type OpenRemoteOptions, openRemote, type Remote } from './remotes.ts'
import { bytesSource } from './source.ts'

/** Why nobody can write there: it takes no files, not from whoever asks, or it is a store that somebody works in. */
export type Obstacle = 'read-only' | 'denied' | 'store'

export interface Findings {
  /** Milliseconds from asking to an answer: the shortest of a few. */
  readonly latencyMs: number
  /** The store that lies there; absent: none yet. */
  readonly store?: string
  /** The format of that store. */
  readonly format?: number
  /** Operations in its log. */
  readonly operations?: number
  readonly verdict?: Verdict
  readonly obstacle?: Obstacle
  /** Whether what the probe made could be removed; absent where nothing was made. */
  readonly deletes?: boolean
  /** By how many milliseconds its clock is ahead; absent where it does not tell. */
  readonly clockMs?: number
}

/**
 * Notes the store and the verdict, too.
 * @throws ArtifactsError ERR_REMOTE_UNREACHABLE, ERR_REMOTE_DENIED, ERR_REMOTE_CHANGED, ERR_DAMAGED, ERR_UNSUPPORTED for a
 * store of a later program, ERR_USAGE, ERR_CONFIG
 */
export async function inspectRemote(
  opened: Pick<Opened, 'io' | 'layout' | 'settings'>,
  remote: Remote,
  { signal, ...options }: OpenRemoteOptions & RequestOptions,
): Promise<Findings> {
  // A single writer looks before it writes, and that is not what is to be found out.
  await using backend = await openRemote(opened, { ...remote, isSingleWriter: false }, options)
  const identity = await readIdentity(backend, { signal })
  const latencyMs = await latencyOf(backend, signal)
  const there = identity && {
    store: identity.id,
    format: identity.format,
    operations: await findTip(backend, { signal }),
  }
  if (identity !== undefined) {
    noteStore(opened, remote, identity.id)
    const path = join(opened.layout.remotes, identity.id, 'log.jsonl')
    await checkPosition(backend, await readNoted(path, identity.hash), { signal })
  }
  const writing = isStore(remote)
    ? ({ obstacle: 'store' } as const)
    : await tryWriting(backend, signal)
  const { verdict } = writing
  if (verdict !== undefined) noteVerdict(opened, remote.url, verdict)
  return { latencyMs, ...there, ...writing }
}

/** The shortest of three, on a connection that stands. */
async function latencyOf(backend: Backend, signal: AbortSignal | undefined): Promise<number> {
  let shortest = Number.POSITIVE_INFINITY
  for (let i = 0; i < 3; i++) {
    const start = performance.now()
    await backend.head(FORMAT_NAME, { signal })
    shortest = Math.min(shortest, performance.now() - start)
  }
  return shortest
}

async function tryWriting(
  backend: Backend,
  signal: AbortSignal | undefined,
): Promise<Pick<Findings, 'verdict' | 'obstacle' | 'deletes' | 'clockMs'>> {
  let found: Probe
  try {
    found = await probe(backend, { signal })
  } catch (error) {
    const obstacle = obstacleIn(error)
    if (obstacle === undefined) throw error
    return { obstacle }
  }
  const clockMs = await clockOf(backend, signal)
  return {
    verdict: found.verdict,
    deletes: found.left.length === 0,
    ...(clockMs === undefined ? {} : { clockMs }),
  }
}

/** What a refusal to write means, once reading was possible. */
function obstacleIn(error: unknown): Obstacle | undefined {
  if (!(error instanceof ArtifactsError)) return undefined
  if (error.code === 'ERR_READ_ONLY') return 'read-only'
  const { status } = error.data
  return error.code === 'ERR_REMOTE_DENIED' && (status === 401 || status === 403)
    ? 'denied'
    : undefined
}

/** Puts a file, and reads in a list when the remote says that this was. Lists tell whole seconds. */
async function clockOf(
  backend: Backend,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const name = `probe/${randomBytes(16).toString('hex')}`
  const start = Date.now()
  await backend.put(name, bytesSource('clock'), { signal })
  const end = Date.now()
  try {
    // Whatever else lies there begins otherwise.
    for await (const file of backend.list('probe/', { after: name.slice(0, -1), signal })) {
      if (file.name !== name || !Number.isFinite(file.modified)) return undefined
      return differenceOf(file.modified, start, end)
    }
    return undefined
  } catch (error) {
    if (error instanceof ArtifactsError) return undefined
    throw error
  } finally {
    await backend.delete(name, { signal }).catch(ignoreRefusal)
  }
}

/** 0 where the time may be right: between start and end, in whole seconds. */
function differenceOf(modified: number, start: number, end: number): number {
  const earliest = Math.floor(start / 1000) * 1000
  if (modified < earliest) return modified - start
  return modified > end ? modified - end : 0
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof ArtifactsError)) throw error
}
