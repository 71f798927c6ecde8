/**
 * Commits a directory as often as it comes to rest. Events only say when to look; what is stored is decided by the files'
 * own times (store/workspace/settling.ts). Where a directory never comes to rest, files that stand still are stored all the
 * same after a while, and those that are changing stay as they were in the version before.
 */
import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { bindDirectory, bindingOf } from './bindings.ts'
import {
  type CommitOptions,
  type CommitReport,
  type CommitTarget,
  commitContents,
  labelsOf,
  parseName,
  targetOfDirectory,
} from './commit.ts'
import { type DirectoryEvents, watchEvents } from './directory-events.ts'
import { ArtifactsError, type ErrorCode, isSystemError } from './errors.ts'
import { parseDuration } from './names.ts'
import { resolveRun } from './run-search.ts'
import { sessionOfRun } from './runs.ts'
import { nameOf, type Session } from './session.ts'
import { identityOf, Settling, StillChanging } from './store/workspace/settling.ts'

export interface WatchOptions
  extends Pick<
    CommitOptions,
    | 'type'
    | 'aliases'
    | 'tags'
    | 'description'
    | 'metadata'
    | 'allowSecrets'
    | 'run'
    | 'slot'
    | 'jobs'
  > {
  /** `[project/]name`; default: what the directory is bound to, else its basename. */
  readonly name?: string
  /** For how long nothing must have changed, as `2s` (default) or in milliseconds; at least 50. */
  readonly settle?: string | number
  /** Ends the watching; what has come to rest until then is still stored. */
  readonly signal?: AbortSignal | undefined
}

/** What is to be told while a directory is watched. */
export type WatchEvent =
  | {
      readonly type: 'watching'
      readonly dir: string
      readonly artifact: string
      readonly settle: number
    }
  | { readonly type: 'version'; readonly report: CommitReport }
  /** Nothing could be stored; it is tried again. */
  | {
      readonly type: 'refused'
      readonly code: ErrorCode
      readonly message: string
      readonly hint?: string
    }
  /** The directory is not there, or there again. */
  | { readonly type: 'gone' | 'back'; readonly dir: string }
  /** The system does not tell of all changes, so that the directory is looked through every so many milliseconds. */
  | { readonly type: 'looking'; readonly every: number; readonly reason: string }

/** What a watch needs of the store. */
export interface WatchHost {
  readonly session: () => Session
  /** A step that writes, in its turn. */
  readonly writing: <T>(step: (session: Session) => Promise<T>) => Promise<T>
}

/** The clocks of file systems tick up to 20 ms apart. */
const SHORTEST_MS = 50
/** Times `settle` after which files that stand still do not wait for the others any longer. */
const PATIENCE = 10
const LONGEST_PAUSE_MS = 1000
/** Between two looks where the system does not tell of changes, and before the one look after the last event. */
const LOOK_MS = 10_000

/** Errors that pass when files change: each is told once, and the watch goes on. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'ERR_UNREADABLE',
  'ERR_FILE_CHANGED',
  'ERR_INVALID_PATH',
  'ERR_SECRETS',
  'ERR_CONFIG',
  'ERR_NOT_FOUND',
  'ERR_BUSY',
])

/** @throws ArtifactsError ERR_NOT_FOUND for what is no directory, ERR_INVALID_NAME, ERR_TYPE_MISMATCH. */
export async function* watchDirectory(
  host: WatchHost,
  dir: string,
  options: WatchOptions = {},
): AsyncGenerator<WatchEvent, void, undefined> {
  const path = resolve(dir)
  const target = targetOf(host.session(), path, options)
  labelsOf(host.session(), target, options)
  if (identityOf(path) === undefined) {
    throw new ArtifactsError('ERR_NOT_FOUND', `There is no directory "${dir}".`, {
      hint: 'Check the path; it is relative to the current directory.',
    })
  }
  const given = options.settle ?? '2s'
  const settle = Math.max(typeof given === 'string' ? parseDuration(given) : given, SHORTEST_MS)
  yield { type: 'watching', dir: path, artifact: nameOf(host.session(), target), settle }
  const watch = new Watch(host, path, target, settle, options)
  try {
    yield* watch.run()
  } finally {
    await watch.close()
  }
}

function targetOf(session: Session, path: string, { name, run }: WatchOptions): CommitTarget {
  const id = run === undefined ? undefined : resolveRun(session, run).id
  const within = id === undefined ? session : sessionOfRun(session, id)
  const named = name === undefined ? targetOfDirectory(within, path) : parseName(within, name)
  return { ...named, run: id }
}

class Watch {
  readonly #host: WatchHost
  readonly #path: string
  readonly #target: CommitTarget
  readonly #settle: number
  readonly #options: WatchOptions
  readonly #settling: Settling
  #events: DirectoryEvents | undefined
  /** Of the directory that the events are about; undefined while there is none. */
  #identity: string | undefined
  #isGone = false
  /** Whether no look has been taken since events are told. */
  #isNew = true
  /** Events that were there at the last look. */
  #counted = 0
  /** Since when something may have to be stored; undefined: nothing has. */
  #since: number | undefined
  /** When to look although no event says so. */
  #lookAt = Number.POSITIVE_INFINITY
  /** A look that failed is not repeated at once. */
  #notBefore = 0
  #refusal: string | undefined
  #limit: string | undefined

  constructor(
    host: WatchHost,
    path: string,
    target: CommitTarget,
    settle: number,
    options: WatchOptions,
  ) {
    this.#host = host
    this.#path = path
    this.#target = target
    this.#settle = settle
    this.#options = options
    this.#settling = new Settling(path, settle)
  }

  async *run(): AsyncGenerator<WatchEvent, void, undefined> {
    while (this.#options.signal?.aborted !== true) {
      yield* this.#follow()
      this.#takeEvents()
      const wait = this.#wait()
      if (wait > 0) await this.#pause(wait)
      else yield* this.#commit(performance.now() >= this.#patienceEnds())
    }
    this.#takeEvents()
    if (this.#since !== undefined && identityOf(this.#path) !== undefined) yield* this.#commit(true)
  }

  async close(): Promise<void> {
    await this.#events?.close()
    this.#events = undefined
  }

  /** Has events come from the directory that is at the path now. */
  async *#follow(): AsyncGenerator<WatchEvent, void, undefined> {
    const now = identityOf(this.#path)
    if (now === undefined && !this.#isGone) {
      this.#isGone = true
      this.#identity = undefined
      await this.close()
      yield { type: 'gone', dir: this.#path }
    }
    const isStale = this.#events?.isStale === true
    if (now !== undefined && (now !== this.#identity || isStale)) {
      await this.close()
      this.#events = await this.#newEvents()
      this.#identity = now
      this.#counted = 0
      this.#isNew = true
      this.#since ??= performance.now()
      if (this.#isGone) yield { type: 'back', dir: this.#path }
      this.#isGone = false
    }
    const limit = this.#events?.limit
    if (limit === undefined || limit === this.#limit) return
    this.#limit = limit
    this.#lookAt = performance.now() + this.#every
    yield { type: 'looking', every: this.#every, reason: limit }
  }

  async #newEvents(): Promise<DirectoryEvents | undefined> {
    try {
      return await watchEvents(realpathSync.native(this.#path), this.#options.signal)
    } catch (error) {
      // Gone once more: the next turn finds that out.
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw error
    }
  }

  #takeEvents(): void {
    const { count = 0, last = 0 } = this.#events ?? {}
    if (count > this.#counted) this.#since ??= last
  }

  /** Milliseconds until something is to be done; 0: commit now. */
  #wait(): number {
    if (this.#identity === undefined) return LONGEST_PAUSE_MS
    const now = performance.now()
    if (this.#since === undefined && now < this.#lookAt) {
      return Math.min(LONGEST_PAUSE_MS, this.#lookAt - now)
    }
    this.#since ??= now - this.#settle
    const quiet = Math.max(this.#since, this.#events?.last ?? 0) + this.#settle
    return Math.max(Math.min(quiet, this.#patienceEnds()) - now, this.#notBefore - now, 0)
  }

  #patienceEnds(): number {
    return (this.#since ?? 0) + this.#settle * PATIENCE
  }

  get #every(): number {
    return Math.max(LOOK_MS, this.#settle * PATIENCE)
  }

  async *#commit(isPartial: boolean): AsyncGenerator<WatchEvent, void, undefined> {
    const events = this.#events?.count ?? 0
    const wasTold = events > this.#counted || this.#isNew
    this.#counted = events
    try {
      const report = await this.#host.writing((session) => this.#store(session, isPartial))
      this.#isNew = false
      this.#refusal = undefined
      this.#since = this.#settling.isWaiting ? performance.now() : undefined
      // After many events one look more, for those that the system has lost.
      const isAgain = wasTold || this.#limit !== undefined
      this.#lookAt = isAgain ? performance.now() + this.#every : Number.POSITIVE_INFINITY
      if (!report.created) return
      // What no event has told of may be in directories that are not known.
      if (!wasTold && this.#limit === undefined) this.#identity = undefined
      yield { type: 'version', report }
    } catch (error) {
      this.#notBefore = performance.now() + Math.min(this.#settle, LONGEST_PAUSE_MS) / 2
      if (error instanceof StillChanging) return
      if (!(error instanceof ArtifactsError) || !PASSING.has(error.code)) throw error
      this.#since = performance.now()
      const { code, message, hint } = error
      if (message === this.#refusal) return
      this.#refusal = message
      yield { type: 'refused', code, message, ...(hint === undefined ? {} : { hint }) }
    }
  }

  async #store(session: Session, isPartial: boolean): Promise<CommitReport> {
    const report = await commitContents(
      session,
      this.#target,
      {
        sources: [
          {
            kind: 'directory',
            dir: this.#path,
            prefix: '',
            watched: this.#settling.look({ isPartial }),
          },
        ],
      },
      // Who ends the watching wants what is being stored.
      { ...this.#options, signal: undefined },
    )
    const bound = bindingOf(session, this.#path, { exactly: true })
    if (bound?.version === report.id) return report
    const now = bindDirectory(session, this.#path, report.id)
    return now === undefined ? report : { ...report, bound: now }
  }

  /** Ends before its time when the watching is to end and, while nothing is to be stored, at an event. */
  #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#options
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        if (this.#events !== undefined) this.#events.wake = () => {}
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      signal?.addEventListener('abort', done)
      if (signal?.aborted === true) done()
      else if (this.#since === undefined && this.#events !== undefined) this.#events.wake = done
    })
  }
}
