/**
 * Looks through the directories that are bound to versions for what the store has lost: their files may still hold it.
 * They are read as a commit reads them; of their chunks only those are stored that are asked for.
 */
import { ArtifactsError, type ErrorCode, isSystemError } from '../../errors.ts'
import type { Entry, FileEntry, ObjectId, OperationOptions } from '../../types.ts'
import { type LazyPool, lazyPool } from '../ingest/lazy-pool.ts'
import { PackStream } from '../ingest/pack-stream.ts'
import { workerCount } from '../ingest/pool.ts'
import type { MetaObject, WrittenPack } from '../ingest/protocol.ts'
import { Scan } from '../ingest/scan.ts'
import type { OpenedStore } from '../opened.ts'
import { TreeBuilder } from '../tree/builder.ts'
import { boundDirectory, listBindings } from '../workspace/binding.ts'

export interface Search {
  /** One flag for each id (32 bytes each): whether the chunk is to be stored. */
  readonly decide: (ids: Uint8Array, lengths: Uint32Array) => Uint8Array
  /** Whether a file with this chunk or recipe is to be read, although its content is known without. */
  readonly isWanted: (content: ObjectId) => boolean
  readonly onRecipe: (id: ObjectId, bytes: Uint8Array) => void
  readonly onNode: (id: ObjectId, bytes: Uint8Array) => void
}

export class BoundFiles {
  readonly #store: OpenedStore
  readonly #options: OperationOptions
  readonly #directories: readonly string[]
  readonly #pool: LazyPool
  #search: Search | undefined

  constructor(
    store: OpenedStore,
    options: OperationOptions & { readonly jobs?: number | undefined },
  ) {
    this.#store = store
    this.#options = options
    const { layout, io } = store
    const { bindings } = listBindings(layout)
    this.#directories = bindings.map((binding) => boundDirectory(layout, binding))
    this.#pool = lazyPool(
      {
        root: layout.root,
        durability: io.durability,
        isDropped: this.#isDropped,
        decide: (ids, lengths) =>
          this.#search?.decide(ids, lengths) ?? new Uint8Array(lengths.length),
      },
      workerCount(options.jobs),
    )
  }

  /** Goes through all directories. What can't be read is passed over: it may be elsewhere. */
  async search(search: Search): Promise<void> {
    this.#search = search
    for (const directory of this.#directories) {
      try {
        await this.#scan(directory, search)
      } catch (error) {
        if (!isUnreadable(error)) throw error
      }
    }
  }

  /** Ends the packs with the chunks that were stored, and `beside`. */
  async finish(beside: readonly MetaObject[]): Promise<readonly WrittenPack[]> {
    const { packs, mixed } = await this.#pool.finish(beside)
    if (mixed || beside.length === 0) return packs
    const { io, layout } = this.#store
    const stream = new PackStream(io, layout, this.#isDropped)
    try {
      for (const object of beside) stream.appendObject(object)
      return [...packs, ...(await stream.finish([])).packs]
    } catch (error) {
      stream.abort()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#pool.close()
  }

  readonly #isDropped = (id: string): boolean => this.#store.index.state.isDropped(id as ObjectId)

  async #scan(dir: string, search: Search): Promise<void> {
    const scan = new Scan(this.#store, this.#pool, {
      store: true,
      include: [],
      exclude: [],
      findSecrets: false,
      keepRecipe: search.onRecipe,
      signal: this.#options.signal,
      onProgress: this.#options.onProgress,
    })
    const builder = new TreeBuilder(search.onNode)
    const again: (readonly [FileEntry, string])[] = []
    for await (const batch of scan.run([{ kind: 'directory', dir, prefix: '' }])) {
      for (const entry of batch) {
        const file = scan.takeCached(entry)
        if (file !== undefined && isWantedFile(entry, search)) again.push([entry, file])
        builder.add(entry)
      }
    }
    builder.finish()
    if (again.length > 0) await scan.reread(again)
  }
}

function isWantedFile(entry: Entry, { isWanted }: Search): entry is FileEntry {
  return entry.kind === 'file' && entry.content.kind !== 'inline' && isWanted(entry.content.id)
}

const UNREADABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_NOT_FOUND',
  'ERR_UNREADABLE',
  'ERR_FILE_CHANGED',
  'ERR_INVALID_PATH',
])

function isUnreadable(error: unknown): boolean {
  if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EIO')) return true
  if (!(error instanceof ArtifactsError)) return false
  return UNREADABLE.has(error.code)
}
