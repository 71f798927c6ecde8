/**
 * Turns sources into the content of a version: stores the chunks that are new, builds the tree, and collects recipes
 * and nodes. Nothing it writes is named by anything until its packs stand in an operation.
 */
import { ArtifactsError, damaged } from '../../errors.ts'
import type { Entry, FileEntry, ObjectId } from '../../types.ts'
import { droppedIds, isDropped } from '../index/pack-rows.ts'
import { IdSet } from '../ingest/id-set.ts'
import { type LazyPool, lazyPool } from '../ingest/lazy-pool.ts'
import { workerCount } from '../ingest/pool.ts'
import type { WrittenPack } from '../ingest/protocol.ts'
import { Scan, type ScanReport, type WatchedFiles } from '../ingest/scan.ts'
import { currentVersion } from '../log/plan.ts'
import { loadHashes } from '../object/checksum.ts'
import { NODE, RECIPE } from '../object/id.ts'
import { nodeReader, type OpenedStore } from '../opened.ts'
import { TreeBuilder } from '../tree/builder.ts'
import { entries, type ReadNode } from '../tree/cursor.ts'
import { type EntryEdit, mergeEntries } from '../tree/merge.ts'
import { comparePaths } from '../tree/paths.ts'
import type { CommitRequest, Previous } from './commit.ts'
import { MetadataBuffer } from './metadata-buffer.ts'
import { isPresent } from './presence.ts'
import { PreviousTree } from './previous-tree.ts'
import type { Reliance } from './reliance.ts'
import { withUnsettled } from './unsettled.ts'

export interface BuiltVersion {
  readonly root: ObjectId
  readonly entries: number
  /** Entries other than directories. */
  readonly files: number
  readonly bytes: number
  /** Bytes of chunks, before compression, that the store had already. */
  readonly reusedBytes: number
  readonly scan: ScanReport
  /** New nodes of a dry run, which stores none. */
  readonly nodes: ReadonlyMap<ObjectId, Uint8Array>
}

export class VersionWriter {
  readonly metadata: MetadataBuffer
  readonly #store: OpenedStore
  readonly #request: CommitRequest
  readonly #previous: Previous | undefined
  readonly #reliance: Reliance
  readonly #refusesSecrets: boolean
  readonly #nodes = new Map<ObjectId, Uint8Array>()
  readonly #ids = new IdSet()
  readonly #pool: LazyPool
  readonly #scan: Scan
  /** Entries that are not read from files now: their bytes must be in the store. */
  readonly #stored: Set<Entry>
  #newBytes = 0
  #chunkedBytes = 0
  #entries = 0

  /** @param previous the live version that most of the content is expected to be in. */
  constructor(
    store: OpenedStore,
    request: CommitRequest,
    previous: Previous | undefined,
    reliance: Reliance,
  ) {
    const { layout, io, index } = store
    this.#store = store
    this.#request = request
    this.#stored = new Set(request.entries)
    this.#previous = previous
    this.#reliance = reliance
    this.#refusesSecrets = !request.allowSecrets && isFirstVersion(store, request)
    const isGone = (id: string): boolean => isDropped(index, id)
    this.metadata = new MetadataBuffer(io, layout, reliance, isGone)
    this.#pool = lazyPool(
      {
        root: layout.root,
        durability: io.durability,
        isDropped: isGone,
        droppedIds: () => droppedIds(index),
        decide: (ids, lengths) => this.#decide(ids, lengths),
      },
      workerCount(request.jobs),
    )
    this.#scan = new Scan(store, this.#pool, {
      store: true,
      include: request.include,
      exclude: request.exclude,
      keepRecipe: (id, bytes) => {
        if (!request.dryRun) this.metadata.add(RECIPE, id, bytes)
      },
      findSecrets: this.#refusesSecrets,
      signal: request.signal,
      onProgress: request.onProgress,
    })
  }

  async build(): Promise<BuiltVersion> {
    await loadHashes()
    const missing = new Map<FileEntry, string>()
    const builder = this.#treeBuilder(missing)
    await this.#addEntries(builder)
    this.#refuseSecrets()
    await this.#readMissing(missing)
    const { root, files, bytes } = builder.finish()
    // The last nodes ended only now.
    await this.#readMissing(missing)
    return {
      root,
      entries: this.#entries,
      files,
      bytes,
      reusedBytes: Math.max(this.#chunkedBytes - this.#newBytes, 0),
      scan: this.#scan.report,
      nodes: this.#nodes,
    }
  }

  /** Whether the store did not have all of the content and its tree. */
  get hasNew(): boolean {
    return this.#newBytes > 0 || !this.metadata.isEmpty
  }

  /** Ends the packs; returns those not returned before. */
  async finish(): Promise<readonly WrittenPack[]> {
    const { packs, mixed } = await this.#pool.finish(this.metadata.small)
    if (mixed) this.metadata.clear()
    return [...packs, ...(await this.metadata.finish())]
  }

  /** Lets the next scan of the same files be quick. */
  rememberFiles(): void {
    this.#scan.remember()
  }

  /** Ends threads and removes packs that were not finished. */
  async close(): Promise<void> {
    this.metadata.abort()
    await this.#pool.close()
  }

  /** One flag for each id: whether the chunk is to be stored. A dry run counts them and stores none. */
  #decide(ids: Uint8Array, lengths: Uint32Array): Uint8Array {
    const isNew = new Uint8Array(lengths.length)
    for (let index = 0; index < lengths.length; index++) {
      const offset = index * 32
      if (!this.#ids.add(ids, offset)) continue
      if (this.#reliance.has(ids.subarray(offset, offset + 32))) continue
      if (!this.#request.dryRun) isNew[index] = 1
      this.#newBytes += lengths[index] as number
    }
    return isNew
  }

  #treeBuilder(missing: Map<FileEntry, string>): TreeBuilder {
    const previous = this.#previousTree()
    return new TreeBuilder((id, bytes, level, leaf) => {
      const isKnown = level === 0 && previous.hasLeaf(id)
      if (!isKnown) this.#keepNode(id, bytes)
      this.#entries += leaf?.length ?? 0
      for (const entry of leaf ?? []) {
        if (entry.kind !== 'file') continue
        if (entry.content.kind !== 'inline') this.#chunkedBytes += entry.size
        if (isKnown || previous.hasFile(entry)) {
          this.#scan.takeCached(entry)
          continue
        }
        if (this.#stored.has(entry)) {
          if (!isPresent(this.#store, this.#reliance, entry.content)) throw lost(entry)
          continue
        }
        const file = this.#scan.takeCached(entry)
        if (file === undefined) continue
        if (!isPresent(this.#store, this.#reliance, entry.content)) missing.set(entry, file)
      }
    })
  }

  #previousTree(): PreviousTree {
    const { index } = this.#store
    // Where a pack is lost, that a version has something says nothing: each content is looked up.
    const isSure = this.#previous?.isPartial !== true && index.objects.areComplete()
    const previous = isSure ? this.#previous : undefined
    if (previous !== undefined) this.#reliance.onVersion(previous.version)
    return new PreviousTree(nodeReader(this.#store), previous?.root)
  }

  #keepNode(id: ObjectId, bytes: Buffer): void {
    if (this.#request.dryRun) this.#nodes.set(id, bytes)
    else this.metadata.add(NODE, id, bytes)
  }

  async #addEntries(builder: TreeBuilder): Promise<void> {
    const { sources, base } = this.#request
    const given = [...(this.#request.entries ?? [])].sort((a, b) => comparePaths(a.path, b.path))
    const [source] = sources
    if (source?.kind === 'directory' && source.watched !== undefined) {
      return this.#addWatched(builder, source.watched)
    }
    if (base === undefined) {
      let next = 0
      for await (const batch of this.#scan.run(sources)) {
        for (const entry of batch) {
          for (; isBefore(given[next], entry); next++) builder.add(given[next] as Entry)
          builder.add(entry)
        }
      }
      for (const entry of given.slice(next)) builder.add(entry)
      return
    }
    const read = nodeReader(this.#store)
    const added: Entry[] = given
    for await (const batch of this.#scan.run(sources)) added.push(...batch)
    const isAdded = new Set(added.map(({ path }) => path))
    const removed = (base.removed ?? []).filter((path) => !isAdded.has(path))
    const edits: EntryEdit[] = added
      // An empty directory adds itself; it does not empty the one that the base has.
      .filter(({ kind, path }) => kind !== 'directory' || isFree(read, base.root, path))
      .map((entry): EntryEdit => ({ path: entry.path, entry }))
      .concat(removed.map((path) => ({ path })))
      .sort((a, b) => comparePaths(a.path, b.path))
    for (const entry of mergeEntries(entries(read, base.root), edits, { replace: true })) {
      builder.add(entry)
    }
  }

  async #addWatched(builder: TreeBuilder, watched: WatchedFiles): Promise<void> {
    const scanned = this.#scan.run(this.#request.sources)
    const root = this.#previous?.root
    const before = root === undefined ? undefined : { read: nodeReader(this.#store), root }
    const { unsettled } = this.#scan.report
    for await (const { entry, isKept } of withUnsettled(scanned, before, unsettled, watched)) {
      if (isKept) this.#stored.add(entry)
      builder.add(entry)
    }
  }

  /** Files whose content the cache knew but the store does not have any more are read after all. */
  async #readMissing(missing: Map<FileEntry, string>): Promise<void> {
    if (missing.size === 0 || this.#request.dryRun) return
    const wanted = Array.from(missing)
    missing.clear()
    await this.#scan.reread(wanted)
  }

  #refuseSecrets(): void {
    if (this.#refusesSecrets) refuseSecrets(this.#scan.report.secrets)
  }
}

/** @throws ArtifactsError ERR_SECRETS naming up to ten of these paths, if there are any. */
export function refuseSecrets(secrets: readonly string[]): void {
  if (secrets.length === 0) return
  const named = secrets.slice(0, 10).map((path) => `  "${path}"`)
  if (secrets.length > named.length) named.push(`  and ${secrets.length - named.length} more`)
  throw new ArtifactsError(
    'ERR_SECRETS',
    `These files look like secrets; nothing was committed:\n${named.join('\n')}`,
    {
      hint: 'Leave them out with `--exclude` or `.artifactsignore`, or store them with `--allow-secrets`.',
    },
  )
}

/** The first version of an artifact is the one whose secrets somebody has to allow. */
export function isFirstVersion(
  { index }: OpenedStore,
  { project, name }: Pick<CommitRequest, 'project' | 'name'>,
): boolean {
  const artifact = index.state.artifactByName(project, name)
  return artifact === undefined || currentVersion(index.state, artifact.id) === undefined
}

function lost({ path }: Entry): ArtifactsError {
  return damaged(`The bytes of "${path}", which is stored already, can't be found.`)
}

function isBefore(given: Entry | undefined, entry: Entry): boolean {
  if (given === undefined) return false
  const order = comparePaths(given.path, entry.path)
  if (order !== 0) return order < 0
  throw new ArtifactsError('ERR_INVALID_PATH', `"${given.path}" would be two entries.`, {
    hint: 'Commit one, then the other with `--incremental --as PATH`.',
  })
}

/** True when nothing lies below the path. */
function isFree(read: ReadNode, root: ObjectId, path: string): boolean {
  return entries(read, root, { prefix: `${path}/` }).next().done === true
}
