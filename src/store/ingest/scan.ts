/**
 * From directories and files to the entries of a version, in the order of their paths: walk, take what the stat cache
 * knows, read the rest. Reading runs ahead of the entries that are handed out by a bounded number, so that memory does
 * not grow with the directory.
 */
import { lstatSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, posix, relative, sep } from 'node:path'
import { ArtifactsError } from '../../errors.ts'
import type { Entry, EntryPath, FileEntry, ObjectId, OperationOptions } from '../../types.ts'
import { isShared } from '../io/file-system.ts'
import type { OpenedStore } from '../opened.ts'
import { comparePaths } from '../tree/paths.ts'
import { BatchBuilder, statAt, type WalkBatch, WalkKind } from '../workspace/batch.ts'
import { type FileClock, readClock } from '../workspace/clock.ts'
import type { Findings } from '../workspace/findings.ts'
import { MatchedBatch, RowState } from '../workspace/matched-batch.ts'
import type { StatCache, StatScan } from '../workspace/stat-cache.ts'
import { walk } from '../workspace/walk.ts'
import { type FileContent, refuseUnreadable } from './contents.ts'
import type { LazyPool } from './lazy-pool.ts'
import { batchOf, isAsListed, type ListedFile, refuseChanged } from './listed-files.ts'
import type { FileStat } from './protocol.ts'
import { Reading } from './reading.ts'
import { isPrivateKeyFile, isSecretName } from './secrets.ts'

/** What goes into a version, and where. */
export type Source =
  | {
      readonly kind: 'directory'
      readonly dir: string
      readonly prefix: string
      /** Where programs are writing while it is read: the only source then. */
      readonly watched?: WatchedFiles
    }
  | {
      readonly kind: 'file'
      readonly file: string
      readonly path: EntryPath
      /** What it was when it was named: it must still be that. */
      readonly listed?: ListedFile
    }
  /** Up to 1,024 files of one directory, in ascending order of their paths, that are not looked for in the stat cache. */
  | { readonly kind: 'listed'; readonly dir: string; readonly files: readonly ListedFile[] }

/** Which files of a directory are whole, and which may be halfway through a change. */
export interface WatchedFiles {
  /** False: the file is left out. Asked once for each. */
  readonly isSettled: (path: EntryPath, stat: FileStat) => boolean
  /** Whether nothing is at the path just now, and that may be no more than a step of a change. */
  readonly isGoing: (path: EntryPath) => boolean
  /** Called when all has been looked at, with what was left out. Throws where the commit is to be given up. */
  readonly check: (unsettled: ReadonlySet<string>) => void
}

export interface ScanOptions extends OperationOptions {
  /** False: only hash. */
  readonly store: boolean
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly keepRecipe: (id: ObjectId, bytes: Uint8Array) => void
  /** Looks for secrets also in files that need not be read. */
  readonly findSecrets: boolean
}

/** What was met; complete when the scan has ended. */
export interface ScanReport {
  readonly skipped: { readonly path: string; readonly reason: string }[]
  /** Symlinks that lead outside the directory they were found in. */
  outwardLinks: number
  /** Paths of files that look like secrets. */
  readonly secrets: string[]
  /** Paths of files that were left out because they are changing; only of a directory that is watched. */
  readonly unsettled: Set<string>
}

/** Entries ahead of those handed out: some thousand files keep all readers busy. */
const AHEAD = 4096

interface Pending {
  /** None for files that are not remembered. */
  readonly cache: StatScan | undefined
  readonly matched: MatchedBatch
  /** Absolute path of the directory. */
  readonly directory: string
  /** Path in the version of what is at an index. */
  readonly pathAt: (index: number) => EntryPath
  readonly listedAt: (index: number) => ListedFile | undefined
  readonly watched: WatchedFiles | undefined
  /** Files that are being read. */
  waiting: number
}

/** The batches of a source. */
interface Opened {
  readonly root: string
  readonly batches: Iterable<WalkBatch>
  readonly pathAt: (batch: WalkBatch, index: number) => EntryPath
  readonly listedAt?: (index: number) => ListedFile | undefined
  readonly findings?: Findings
}

export class Scan {
  readonly report: ScanReport = {
    skipped: [],
    outwardLinks: 0,
    secrets: [],
    unsettled: new Set(),
  }
  readonly #options: ScanOptions
  readonly #storeRoot: string
  readonly #workspace: string
  readonly #clock: FileClock
  readonly #statCache: StatCache
  readonly #scans: StatScan[] = []
  readonly #reading: Reading
  /** Files whose content came from the cache, until `takeCached` asks. */
  readonly #cached = new Map<Entry, string>()
  /** Files that are not what they were when they were listed. */
  readonly #changed: string[] = []
  #files = 0
  #bytes = 0

  constructor(store: OpenedStore, pool: LazyPool, options: ScanOptions) {
    this.#options = options
    this.#storeRoot = store.layout.root
    this.#clock = readClock(store.io, store.layout, isShared(store.layout.root))
    this.#statCache = store.statCache()
    this.#workspace = store.workspace
    this.#reading = new Reading(pool, {
      store: options.store,
      keepRecipe: options.keepRecipe,
      tick: this.#clock.granularity,
      onRead: (files, bytes) => this.#progress(files, bytes),
      signal: options.signal,
    })
  }

  /**
   * Scans the sources, which must not overlap, and yields their entries in ascending order of their paths. Run it once.
   * @throws ArtifactsError ERR_UNREADABLE or ERR_FILE_CHANGED when a file has no content, ERR_INVALID_PATH for a name
   * that no version can hold. Nothing is left out silently but what the report names as skipped.
   */
  async *run(sources: readonly Source[]): AsyncGenerator<readonly Entry[]> {
    for (const source of sources.toSorted((a, b) => comparePaths(orderOf(a), orderOf(b)))) {
      yield* this.#scan(source)
    }
    refuseChanged(this.#changed)
  }

  /** The file of an entry whose content was not read but remembered; asked once for each entry. */
  takeCached(entry: Entry): string | undefined {
    const file = this.#cached.get(entry)
    this.#cached.delete(entry)
    return file
  }

  /** Reads files whose content was remembered; they must still have it. */
  async reread(files: readonly (readonly [entry: FileEntry, file: string])[]): Promise<void> {
    let waiting = files.length
    for (const [entry, file] of files) {
      const source = sourceOf(oneFile(file), 0, file, this.#clock)
      const done = (): void => {
        waiting--
      }
      this.#reading.add(
        source,
        (content) => {
          if (!isSame(content, entry)) this.#reading.unreadable.push({ file, code: 'changed' })
          done()
        },
        (code) => {
          this.#reading.unreadable.push({ file, code })
          done()
        },
      )
    }
    while (waiting > 0) await this.#reading.progress()
    refuseUnreadable(this.#reading.unreadable)
  }

  /** Keeps what was found out about the files for the next scan. */
  remember(): void {
    for (const scan of this.#scans) scan.finish()
  }

  async *#scan(source: Source): AsyncGenerator<readonly Entry[]> {
    const queue: Pending[] = []
    let ahead = 0
    const next = async (): Promise<readonly Entry[]> => {
      const head = queue.shift() as Pending
      while (head.waiting > 0) await this.#reading.progress()
      ahead -= head.matched.batch.length
      return this.#entriesOf(head)
    }
    const { root, batches, pathAt, listedAt = () => undefined, findings } = this.#open(source)
    const cache = source.kind === 'listed' ? undefined : this.#remembered(source)
    this.#noteGivenNames(source)
    for (const batch of batches) {
      this.#options.signal?.throwIfAborted()
      const directory = batch.directory === '' ? root : `${root}/${batch.directory}`
      const matched = cache?.match(batch) ?? new MatchedBatch(batch)
      const at = (index: number): EntryPath => pathAt(batch, index)
      const watched = source.kind === 'directory' ? source.watched : undefined
      const pending = { cache, matched, directory, pathAt: at, listedAt, watched, waiting: 0 }
      this.#take(pending)
      queue.push(pending)
      ahead += batch.length
      while (ahead > AHEAD || this.#reading.isFull) {
        if (ahead > AHEAD) yield await next()
        else await this.#reading.progress()
      }
      // Lets the answers of other threads in, and Ctrl-C.
      await new Promise((resolve) => setImmediate(resolve))
      while (queue[0]?.waiting === 0) yield await next()
    }
    while (queue.length > 0) yield await next()
    refuseUnreadable(this.#reading.unreadable)
    if (source.kind === 'directory') source.watched?.check(this.report.unsettled)
    if (findings !== undefined) this.#judge(findings, root)
  }

  /** Names that files get in the version and do not have where they are. */
  #noteGivenNames(source: Source): void {
    if (source.kind === 'directory') return
    for (const { file, path } of source.kind === 'file' ? [source] : source.files) {
      if (isSecretName(basename(file)) || !isSecretName(posix.basename(path))) continue
      this.report.secrets.push(path)
    }
  }

  #remembered(source: Exclude<Source, { kind: 'listed' }>): StatScan {
    const scan = this.#statCache.scan(this.#keyOf(source), this.#clock, {
      partial: this.#options.include.length + this.#options.exclude.length > 0,
    })
    this.#scans.push(scan)
    return scan
  }

  #open(source: Source): Opened {
    if (source.kind === 'listed') {
      const { dir, files } = source
      const at = (index: number): ListedFile => files[index] as ListedFile
      return {
        root: dir,
        batches: [batchOf(files)],
        pathAt: (_, index) => at(index).path,
        listedAt: at,
      }
    }
    if (source.kind === 'file') {
      const { listed, path } = source
      if (listed !== undefined && isMissing(listed.file)) {
        this.#changed.push(listed.file)
        return { root: dirname(listed.file), batches: [], pathAt: () => path }
      }
      // A path that a person names is followed; what a directory holds never is.
      const file = realpathSync.native(source.file)
      return {
        root: dirname(file),
        batches: [oneFile(file)],
        pathAt: () => path,
        listedAt: () => listed,
      }
    }
    const { include, exclude } = this.#options
    const prefix = source.prefix === '' ? '' : `${source.prefix}/`
    const batches = walk(source.dir, { include, exclude, store: this.#storeRoot })
    return {
      root: source.dir,
      batches,
      pathAt: ({ directory, names }, index) =>
        (directory === ''
          ? `${prefix}${names[index]}`
          : `${prefix}${directory}/${names[index]}`) as EntryPath,
      findings: batches.findings,
    }
  }

  #take(pending: Pending): void {
    const { matched, directory, pathAt, listedAt, watched } = pending
    const { batch } = matched
    for (let index = 0; index < batch.length; index++) {
      if (batch.kinds[index] !== WalkKind.file) continue
      if (watched?.isSettled(pathAt(index), statAt(batch, index)) === false) {
        this.#leaveOut(matched, index, pathAt(index))
        continue
      }
      if (isSecretName(batch.names[index] as string)) this.report.secrets.push(pathAt(index))
      const listed = listedAt(index)
      if (matched.states[index] === RowState.clean) {
        const known = { stat: statAt(batch, index), content: matched.content(index) }
        if (listed !== undefined && !isAsListed(listed, known)) this.#changed.push(listed.file)
        this.#files++
        this.#bytes += batch.sizes[index] as number
        if (this.#options.findSecrets && isPrivateKeyFile(`${directory}/${batch.names[index]}`)) {
          this.report.secrets.push(pathAt(index))
        }
        continue
      }
      pending.waiting++
      const file = `${directory}/${batch.names[index]}`
      // Whoever listed a file made sure that it cannot change without its times or its digest showing that.
      const source = sourceOf(batch, index, file, this.#clock)
      this.#reading.add(
        listed === undefined ? source : { ...source, isSettled: true },
        (content) => {
          pending.waiting--
          if (listed !== undefined && !isAsListed(listed, content)) this.#changed.push(listed.file)
          // Read once more, it is of a later time than its neighbours.
          if (watched !== undefined && content.isExecutable !== undefined) {
            this.#leaveOut(matched, index, pathAt(index))
            return
          }
          if (content.isPrivateKey) this.report.secrets.push(pathAt(index))
          matched.set(index, content.content, content.fingerprint, content.stat)
          if (content.isExecutable !== undefined) {
            batch.executables[index] = content.isExecutable ? 1 : 0
          }
        },
        (code) => {
          pending.waiting--
          const isAnother = code === 'changed' || code === 'EISDIR'
          if (watched !== undefined && isAnother) this.#leaveOut(matched, index, pathAt(index))
          else if (listed !== undefined && isAnother) this.#changed.push(file)
          else this.#reading.unreadable.push({ file, code })
        },
      )
    }
    this.#progress(0, 0)
  }

  /** The file is neither stored nor remembered. */
  #leaveOut(matched: MatchedBatch, index: number, path: EntryPath): void {
    matched.states[index] = RowState.unknown
    this.report.unsettled.add(path)
  }

  #entriesOf({ cache, matched, directory, pathAt }: Pending): readonly Entry[] {
    const { batch, states } = matched
    const made: Entry[] = []
    for (let index = 0; index < batch.length; index++) {
      const path = pathAt(index)
      switch (batch.kinds[index]) {
        case WalkKind.file: {
          // Unreadable: the scan fails when all such files are known.
          if (states[index] === RowState.unknown || states[index] === RowState.unsure) break
          const entry: FileEntry = {
            kind: 'file',
            path,
            executable: batch.executables[index] === 1,
            size: batch.sizes[index] as number,
            content: matched.content(index),
          }
          if (states[index] === RowState.clean && entry.content.kind !== 'inline') {
            this.#cached.set(entry, `${directory}/${batch.names[index]}`)
          }
          made.push(entry)
          break
        }
        case WalkKind.symlink: {
          const target = batch.targets.get(index) as string
          if (leadsOutside(path, target)) this.report.outwardLinks++
          made.push({ kind: 'symlink', path, target })
          break
        }
        default:
          made.push({ kind: 'directory', path })
      }
    }
    cache?.record(matched)
    return made
  }

  /** A single file is remembered under its own path, so that its neighbours are not forgotten. */
  #keyOf(source: Exclude<Source, { kind: 'listed' }>): string {
    const path = source.kind === 'file' ? source.file : source.dir
    const inside = relative(this.#workspace, path)
    return inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside) ? path : inside
  }

  #judge({ refused, unreadable, skipped }: Findings, root: string): void {
    for (const { path, reason } of skipped.named) this.report.skipped.push({ path, reason })
    if (refused.count > 0) {
      throw new ArtifactsError('ERR_INVALID_PATH', `No version can hold ${listed(refused)}`, {
        hint: 'Rename them, or leave them out with `--exclude` or `.artifactsignore`.',
      })
    }
    if (unreadable.count > 0) {
      throw new ArtifactsError(
        'ERR_UNREADABLE',
        `In "${root}", nothing was committed because these can't be read: ${listed(unreadable)}`,
        { hint: 'Make them readable (`chmod u+rx DIR`), or leave them out with `--exclude`.' },
      )
    }
  }

  #progress(files: number, bytes: number): void {
    this.#files += files
    this.#bytes += bytes
    this.#options.onProgress?.({ phase: 'read', files: this.#files, bytes: this.#bytes })
  }
}

function listed({ named, count }: Findings['refused']): string {
  const lines = named.map(({ path, reason }) => `  "${path}": ${reason}`)
  if (count > named.length) lines.push(`  and ${count - named.length} more`)
  return `\n${lines.join('\n')}`
}

/** Where a source stands among others: a directory as all that lies below it. */
function orderOf(source: Source): string {
  if (source.kind === 'file') return source.path
  if (source.kind === 'listed') return source.files[0]?.path ?? ''
  return source.prefix === '' ? '' : `${source.prefix}/`
}

function isMissing(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true
}

function oneFile(file: string): WalkBatch {
  const { size, mtimeMs, ctimeMs, ino, mode, dev } = statSync(file)
  const rows = new BatchBuilder()
  rows.addFile(basename(file), { size, mtimeMs, ctimeMs, ino }, (mode & 0o100) !== 0)
  return rows.take('', dev)
}

function sourceOf(batch: WalkBatch, index: number, file: string, clock: FileClock) {
  const stat = statAt(batch, index)
  const isSettled = clock.isSettled(stat.mtimeMs, stat.ctimeMs, batch.device)
  return { file, stat, isSettled }
}

function isSame({ content }: FileContent, entry: FileEntry): boolean {
  if (content.kind === 'inline' || entry.content.kind === 'inline') return false
  return content.kind === entry.content.kind && content.id === entry.content.id
}

export function leadsOutside(path: string, target: string): boolean {
  if (target.startsWith('/')) return true
  const reached = posix.normalize(posix.join(posix.dirname(path), target))
  return reached === '..' || reached.startsWith('../')
}
