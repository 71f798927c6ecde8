/**
 * The index of an open store: a database that holds the fold of the log (docs/format.md section 7). It is never the
 * only place of anything; whatever is wrong with it, at opening or at any query later, it is built anew from the log
 * and the packs, by itself and without a question.
 */
import { basename } from 'node:path'
import { ArtifactsError, damaged } from '../../errors.ts'
import type { Progress } from '../../types.ts'
import type { Io } from '../io/io.ts'
import type { Layout } from '../layout.ts'
import { type Connection, isBusy, isIndexDamage, isNoSpace } from './connection.ts'
import {
  type IndexContext,
  openIndex,
  type RebuildReason,
  type Rebuilt,
  type StoreIdentity,
} from './database.ts'
import { readPointer, removeStrayIndexes } from './file.ts'
import { Objects } from './objects.ts'
import {
  comparePacks,
  type PackProblem,
  rereadPacks,
  type StagedPack,
  stagePacks,
} from './packs.ts'
import { databaseDirectory } from './place.ts'
import { type Blocked, catchUp, type Head, LogChangedError, readHead } from './refresh.ts'
import { RuleError } from './rules.ts'
import type { Source, StateView } from './state.ts'
import { stateView } from './state-view.ts'

export interface IndexOptions {
  readonly io: Io
  readonly layout: Layout
  readonly identity: StoreIdentity
  /** Where databases may lie that cannot be in the store; without it, they are kept in memory. */
  readonly cacheDir?: string | undefined
  readonly onNotice?: ((notice: IndexNotice) => void) | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** What a user should hear of, although nothing failed. */
export type IndexNotice =
  | ({ readonly kind: 'index-rebuilt'; readonly message: string } & Rebuilt)
  | ({ readonly kind: 'pack-unreadable'; readonly message: string } & PackProblem)
  | { readonly kind: 'format-damaged'; readonly message: string }
  /** An operation that is damaged: nothing can be written behind it. */
  | { readonly kind: 'log-damaged'; readonly message: string; readonly n: number }
  /** A commit is in the log, but the index could not take it up. */
  | { readonly kind: 'index-behind'; readonly message: string; readonly cause: unknown }

const REASONS: Readonly<Record<RebuildReason, string>> = {
  missing: 'it was missing',
  damaged: 'it was damaged',
  foreign: "it was another store's",
  copied: 'it was a copy',
  schema: 'another version of the program wrote it',
  log: 'the log is not the one it was made from',
}
/** An index that is broken again right after it was built: the disk or the memory is at fault. */
const MOST_REBUILDS = 3

export class StoreIndex implements Source {
  readonly state: StateView
  readonly objects: Objects
  #context: IndexContext
  readonly #onNotice: (notice: IndexNotice) => void
  #connection: Connection
  #blocked: Blocked | undefined
  #saidBlocked: number | undefined
  #rebuilds = 0
  /** Whether the rows of objects were compared with the packs. */
  #isCompared = false
  /** The newest operation that what `objects` remembers is based on; other processes fold into the same database. */
  #seen = -1

  /** Opens the index of a store and brings it up to date. Throws ERR_DAMAGED where the log is damaged. */
  constructor(options: IndexOptions) {
    const { io, layout, identity, onProgress } = options
    this.#onNotice = options.onNotice ?? (() => {})
    this.#context = {
      io,
      layout,
      identity,
      directory: databaseDirectory(io, layout.root, identity.id, options.cacheDir),
      onRebuilt: (rebuilt) => this.#sayRebuilt(rebuilt),
      onPackProblem: (problem) => this.#sayUnreadable(problem),
      onProgress,
    }
    this.state = stateView(this)
    this.objects = new Objects(this, layout)
    this.#connection = openIndex(this.#context)
    try {
      this.refresh()
      this.#mending(() => rereadPacks(this.#connection, layout))
    } catch (error) {
      this.close()
      if (!isNoSpace(error)) throw error
      // The disk has no room for what is new: a store on a full disk can still be read.
      this.#context = { ...this.#context, directory: undefined }
      this.#connection = openIndex(this.#context)
    }
  }

  /**
   * Folds what is new in the log and returns where the fold stands. Throws ERR_DAMAGED where the log is damaged, and
   * ERR_BUSY when another process held the index for long.
   */
  refresh(): Head {
    try {
      return this.#mending(() => {
        this.#blocked = catchUp(this.#connection, this.#context)
        this.#sayBlocked()
        const head = readHead(this.#connection)
        if (head.applied !== this.#seen) this.objects.forget()
        this.#seen = head.applied
        return head
      })
    } catch (error) {
      if (!isBusy(error)) throw error
      throw new ArtifactsError(
        'ERR_BUSY',
        'Another process is writing to the index of this store.',
        {
          hint: 'Wait until it has finished, then try again.',
          cause: error,
        },
      )
    }
  }

  /** The newest operation at the last `refresh`. */
  get seen(): number {
    return this.#seen
  }

  /**
   * Whether there is more to find than when operation `seen` was the newest. Whoever does not find an object, or not in
   * the pack it should be in, asks this: if the log went on, that pack may have been dropped; the first time, the index is
   * compared with the packs, and built anew where they hold more. If neither, the object is lost.
   */
  hasMovedOn(seen: number): boolean {
    return this.refresh().applied !== seen || this.#regainsObjects()
  }

  #regainsObjects(): boolean {
    if (this.#isCompared) return false
    this.#isCompared = true
    const before = this.#rebuilds
    this.#mending(() => comparePacks(this.#connection, this.#context.layout))
    return this.#rebuilds > before
  }

  /** The operation at which this program had to stop, as of the last `refresh`: the store cannot be changed. */
  get blocked(): Blocked | undefined {
    return this.#blocked
  }

  /** How often the database was replaced while it was open: with it, numbers of rows lose their meaning. */
  get rebuilds(): number {
    return this.#rebuilds
  }

  /** Notes that the operation with this hash, and all before it, are on disk with their names. */
  noteDurable(hash: string): void {
    this.#mending(() => this.#connection.run('UPDATE store SET durable = ?', hash))
  }

  /** Takes up the objects of packs that are written but not named yet; they are not found until an operation names them. */
  stagePacks(packs: readonly StagedPack[]): void {
    this.#mending(() => stagePacks(this.#connection, packs))
  }

  /** Removes databases that nobody uses any more and that are older than `age`, in milliseconds. */
  removeStrays(age: number): { readonly files: number; readonly bytes: number } {
    const { io, directory } = this.#context
    const current = directory === undefined ? undefined : readPointer(directory)
    // Another process may have replaced the database that this one uses.
    if (directory === undefined || current !== basename(this.#connection.path)) {
      return { files: 0, bytes: 0 }
    }
    return removeStrayIndexes(io, directory, current, age)
  }

  read<T>(query: (connection: Connection) => T): T {
    return this.#mending(() => query(this.#connection))
  }

  /** Answers several questions of one moment. The index must not be changed meanwhile. */
  snapshot<T>(query: (state: StateView, head: Head) => T): T {
    return this.#mending(() => {
      const connection = this.#connection
      return connection.snapshot(() => query(stateView(connection), readHead(connection)))
    })
  }

  close(): void {
    this.#connection.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Runs something against the database; where that turns out to be damaged, once more against a new one. */
  #mending<T>(attempt: () => T): T {
    for (let rebuilds = 0; ; rebuilds++) {
      try {
        return attempt()
      } catch (error) {
        const reason = reasonOf(error)
        if (reason === undefined) throw error
        if (rebuilds === MOST_REBUILDS) {
          throw damaged('The index is damaged again as soon as it is built.', { cause: error })
        }
        this.#connection.close()
        this.#connection = openIndex(this.#context, {
          name: basename(this.#connection.path),
          reason,
        })
        this.#rebuilds++
        this.objects.forget()
      }
    }
  }

  #sayRebuilt(rebuilt: Rebuilt): void {
    const { reason, operations, packs } = rebuilt
    const message = `Rebuilt the index from ${operations} operations and ${packs} packs: ${REASONS[reason]}.`
    this.#onNotice({ kind: 'index-rebuilt', message, ...rebuilt })
  }

  #sayUnreadable(problem: PackProblem): void {
    const message = `Pack "${problem.path}" is ${problem.state}: what only it holds cannot be read.`
    this.#onNotice({ kind: 'pack-unreadable', message, ...problem })
  }

  #sayBlocked(): void {
    const blocked = this.#blocked
    if (blocked === undefined || !('damage' in blocked) || this.#saidBlocked === blocked.n) return
    this.#saidBlocked = blocked.n
    const message = `${blocked.damage.message} The store can be read, not changed; \`artifacts fsck\` says more.`
    this.#onNotice({ kind: 'log-damaged', message, n: blocked.n })
  }

  /** Says that a commit stands although the index has not taken it up. */
  sayBehind(cause: unknown): void {
    const message = 'The index could not be updated; the next command will do it.'
    this.#onNotice({ kind: 'index-behind', message, cause })
  }
}

function reasonOf(error: unknown): RebuildReason | undefined {
  if (error instanceof LogChangedError) return 'log'
  return error instanceof RuleError || isIndexDamage(error) ? 'damaged' : undefined
}
