/**
 * What a draft consists of, behind `Artifact`: adders run one after the other in the order of their calls, and each adds
 * all that it was asked for or nothing.
 */
import { extname } from 'node:path'
import { digestOf, isSeen, lookAtFile, type SeenFile } from './draft-files.ts'
import { type DraftBase, type Drafted, DraftTree, kindOf, listed } from './draft-tree.ts'
import { ArtifactsError } from './errors.ts'
import { type DraftEntry, NewFile } from './new-file.ts'
import { Queue } from './queue.ts'
import type { Session } from './session.ts'
import { StagedFiles } from './staged-files.ts'
import type { Source } from './store/ingest/scan.ts'
import { fileDigest } from './store/read-file.ts'
import { equalEntries } from './store/tree/entry.ts'
import { quotePath } from './store/tree/paths.ts'
import type { Entry, EntryPath, FileEntry, ObjectId } from './types.ts'

/** Files above this size are looked up in the stat cache, where each costs a row of its own. */
const LARGE_BYTES = 1 << 20
const BATCH_FILES = 1024

export class DraftContents {
  readonly name: string
  readonly staged: StagedFiles
  /** Whether the bytes of files are copied when they are added. */
  readonly captures: boolean
  /** Sockets, FIFOs and devices that were met, which no version holds. */
  readonly skipped: { readonly path: string; readonly reason: string }[] = []
  tree: DraftTree
  /** Of references to versions, by URI: the store that these are in. */
  readonly origins: Map<string, string> = new Map()
  /** The version that it became. */
  logged: ObjectId | undefined
  /** The store that it was begun in, or that the version it started from is in. */
  home: (() => Session) | undefined
  #isFinal = false
  #isHandedOver = false
  #commits = 0
  readonly #queue = new Queue()
  readonly #writing = new Set<NewFile>()

  /** @param options `captures`: what is added is copied at once. */
  constructor(
    name: string,
    options: { home?: () => Session; base?: DraftBase; captures?: boolean },
  ) {
    const { home, base, captures = false } = options
    this.name = name
    this.home = home
    this.captures = captures
    this.staged = new StagedFiles(captures ? home?.().opened.layout.tmp : undefined)
    this.tree = new DraftTree(base)
  }

  /** Whether what was added is part of a draft in a store. */
  get isHandedOver(): boolean {
    return this.#isHandedOver
  }

  get isFinal(): boolean {
    return this.#isFinal || this.#isHandedOver || this.#commits > 0 || this.logged !== undefined
  }

  finalize(): void {
    this.#isFinal = true
  }

  /** Throws ERR_FINALIZED once the draft was logged, or while it is. */
  requireOpen(): void {
    if (!this.isFinal) return
    throw new ArtifactsError(
      'ERR_FINALIZED',
      `The artifact "${this.name}" is finalized: its contents can't change any more.`,
      { hint: 'Start from what it holds with `version.newDraft()`, or make a new `Artifact`.' },
    )
  }

  /** Runs when what was called before is done. */
  run<T>(step: () => T | Promise<T>): Promise<T> {
    return this.#queue.run(step)
  }

  /** A file that a program writes; `add` takes up what was staged. */
  newFile(
    path: EntryPath,
    encoding: BufferEncoding,
    add: (staged: string) => Promise<DraftEntry>,
  ): NewFile {
    const staged = this.staged.open()
    // From its end on the file has its turn among what is called, and keeps it until it is added.
    let begin = (): void => {}
    let end = (): void => {}
    const begun = new Promise<void>((resolve) => {
      begin = resolve
    })
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const file = new NewFile(path, staged, encoding, {
      ending: () => {
        this.requireOpen()
        void this.run(() => {
          begin()
          return ended
        })
      },
      add: async () => {
        await begun
        return add(staged.path)
      },
      over: () => {
        end()
        if (file.unheardError === undefined) this.#writing.delete(file)
      },
    })
    this.#writing.add(file)
    return file
  }

  /** Throws what kept a file from being added that nobody was told of, and ERR_USAGE while one is being written. */
  requireWritten(): void {
    for (const file of this.#writing) {
      if (file.unheardError !== undefined) {
        this.#writing.delete(file)
        throw file.unheardError
      }
      if (file.writableEnded || file.destroyed) continue
      throw new ArtifactsError(
        'ERR_USAGE',
        `The file ${quotePath(file.path)} of the artifact "${this.name}" is still being written.`,
        { hint: 'End it first: `await file.close()`.' },
      )
    }
  }

  /** The draft is about to be logged: nothing can be added until what is returned is called, when that failed. */
  begin(): () => void {
    this.requireWritten()
    this.#commits++
    return () => {
      this.#commits--
    }
  }

  /** What is read when the draft is logged. */
  sources(): Source[] {
    const sources: Source[] = []
    let files: ReturnType<typeof listed>[] = []
    let dir = ''
    const flush = (): void => {
      if (files.length > 0) sources.push({ kind: 'listed', dir, files })
      files = []
    }
    for (const drafted of this.tree.sorted()) {
      if (drafted.kind !== 'local') continue
      const file = listed(drafted)
      const folder = file.file.slice(0, file.file.lastIndexOf('/'))
      if (file.stat.size > LARGE_BYTES && !drafted.staged) {
        flush()
        sources.push({ kind: 'file', file: file.file, path: file.path, listed: file })
        continue
      }
      if (folder !== dir || files.length === BATCH_FILES) flush()
      dir = folder
      files.push(file)
    }
    flush()
    return sources
  }

  /** What needs no reading. */
  entries(): Exclude<Entry, FileEntry>[] {
    return this.tree.sorted().flatMap((drafted) => (drafted.kind === 'entry' ? drafted.entry : []))
  }

  /** What was added is part of a draft in a store now. */
  handOver(): void {
    this.#isHandedOver = true
    this.tree = new DraftTree()
    this.staged.clear()
  }

  /** From now on it is the version that it became. */
  settle(base: DraftBase, home: () => Session): void {
    this.logged = base.version
    this.home = home
    this.tree = new DraftTree(base)
    this.staged.clear()
  }

  /**
   * Adds a file as it is now: in place, or as a copy where the draft captures.
   * @throws ArtifactsError ERR_EXISTS, ERR_INVALID_PATH, and what keeps it from being read.
   */
  async see(file: string): Promise<{ readonly seen: SeenFile; readonly staged: boolean }> {
    if (!this.captures) return { seen: await lookAtFile(file), staged: false }
    for (let attempt = 0; attempt < 3; attempt++) {
      const seen = await lookAtFile(file)
      const copy = this.staged.copy(seen.file)
      if (copy === undefined) continue
      const { executable } = seen
      return { seen: { ...(await lookAtFile(copy)), executable }, staged: true }
    }
    throw new ArtifactsError('ERR_FILE_CHANGED', `"${file}" changes while it is being copied.`, {
      hint: 'Add it when the program that writes it is done.',
    })
  }

  /** Whether the path has these very bytes, or this entry, already. */
  async isThere(drafted: Drafted): Promise<boolean> {
    const { path } = drafted
    const added = this.tree.added(path)
    if (added !== undefined) {
      if (drafted.kind === 'entry' || added.kind === 'entry') {
        return (
          drafted.kind === 'entry' &&
          added.kind === 'entry' &&
          equalEntries(drafted.entry, added.entry)
        )
      }
      if (drafted.seen.executable !== added.seen.executable) return false
      if (isSeen(added.seen, drafted.seen)) return true
      if (added.seen.stat.size !== drafted.seen.stat.size) return false
      const before = await digestOf(added.seen)
      return before !== undefined && before === (await digestOf(drafted.seen))
    }
    const inherited = this.tree.inherited(path)
    if (inherited === undefined) return false
    if (drafted.kind === 'entry') return equalEntries(drafted.entry, inherited)
    if (inherited.kind !== 'file' || inherited.executable !== drafted.seen.executable) return false
    if (inherited.size !== drafted.seen.stat.size) return false
    if (this.home === undefined) throw new Error('A draft of a version has its store.')
    return fileDigest(this.home().opened, inherited) === (await digestOf(drafted.seen))
  }

  /** Whether something else stands at the path. */
  isTaken(path: EntryPath): boolean {
    return this.tree.added(path) !== undefined || this.tree.inherited(path) !== undefined
  }

  /** Adds all of it or, where one can't be, nothing. */
  async add(all: readonly Drafted[], options: { readonly overwrite: boolean }): Promise<void> {
    const fresh: Drafted[] = []
    for (const drafted of all) {
      if (await this.isThere(drafted)) continue
      const { path } = drafted
      // What is there as a folder needs no entry that says so.
      if (kindOf(drafted) === 'directory' && this.tree.isFolder(path)) continue
      if (this.isTaken(path) && !options.overwrite) throw this.taken(path)
      this.tree.check(path)
      fresh.push(drafted)
    }
    for (const drafted of fresh) this.tree.put(drafted)
  }

  /** Adds a staged file. */
  async keep(path: EntryPath, file: string, overwrite: boolean): Promise<Drafted> {
    const drafted = await stagedAt(path, file)
    await this.add([drafted], { overwrite })
    return drafted
  }

  /** Keeps bytes in a file; it is to be added. */
  stage(path: EntryPath, bytes: Uint8Array): Promise<Drafted> {
    return stagedAt(path, this.staged.keep(bytes))
  }

  /** Throws ERR_EXISTS or ERR_INVALID_PATH where a new file can't be. */
  requireFree(path: EntryPath, overwrite: boolean): void {
    if (!overwrite && this.isTaken(path)) throw this.taken(path)
    this.tree.check(path)
  }

  /** The file's name with the digits of its digest for all but the ending. */
  async temporaryName(seen: SeenFile, name: string): Promise<string> {
    const digest = await digestOf(seen)
    if (digest === undefined) {
      throw new ArtifactsError('ERR_FILE_CHANGED', `"${seen.file}" is being written to.`, {
        hint: 'Add it when the program that writes it is done.',
      })
    }
    return `${digest.slice(0, 20)}${extname(name)}`
  }

  taken(path: string): ArtifactsError {
    return new ArtifactsError(
      'ERR_EXISTS',
      `The artifact "${this.name}" has an entry ${quotePath(path)} already, which holds something else.`,
      {
        hint: 'Pass `overwrite: true` (to `addDir`, `merge: true`) to put the new one in its place.',
        data: { path },
      },
    )
  }
}

async function stagedAt(path: EntryPath, file: string): Promise<Drafted> {
  const seen = await lookAtFile(file)
  return { kind: 'local', path, seen, staged: true, localPath: undefined }
}
