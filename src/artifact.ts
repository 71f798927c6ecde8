/**
 * A draft of a version, begun anywhere: `new Artifact('bike', { type: 'dataset' })`. It knows no store until it is logged
 * (`run.logArtifact`, `store.commit`); files are read then, and must still be what they were when they were added.
 */
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ArtifactEntry, entryHome } from './artifact-entry.ts'
import { DraftContents } from './draft-contents.ts'
import { placeOf, requireDirectory } from './draft-files.ts'
import type { DraftBase, Drafted } from './draft-tree.ts'
import { walkDraft } from './draft-walk.ts'
import { ArtifactsError } from './errors.ts'
import { checkMetadata } from './metadata.ts'
import { checkName, checkProject, checkType } from './names.ts'
import type { DraftEntry, NewFile, NewFileOptions } from './new-file.ts'
import { isUri, type ReferenceOptions } from './references.ts'
import type { Session } from './session.ts'
import { checkPath, quotePath } from './store/tree/paths.ts'
import type { EntryPath, Json, Metadata } from './types.ts'
import { AddedFiles, draftReferences, draftSource, draftValue } from './value-sources.ts'
import { decodeValue, encodeValue, type TypedValue } from './values/values.ts'

export interface ArtifactOptions {
  /** What kind of thing it is, such as `dataset` or `model`. */
  readonly type: string
  /** Default: that of the run, else of the store. */
  readonly project?: string
  readonly description?: string
  readonly metadata?: Metadata
  /** Beside its own entries the version gets those of the newest one. */
  readonly incremental?: boolean
}

export interface AddFileOptions {
  /** Its full path in the version, or with `/` at the end the folder; default: its basename. */
  readonly as?: string
  /** Puts the first 20 digits of its SHA-256 in the place of its name, so that names never collide. */
  readonly isTmp?: boolean
  /** Takes the place of other bytes at the path. */
  readonly overwrite?: boolean
}

export interface AddDirOptions {
  /** The folder in the version; default: its root. */
  readonly as?: string
  /** Files take the place of other bytes at their paths; what is not there any more stays. */
  readonly merge?: boolean
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly signal?: AbortSignal
}

/** What a draft consists of; for those who log it. */
export let contentsOf: (artifact: Artifact) => DraftContents

let begin: (artifact: Artifact, contents: DraftContents) => Artifact

export interface AddReferenceOptions extends ReferenceOptions {
  /** Takes the place of something else at a path. */
  readonly overwrite?: boolean
}

export class Artifact {
  readonly name: string
  readonly type: string
  readonly project: string | undefined
  readonly incremental: boolean
  description: string | undefined
  #metadata: Record<string, Json>
  #contents: DraftContents

  /** @throws ArtifactsError ERR_INVALID_NAME, ERR_USAGE for metadata that is none. */
  constructor(name: string, options: ArtifactOptions) {
    const { type, project, description, metadata = {}, incremental = false } = options
    this.name = checkName(name)
    this.type = checkType(type)
    this.project = project === undefined ? undefined : checkProject(project)
    this.description = description
    this.incremental = incremental
    this.#metadata = { ...checkMetadata(metadata) }
    this.#contents = new DraftContents(this.name, {})
  }

  /** May be changed in place until it is logged; it is checked once more then. */
  get metadata(): Record<string, Json> {
    return this.#metadata
  }

  set metadata(value: Metadata) {
    this.#metadata = { ...checkMetadata(value) }
  }

  /** True once it was logged; every adder then throws ERR_FINALIZED. */
  get finalized(): boolean {
    return this.#contents.isFinal
  }

  /** `pending` until it was logged. */
  get state(): 'pending' | 'committed' {
    return this.#contents.logged === undefined ? 'pending' : 'committed'
  }

  /** Sockets, FIFOs and devices that `addDir` met, which no version holds. */
  get skipped(): readonly { readonly path: string; readonly reason: string }[] {
    return this.#contents.skipped
  }

  /** Nothing can be added after this. */
  finalize(): void {
    this.#contents.finalize()
  }

  /**
   * Adds a file. The same bytes at the same path are no change; a symlink is followed.
   * @throws ArtifactsError ERR_FINALIZED, ERR_NOT_FOUND, ERR_USAGE for a directory, ERR_INVALID_PATH, ERR_EXISTS,
   * ERR_FILE_CHANGED.
   */
  async addFile(localPath: string, options: AddFileOptions = {}): Promise<DraftEntry> {
    const contents = this.#open()
    const { as, isTmp = false, overwrite = false } = options
    const local = resolve(localPath)
    return contents.run(async () => {
      const { seen, staged } = await contents.see(local)
      const named = isTmp ? await contents.temporaryName(seen, basename(local)) : basename(local)
      const place = placeOf(named, as)
      const path = checkPath(isTmp && as !== undefined ? join(dirname(place), named) : place)
      const drafted: Drafted = { kind: 'local', path, seen, staged, localPath: local }
      await contents.add([drafted], { overwrite })
      return entryOf(drafted)
    })
  }

  /**
   * Adds what a directory holds, as `artifacts commit` would: `.artifactsignore` is obeyed, symlinks and empty
   * directories are kept. It adds all or, where one entry can't be added, nothing.
   * @throws ArtifactsError as `addFile`; ERR_USAGE for a file.
   */
  async addDir(localPath: string, options: AddDirOptions = {}): Promise<readonly DraftEntry[]> {
    const contents = this.#open()
    const dir = requireDirectory(localPath)
    const { as = '', merge = false } = options
    const prefix = as.replace(/\/+$/, '')
    if (prefix !== '') checkPath(prefix)
    return contents.run(async () => {
      const all = await walkDraft(contents, dir, prefix, options)
      await contents.add(all, { overwrite: merge })
      return all.map(entryOf)
    })
  }

  /**
   * Adds references to what is at a URI, or to an entry of another version: bytes that stay where they are. One for a
   * thing, one for each thing below a folder or prefix.
   * @throws ArtifactsError ERR_FINALIZED, ERR_NOT_FOUND, ERR_USAGE for what is no URI, ERR_INVALID_PATH, ERR_EXISTS,
   * ERR_REMOTE_UNREACHABLE, ERR_REMOTE_DENIED.
   */
  async addReference(
    target: string | URL | ArtifactEntry,
    options: AddReferenceOptions = {},
  ): Promise<readonly DraftEntry[]> {
    const contents = this.#open()
    const { overwrite = false, ...rest } = options
    const isEntry = target instanceof ArtifactEntry
    const uri = isEntry ? target.url : String(target)
    if (!isUri(uri)) {
      throw new ArtifactsError('ERR_USAGE', `"${uri}" is no URI, such as "s3://bucket/key".`, {
        hint: `A local file is ${JSON.stringify(pathToFileURL(uri).href)}; \`addFile\` stores its bytes.`,
      })
    }
    const home = isEntry ? entryHome(target) : contents.home
    return contents.run(async () => {
      const found = await draftReferences(contents, home, uri, rest)
      const all = found.map((entry): Drafted => ({ kind: 'entry', path: entry.path, entry }))
      await contents.add(all, { overwrite })
      return all.map(entryOf)
    })
  }

  /**
   * A file to be written. It is added when it ends: by `close()`, `end()`, or by leaving the block of `await using`.
   * @throws ArtifactsError ERR_FINALIZED, ERR_INVALID_PATH, ERR_EXISTS.
   */
  newFile(path: string, options?: NewFileOptions): NewFile
  /** As above, around a function: when that throws, nothing is added. */
  newFile(
    path: string,
    write: (file: NewFile) => unknown,
    options?: NewFileOptions,
  ): Promise<DraftEntry>
  newFile(
    path: string,
    first: NewFileOptions | ((file: NewFile) => unknown) = {},
    second: NewFileOptions = {},
  ): NewFile | Promise<DraftEntry> {
    const contents = this.#open()
    const { mode = 'x', encoding = 'utf8' } = typeof first === 'function' ? second : first
    const place = checkPath(path)
    const overwrite = mode === 'w'
    contents.requireFree(place, overwrite)
    const file = contents.newFile(place, encoding, async (staged) =>
      entryOf(await contents.keep(place, staged, overwrite)),
    )
    return typeof first === 'function' ? written(file, first) : file
  }

  /**
   * Adds a value: JSON, text, bytes, a typed array, a table, media. Where the path does not say its kind, an ending that
   * does is put behind it. Returns the entry that stands for the value.
   * @throws ArtifactsError ERR_FINALIZED, ERR_INVALID_VALUE, ERR_INVALID_PATH, ERR_EXISTS.
   */
  async add(
    path: string,
    value: TypedValue,
    { overwrite = false }: { readonly overwrite?: boolean } = {},
  ): Promise<DraftEntry> {
    const contents = this.#open()
    checkPath(path)
    // Encoded now: the program may change the value afterwards.
    const known = new AddedFiles(contents)
    const encoding = encodeValue(path, value, (file, sha256) => known.find(file, sha256))
    // Its error is told when its turn comes.
    encoding.catch(() => {})
    return contents.run(async () => {
      const files = await encoding
      // What was added when this was called may have been taken away since.
      const [first, ...others] = known.stand ? files : await encodeValue(path, value)
      const drafted = await draftValue(contents, first)
      const all = [drafted]
      for (const file of others) all.push(await draftValue(contents, file))
      await contents.add(all, { overwrite })
      return entryOf(drafted)
    })
  }

  /** The value that was added as `path`, or that the version has from which the draft started; undefined: there is none. */
  async get<T extends TypedValue = TypedValue>(path: string): Promise<T | undefined> {
    const contents = this.#contents
    return contents.run(
      async () => (await decodeValue(path, draftSource(contents))) as T | undefined,
    )
  }

  /**
   * Takes away an entry, or all below a folder; returns how many entries that were.
   * @throws ArtifactsError ERR_FINALIZED, ERR_NOT_FOUND.
   */
  async remove(path: string | DraftEntry): Promise<number> {
    const contents = this.#open()
    const place = (typeof path === 'string' ? path : path.path).replace(/\/+$/, '')
    return contents.run(() => {
      const count = contents.tree.remove(place as EntryPath)
      if (count > 0) return count
      throw new ArtifactsError(
        'ERR_NOT_FOUND',
        `The artifact "${this.name}" has no entry ${quotePath(place)}, and nothing below it.`,
      )
    })
  }

  /** The path in the version of a file that was added; the first of several. */
  pathOf(localPath: string): string | undefined {
    return this.#contents.tree.pathOf(resolve(localPath))
  }

  #open(): DraftContents {
    this.#contents.requireOpen()
    return this.#contents
  }

  static {
    contentsOf = (artifact) => artifact.#contents
    begin = (artifact, contents) => {
      artifact.#contents = contents
      return artifact
    }
  }
}

/** A draft that copies into the store's `tmp/` what is added to it, so that files may change afterwards. */
export function draftIn(home: () => Session, name: string, options: ArtifactOptions): Artifact {
  const artifact = new Artifact(name, options)
  return begin(artifact, new DraftContents(artifact.name, { home, captures: true }))
}

/** A draft that starts from a version's entries. */
export function draftFrom(
  home: () => Session,
  base: DraftBase,
  name: string,
  options: ArtifactOptions,
): Artifact {
  const artifact = new Artifact(name, options)
  return begin(artifact, new DraftContents(artifact.name, { home, base }))
}

/** The file that a function writes. */
async function written(file: NewFile, write: (file: NewFile) => unknown): Promise<DraftEntry> {
  try {
    await write(file)
  } catch (error) {
    file.destroy()
    throw error
  }
  return file.close()
}

function entryOf(drafted: Drafted): DraftEntry {
  const { path } = drafted
  if (drafted.kind === 'local') {
    return { path, size: drafted.seen.stat.size, localPath: drafted.localPath }
  }
  const { entry } = drafted
  const size = entry.kind === 'reference' ? entry.reference.size : 0
  return { path, size, localPath: undefined }
}
