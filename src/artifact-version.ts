/**
 * A version as a program holds it: what it contains never changes; its labels are those of the moment when it was asked
 * for or last changed through this object.
 */
import type { Readable } from 'node:stream'
import { type Artifact, draftFrom } from './artifact.ts'
import { ArtifactEntry, type EntryHome, type ReadOptions } from './artifact-entry.ts'
import { ArtifactsError } from './errors.ts'
import {
  type CheckoutOptions,
  type CheckoutReport,
  checkout,
  download,
  downloadFile,
  type VerifyReport,
  verify,
} from './files.ts'
import { localPath } from './local-path.ts'
import { fetchAbsent, refuseNotFetched } from './not-fetched.ts'
import { linkVersion, unlinkVersion } from './portfolios.ts'
import { referredVersions } from './referred-versions.ts'
import { removeVersions } from './removal.ts'
import type { Run } from './run.ts'
import { contentOf, type Session, versionOf } from './session.ts'
import type { Resolved } from './store/index/resolve.ts'
import { nodeReader } from './store/opened.ts'
import { entries, lookup } from './store/tree/cursor.ts'
import { quotePath } from './store/tree/paths.ts'
import type { Entry, OperationOptions } from './types.ts'
import { updateVersion, type VersionChanges } from './update-version.ts'
import { versionSource } from './value-sources.ts'
import { decodeValue, type TypedValue } from './values/values.ts'
import { VersionFacts } from './version-facts.ts'

export interface FilesOptions {
  /** Only these paths. */
  readonly names?: readonly string[]
  /** Only paths that begin with this text; `data/` is what lies below `data`. */
  readonly prefix?: string
  /** Only paths behind this one: where an earlier reader stopped. */
  readonly start?: string
  /** How many are taken up at a time; default 50. Between them others get their turn. */
  readonly perPage?: number
}

export interface VersionDownloadOptions extends OperationOptions {
  /** Only paths that begin with this text, or with one of these. */
  readonly prefix?: string | readonly string[]
  /** gitignore patterns: only what matches one. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /** Leave out references whose bytes can't be had, instead of failing. */
  readonly allowMissingReferences?: boolean
  /** Also every version that an entry refers to, whole, each into its own default directory. */
  readonly recursive?: boolean
  readonly jobs?: number
}

export class ArtifactVersion extends VersionFacts {
  readonly #session: () => Session

  /** @param session asked anew for each question. */
  constructor(session: () => Session, resolved: Resolved) {
    super(session(), resolved)
    this.#session = session
  }

  /** All entries in ascending path order: files, symlinks, empty directories, references. */
  manifest(): AsyncIterable<ArtifactEntry> {
    return this.#entries({}, () => true)
  }

  /** Files and references, in ascending path order. */
  files(options: FilesOptions = {}): AsyncIterable<ArtifactEntry> {
    return this.#entries(options, ({ kind }) => kind === 'file' || kind === 'reference')
  }

  /** @throws ArtifactsError ERR_NOT_FOUND. */
  async entry(path: string): Promise<ArtifactEntry> {
    const found = lookup(nodeReader(this.#content(path).opened), this.digest, path)
    if (found !== undefined) return this.#entryOf(found)
    throw new ArtifactsError('ERR_NOT_FOUND', `"${this.ref}" has no entry ${quotePath(path)}.`, {
      hint: `Run \`artifacts ls ${this.ref}\` to see its entries.`,
    })
  }

  /**
   * The value that was added as `path`, or the file's bytes where its path says nothing; undefined: there is none.
   * Reading executes nothing.
   * @throws ArtifactsError ERR_INVALID_VALUE for a file that is not what its path says, ERR_AMBIGUOUS.
   */
  async get<T extends TypedValue = TypedValue>(path: string): Promise<T | undefined> {
    this.#content()
    return (await decodeValue(path, versionSource(this.#session, this))) as T | undefined
  }

  /** The bytes of one file; see {@link ArtifactEntry.read}. @throws ArtifactsError ERR_NOT_FOUND at once. */
  read(path: string, options?: ReadOptions): Readable {
    const found = lookup(nodeReader(this.#content(path).opened), this.digest, path)
    if (found !== undefined) return this.#entryOf(found).read(options)
    throw new ArtifactsError('ERR_NOT_FOUND', `"${this.ref}" has no entry ${quotePath(path)}.`, {
      hint: `Run \`artifacts ls ${this.ref}\` to see its entries.`,
    })
  }

  /**
   * Adds its files to `dir`, by default `./artifacts/NAME-vN`, and returns that directory's full path. What is there and
   * is no file of it stays.
   * @throws ArtifactsError ERR_WOULD_OVERWRITE, ERR_DAMAGED, ERR_NOT_FOUND when gc has removed it.
   */
  async download(dir?: string, options: VersionDownloadOptions = {}): Promise<string> {
    const { prefix, recursive = false, ...others } = options
    const prefixes = typeof prefix === 'string' ? [prefix] : prefix
    const chosen = { ...others, ...(prefixes === undefined ? {} : { prefix: prefixes }) }
    const report = await download(this.#session(), this.#name, dir, chosen)
    if (recursive) {
      const { signal, onProgress, jobs, allowMissingReferences } = options
      const rest = {
        signal,
        onProgress,
        ...(jobs === undefined ? {} : { jobs }),
        ...(allowMissingReferences === undefined ? {} : { allowMissingReferences }),
      }
      for (const id of referredVersions(this.#session(), this.id)) {
        await download(this.#session(), `@${id}`, undefined, rest)
      }
    }
    return report.dir
  }

  /** Downloads the only file of a version of one file; its full path. @throws ArtifactsError ERR_USAGE counts them otherwise. */
  async file(dir?: string, options?: OperationOptions): Promise<string> {
    return downloadFile(this.#session(), this.#name, dir, options)
  }

  /** A cached read-only copy: of the file or folder at `path`, by default of all; see `Store.localPath`. */
  async localPath(path?: string, options: OperationOptions = {}): Promise<string> {
    const chosen = path === undefined ? options : { ...options, path }
    return (await localPath(this.#session(), this.#name, chosen)).path
  }

  /**
   * Makes `dir` equal to it: files that are not in it are deleted, if an earlier version has them.
   * @throws ArtifactsError ERR_WOULD_OVERWRITE, before anything is written.
   */
  async checkout(dir: string, options?: CheckoutOptions): Promise<CheckoutReport> {
    return checkout(this.#session(), this.#name, dir, options)
  }

  /**
   * Checks its stored bytes, or with `dir` that directory. References are counted, and looked up where that is asked for.
   * @throws ArtifactsError ERR_VERIFY, whose `data.report` is what was found, when anything is missing, changed or extra.
   */
  async verify(
    dir?: string,
    options: OperationOptions & { readonly references?: boolean } = {},
  ): Promise<VerifyReport> {
    const place = dir === undefined ? {} : { dir }
    const report = await verify(this.#session(), this.#name, { ...options, ...place })
    if (report.ok) return report
    throw new ArtifactsError('ERR_VERIFY', failure(this.ref, report), {
      hint:
        dir === undefined
          ? 'Run `artifacts fsck --repair` to mend what can be mended.'
          : `Get its files back: \`artifacts checkout ${this.ref} ${dir}\`.`,
      data: { report },
    })
  }

  /** Changes labels in one operation; returns itself, as it is now. */
  async update(changes: VersionChanges): Promise<this> {
    const session = this.#session()
    const target = { version: this.id, name: this.sourceName }
    await updateVersion(session, target, changes, this.portfolio?.id)
    this.refresh(this.#session())
    return this
  }

  /**
   * Deletes it, which is soft: `store.restore` brings it back until gc has removed its bytes. A link is only taken out of
   * its portfolio.
   * @throws ArtifactsError ERR_IN_USE while aliases other than `latest` name it, unless `aliases` says to remove them.
   */
  async delete(options: { readonly aliases?: boolean } = {}): Promise<void> {
    if (this.isLink) return this.unlink()
    await removeVersions(this.#session(), [this.#name], options)
    this.refresh(this.#session())
  }

  /**
   * Makes it the newest version of a portfolio, `[[entity/]project/]name`; a link links what it is a link to.
   * @throws ArtifactsError ERR_NOT_FOUND, ERR_INVALID_NAME, ERR_TYPE_MISMATCH.
   */
  async link(
    portfolio: string,
    options?: { readonly aliases?: readonly string[] },
  ): Promise<ArtifactVersion> {
    const { ref } = await linkVersion(this.#session(), this.#name, portfolio, options)
    const session = this.#session()
    return new ArtifactVersion(this.#session, versionOf(session, ref))
  }

  /** Takes it out of the portfolio that it was asked for in. @throws ArtifactsError ERR_USAGE for what is no link. */
  async unlink(): Promise<void> {
    const session = this.#session()
    const { portfolio } = this
    const name = portfolio === undefined ? this.ref : `${portfolio.project}/${portfolio.name}`
    const ref = portfolio === undefined ? name : `${name}@${this.id}`
    await unlinkVersion(session, ref)
    this.refresh(this.#session())
  }

  /** Its links in portfolios; none of what is a link itself. */
  async *linkedArtifacts(): AsyncGenerator<ArtifactVersion> {
    if (this.isLink) return
    const session = this.#session()
    const { state } = session
    for (const { portfolio: id } of state.linksOf(this.id)) {
      const portfolio = state.artifactById(id)
      if (portfolio === undefined) continue
      const ref = `${portfolio.project}/${portfolio.name}@${this.id}`
      yield new ArtifactVersion(this.#session, versionOf(session, ref))
    }
  }

  /** The run that made it; undefined where it was committed outside of any. */
  loggedBy(): Promise<Run | undefined>
  /** All runs that logged this content, the one that made it first. */
  loggedBy(options: { readonly all: true }): AsyncIterable<Run>
  loggedBy(options?: { readonly all: true }): Promise<Run | undefined> | AsyncIterable<Run> {
    return options?.all === true ? this.#runs('output') : this.#firstRun()
  }

  /** The runs that used it, here or through a link. */
  usedBy(): AsyncIterable<Run> {
    return this.#runs('input')
  }

  /** A draft with its entries, description and metadata, which becomes the next version of the same artifact. */
  newDraft(): Artifact {
    const { opened } = this.#content()
    const { id: version, digest: root, type, sourceProject: project } = this
    const { description, metadata } = this
    const base = { store: opened.id, version, root, isParent: true, read: nodeReader(opened) }
    return draftFrom(this.#session, base, this.sourceName, {
      type,
      project,
      metadata,
      ...(description === undefined ? {} : { description }),
    })
  }

  /** Resolves to itself: it was there when the call that made it had ended. */
  async wait(): Promise<this> {
    return this
  }

  toJSON(): {
    readonly _type: 'artifactVersion'
    readonly _version: 'v0'
    readonly id: string
    readonly version: string
    readonly sequenceName: string
    readonly usedAs: string | null
  } {
    return {
      _type: 'artifactVersion',
      _version: 'v0',
      id: this.id,
      version: this.version,
      sequenceName: this.name,
      usedAs: null,
    }
  }

  /** What names it whatever it is called. */
  get #name(): string {
    return `@${this.id}`
  }

  async #firstRun(): Promise<Run | undefined> {
    const session = this.#session()
    const run = session.state.versionById(this.id)?.object.run
    // A version from elsewhere may name a run that is not here.
    return run === undefined || session.state.run(run) === undefined
      ? undefined
      : session.runOf(run)
  }

  async *#runs(direction: 'input' | 'output'): AsyncGenerator<Run> {
    const session = this.#session()
    const edges = session.state.edgesOfVersion(this.id)
    const first = direction === 'output' ? await this.#firstRun() : undefined
    const runs = edges.filter((edge) => edge.direction === direction).map(({ run }) => run)
    for (const run of new Set(first === undefined ? runs : [first.id, ...runs])) {
      yield session.runOf(run)
    }
  }

  /** @throws ArtifactsError ERR_NOT_FOUND when it is deleted or gone, ERR_NOT_FETCHED when its list of files is not here. */
  #content(prefix = ''): Session {
    const session = this.#session()
    refuseNotFetched(session, contentOf(session, this.#name), { content: false, prefix })
    return session
  }

  async *#entries(
    { names, prefix = '', start = '', perPage = 50 }: FilesOptions,
    isWanted: (entry: Entry) => boolean,
  ): AsyncGenerator<ArtifactEntry> {
    const only = names === undefined ? undefined : new Set(names)
    let seen = 0
    for (const entry of entries(nodeReader(this.#content(prefix).opened), this.digest, {
      prefix,
      after: start,
    })) {
      if (!isWanted(entry) || only?.has(entry.path) === false) continue
      yield this.#entryOf(entry)
      if (++seen % perPage === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  #entryOf(entry: Entry): ArtifactEntry {
    const home: EntryHome = {
      session: this.#session,
      ref: this.ref,
      fetch: async (session, options) => {
        if (!session.opened.index.state.isPartial(this.id)) return
        const isWanted = (path: string): boolean => path === entry.path
        const ask = { prefix: entry.path, isWanted, paths: [entry.path] }
        await fetchAbsent(session, contentOf(session, this.#name), ask, options)
      },
      parent: async () => this,
      download: (dir, options) =>
        this.download(dir, { ...options, prefix: entry.path, include: [literal(entry.path)] }),
    }
    return new ArtifactEntry(entry, this.id, home)
  }
}

/** The gitignore pattern that fits this path alone. */
function literal(path: string): string {
  return `/${path.replace(/[\\*?[\] #!]/g, '\\$&')}`
}

function failure(ref: string, { dir, missing, changed, extra, damaged }: VerifyReport): string {
  const found = [
    ...missing.map((path) => `  "${path}" is missing`),
    ...changed.map((path) => `  "${path}" is another one`),
    ...extra.map((path) => `  "${path}" is not in the version`),
    ...damaged.map(({ path, reason }) => `  "${path}": ${reason}`),
  ]
  const list = found.slice(0, 10)
  if (found.length > list.length) list.push(`  and ${found.length - list.length} more`)
  const what = dir === undefined ? `"${ref}" is not whole` : `"${dir}" is not equal to "${ref}"`
  return `${what}:\n${list.join('\n')}`
}
