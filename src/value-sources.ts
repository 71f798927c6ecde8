/** Where values are read from: the files of a version, or of a draft. */
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { ArtifactEntry, entryHome } from './artifact-entry.ts'
import type { DraftContents } from './draft-contents.ts'
import { digestOf } from './draft-files.ts'
import type { Drafted } from './draft-tree.ts'
import { type ReferenceOptions, readReference, resolveReference } from './references.ts'
import type { Session } from './session.ts'
import { nodeReader } from './store/opened.ts'
import { fileBytes } from './store/read-file.ts'
import { entries, lookup } from './store/tree/cursor.ts'
import { entrySize } from './store/tree/entry.ts'
import { checkPath, comparePaths } from './store/tree/paths.ts'
import { entryUri } from './sync/references/artifact.ts'
import type { Entry, EntryPath, ObjectId } from './types.ts'
import type { ValueFile, ValueSource } from './values/value-files.ts'

/** @param session asked anew for each question: a value may read its files long after it was got. */
export function versionSource(
  session: () => Session,
  version: { readonly id: ObjectId; readonly digest: ObjectId },
): ValueSource {
  const read = (): ReturnType<typeof nodeReader> => nodeReader(session().opened)
  const source: ValueSource = {
    entry: (path) => sizeOf(lookup(read(), version.digest, path)),
    read: (path) => {
      const entry = lookup(read(), version.digest, path)
      return entryBytes(session, entry, path)
    },
    paths: function* (prefix) {
      for (const entry of entries(read(), version.digest, { prefix })) {
        if (isReadable(entry)) yield entry.path
      }
    },
    url: (path) => entryUri(version.id, path),
  }
  homes.set(source, session)
  return source
}

/** The stores of versions that values were read from: a value may go from one into a draft that knows none. */
const homes = new WeakMap<object, () => Session>()

/** What was added to the draft so far, on top of what it started from. */
export function draftSource(contents: DraftContents): ValueSource {
  const { tree, home } = contents
  return {
    entry: (path) => {
      const added = tree.added(path as EntryPath)
      if (added?.kind === 'local') return { size: added.seen.stat.size }
      return sizeOf(added?.entry ?? tree.inherited(path as EntryPath))
    },
    read: (path) => {
      const added = tree.added(path as EntryPath)
      if (added?.kind === 'local') return createReadStream(added.seen.file)
      return entryBytes(home, added?.entry ?? tree.inherited(path as EntryPath), path)
    },
    paths: (prefix) => {
      const added = tree.sorted().filter((each) => each.kind === 'local' || isReadable(each.entry))
      const found = new Set<string>(added.map(({ path }) => path))
      for (const path of tree.inheritedFiles(prefix)) found.add(path)
      return [...found].filter((path) => path.startsWith(prefix)).sort(comparePaths)
    },
  }
}

function entryBytes(
  home: (() => Session) | undefined,
  entry: Entry | undefined,
  path: string,
): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (entry?.kind === 'reference') return readReference(home?.(), entry.reference)
  if (entry?.kind === 'file' && home !== undefined) return fileBytes(home().opened, entry)
  throw new Error(`"${path}" is no file that can be read.`)
}

/** The files that a draft has already, for media that are in them. */
export class AddedFiles {
  readonly #contents: DraftContents
  readonly #used: Drafted[] = []
  #byPath: ReadonlyMap<string, Drafted> | undefined

  constructor(contents: DraftContents) {
    this.#contents = contents
  }

  /** The path of a local file in the draft, if it was added with these bytes. */
  async find(localPath: string, sha256: string): Promise<string | undefined> {
    this.#byPath ??= this.#contents.tree.localFiles()
    const drafted = this.#byPath.get(resolve(localPath))
    if (drafted?.kind !== 'local' || (await digestOf(drafted.seen)) !== sha256) return undefined
    this.#used.push(drafted)
    return drafted.path
  }

  /** Whether all that was found is still there. */
  get stand(): boolean {
    return this.#used.every((drafted) => this.#contents.tree.added(drafted.path) === drafted)
  }
}

/** A file of a value as an entry of the draft; its bytes are kept until the draft is logged. */
export async function draftValue(contents: DraftContents, file: ValueFile): Promise<Drafted> {
  const path = checkPath(file.path)
  if ('source' in file) {
    const localPath = resolve(file.source)
    return { kind: 'local', path, localPath, ...(await contents.see(localPath)) }
  }
  if ('url' in file) {
    const from = file.from instanceof ArtifactEntry ? entryHome(file.from) : homes.get(file.from)
    const home = from ?? contents.home
    const [entry] = await draftReferences(contents, home, file.url, { as: path })
    if (entry === undefined) throw new Error(`"${file.url}" is nothing.`)
    return { kind: 'entry', path, entry }
  }
  return contents.stage(path, file.bytes)
}

function sizeOf(entry: Entry | undefined): { readonly size?: number } | undefined {
  return entry !== undefined && isReadable(entry) ? { size: entrySize(entry) } : undefined
}

function isReadable({ kind }: Entry): boolean {
  return kind === 'file' || kind === 'reference'
}

/** Entries for what is at a URI; of those that refer to versions, the draft remembers in which store these are. */
export async function draftReferences(
  contents: DraftContents,
  home: (() => Session) | undefined,
  uri: string,
  options: ReferenceOptions,
): ReturnType<typeof resolveReference> {
  const session = home?.()
  const found = await resolveReference(session, uri, options)
  for (const entry of found) {
    if (session === undefined || entry.kind !== 'reference') continue
    const { uri: target } = entry.reference
    if (target.startsWith('artifacts:')) contents.origins.set(target, session.opened.id)
  }
  return found
}
