/**
 * What a store knows of a remote: its log as far as it was read, folded by the same rules as the own one, and where its
 * objects are. So what the remote has can be asked without asking the remote.
 *
 * `remotes/<store id>/log.jsonl` keeps the operations; the database beside it is their fold, and what index packs tell of
 * objects (docs/remote.md sections 5 and 8). The database can be lost: the log is folded again, the tables are read again.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { decodeFormat } from '../../store/format.ts'
import type { Connection } from '../../store/index/connection.ts'
import type { Location } from '../../store/index/objects.ts'
import { takeTables } from '../../store/index/packs.ts'
import type { StateView } from '../../store/index/state.ts'
import { stateView } from '../../store/index/state-view.ts'
import { type OperationRange, temporaryName } from '../../store/layout.ts'
import { decodeOperation, type LogEntry } from '../../store/log/operation.ts'
import { readId } from '../../store/object/id.ts'
import type { PackTable } from '../../store/object/pack.ts'
import type { Opened } from '../../store/open.ts'
import type { ArtifactId, ObjectId } from '../../types.ts'
import type { Backend, RequestOptions } from '../backend.ts'
import { note, notedRecords } from '../log/noted-log.ts'
import { type Position, type RemoteEntry, readNews } from '../log/remote-log.ts'
import {
  type Folded,
  foldOperation,
  type Mirrored,
  openDatabase,
  readFolded,
  removeDatabase,
} from './database.ts'
import { databasePath, folderOf, pastPath } from './folder.ts'
import { leafIn, noteLeaves } from './leaves.ts'
import { visitPast } from './past.ts'
import { type RemotePack, readTables } from './tables.ts'

/** An operation of the remote that this program does not understand: what comes before it can be read, nothing be pushed. */
export type NotUnderstood = Extract<LogEntry, { kind: 'unknown' }>

const OPERATIONS_AT_ONCE = 256
const BYTES_AT_ONCE = 8 << 20

export class Mirror implements Disposable {
  /** The remote's store id. */
  readonly store: string
  /** The remote's state, as far as its log was read. */
  readonly state: StateView
  /** Met by the last `readNews`. */
  notUnderstood: NotUnderstood | undefined
  readonly #opened: Opened
  readonly #mirrored: Mirrored
  readonly #log: string
  readonly #connection: Connection

  private constructor(opened: Opened, mirrored: Mirrored, connection: Connection) {
    this.store = mirrored.id
    this.state = stateView(connection)
    this.#opened = opened
    this.#mirrored = mirrored
    this.#log = join(folderOf(opened, mirrored.id), 'log.jsonl')
    this.#connection = connection
  }

  /** Opens the mirror of a remote that was read before; undefined: it was not. */
  static async open(opened: Opened, store: string): Promise<Mirror | undefined> {
    const format = readFormatNoted(opened, store)
    return format === undefined ? undefined : Mirror.#at(opened, format)
  }

  /** Opens or makes the mirror of a remote whose `format.json` holds these bytes. @throws ArtifactsError ERR_DAMAGED */
  static async of(opened: Opened, format: Buffer, address: string): Promise<Mirror> {
    const { id, hash } = decodeFormat(format.toString('utf8'), `${address}format.json`)
    const noted = readFormatNoted(opened, id)
    if (noted !== undefined && noted.hash !== hash) {
      throw new ArtifactsError(
        'ERR_REMOTE_CHANGED',
        `"${address}" has the id of a store that was read before, and is another one.`,
        { hint: 'Somebody has replaced the remote. Ask who looks after it.' },
      )
    }
    if (noted === undefined) noteFormat(opened, id, format)
    return Mirror.#at(opened, { id, hash })
  }

  /** The mirror of a remote that is not made yet, for a look at what would be pushed. Nothing is written. */
  static imagined(opened: Opened, format: Buffer): Mirror {
    const mirrored = decodeFormat(format.toString('utf8'), 'format.json')
    return new Mirror(opened, mirrored, openDatabase(opened.io, ':memory:', mirrored))
  }

  static async #at(opened: Opened, mirrored: Mirrored): Promise<Mirror> {
    const { io } = opened
    const path = databasePath(opened, mirrored.id)
    const log = join(folderOf(opened, mirrored.id), 'log.jsonl')
    let connection = openDatabase(io, path, mirrored)
    // What was noted is shorter than what was folded: it was lost, and is read again.
    if (readFolded(connection).length > sizeOf(log)) {
      connection.close()
      removeDatabase(io, path)
      connection = openDatabase(io, path, mirrored)
    }
    const mirror = new Mirror(opened, mirrored, connection)
    await mirror.#foldNoted()
    return mirror
  }

  /** Before the first operation. */
  get start(): Position {
    return { n: 0, hash: this.#mirrored.hash }
  }

  get head(): Position {
    const { n, hash } = readFolded(this.#connection)
    return { n, hash }
  }

  /**
   * Reads what is new in the remote's log and returns how many operations. One request where there are none.
   * @throws ArtifactsError ERR_REMOTE_CHANGED when it does not follow what was read, or breaks the rules of a log
   */
  async readNews(backend: Backend, options: RequestOptions = {}): Promise<number> {
    const before = this.head.n
    this.notUnderstood = undefined
    let batch: RemoteEntry[] = []
    let bytes = 0
    for await (const news of readNews(backend, this.head, options)) {
      if (news.entry.kind === 'unknown') {
        this.notUnderstood = news.entry
        break
      }
      batch.push(news)
      bytes += news.bytes.length
      if (batch.length < OPERATIONS_AT_ONCE && bytes < BYTES_AT_ONCE) continue
      this.take(batch, backend.address)
      batch = []
      bytes = 0
    }
    this.take(batch, backend.address)
    this.#noteTime()
    return this.head.n - before
  }

  /** Both lines of operations that were read, in order. */
  async *records({ first, last }: OperationRange): AsyncGenerator<Uint8Array> {
    const start = { n: 0, hash: this.#mirrored.hash, length: 0 }
    for await (const { n, bytes } of notedRecords(this.#log, start)) {
      if (n >= first) yield bytes
      if (n >= last) return
    }
  }

  /** Folds operations that follow the head, and notes them. */
  take(
    entries: readonly Pick<RemoteEntry, 'n' | 'hash' | 'bytes' | 'entry'>[],
    address: string,
  ): void {
    if (entries.length === 0) return
    this.#connection.write(() => {
      let at = readFolded(this.#connection)
      const fresh = entries.filter(({ n }) => n > at.n)
      const start = at
      for (const { n, hash, bytes, entry } of fresh) {
        if (entry.kind !== 'operation') throw new Error('Only what is understood is folded.')
        at = { n, hash, length: at.length + bytes.length }
        foldOperation(this.#connection, entry.operation, at, address)
      }
      // Before the transaction ends: what the database has folded is in the file.
      const records = fresh.map(({ bytes }) => bytes)
      if (fresh.length > 0) note(this.#opened.io, this.#log, start, records)
    })
  }

  /**
   * Reads the tables of packs that are not known yet: all of them, or those that these versions lie in.
   * @throws ArtifactsError ERR_DAMAGED for tables that are not what the packs' names say
   */
  async loadTables(
    backend: Backend,
    options: RequestOptions & { readonly packs?: Iterable<ObjectId> } = {},
  ): Promise<void> {
    const unread = this.#unread(options.packs)
    if (unread.length === 0) return
    const operations = new Set(unread.map(({ operation }) => operation))
    const indexes = this.#joined("kind = 'index'").filter((pack) => operations.has(pack.operation))
    const tables = readTables(backend, unread, indexes, options)
    for await (const some of tables) {
      this.takeTables(some)
    }
  }

  /** Takes up tables that are known without asking. */
  takeTables(tables: ReadonlyMap<ObjectId, PackTable>): void {
    this.#connection.write(() => takeTables(this.#connection, tables))
  }

  /** The pack of the remote that has an object (32 bytes), as far as tables are loaded. */
  packOf(id: Uint8Array): ObjectId | undefined {
    return this.#connection.value<ObjectId>(PACK_OF, id)
  }

  /** The packs in which a leaf of a tree (32 bytes) lies with all that its entries name, where that was noted and none is dropped. */
  leaf(id: Uint8Array): ObjectId[] | undefined {
    return leafIn(this.#connection, id)
  }

  /** Notes in which packs leaves lie, all of which the remote's log has named. */
  noteLeaves(leaves: ReadonlyMap<ObjectId, ReadonlySet<ObjectId>>): void {
    this.#connection.write(() => noteLeaves(this.#connection, leaves))
  }

  /** All places there that have an object (32 bytes). */
  locations(id: Uint8Array): Location[] {
    const rows = this.#connection.all<Omit<Location, 'id'>>(LOCATE, id)
    return rows.map((row) => ({ ...row, id: readId(Buffer.from(id)) }))
  }

  /** What the log says of a pack that it has named and not dropped. */
  pack(id: ObjectId): RemotePack | undefined {
    if (!this.state.isNamed(id)) return undefined
    return this.#joined('name = ?', id)[0]
  }

  isDropped(id: ObjectId): boolean {
    return this.state.isDropped(id)
  }

  /** The packs that are named and not dropped, those of kind `index` too. */
  packs(): RemotePack[] {
    return this.#joined("name IN (SELECT name FROM pack WHERE state <> 'dropped')")
  }

  /** Where to look for what a pack held: itself, or where its objects went; undefined: nowhere any more. */
  successor(id: ObjectId): ObjectId | undefined {
    let at: ObjectId | null | undefined = id
    while (at !== null && at !== undefined && this.isDropped(at)) {
      at = this.#connection.value<ObjectId | null>('SELECT "into" FROM pack WHERE name = ?', at)
    }
    return at ?? undefined
  }

  /** The newest operation that says something of an artifact there; 0: none. */
  touched(artifact: ArtifactId): number {
    return (
      this.#connection.value<number>(
        'SELECT operation FROM touched WHERE artifact = ?',
        artifact,
      ) ?? 0
    )
  }

  /** The runs that got labels after operation `n`, and when they got the newest. */
  touchedRuns(n: number): { readonly run: string; readonly operation: number }[] {
    return this.#connection.all('SELECT run, operation FROM touched_run WHERE operation > ?', n)
  }

  /** Shows the remote's state as it was after some operations. */
  async visitPast(
    operations: Iterable<number>,
    visit: (state: StateView, n: number) => void,
  ): Promise<void> {
    const mirrored = this.#mirrored
    const path = pastPath(this.#opened, mirrored.id)
    await visitPast({ io: this.#opened.io, mirrored, log: this.#log, path }, operations, visit)
  }

  close(): void {
    this.#connection.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Folds what was noted and is not in the database: it was lost, or another process was killed in between. */
  async #foldNoted(): Promise<void> {
    const from: Folded = readFolded(this.#connection)
    if (sizeOf(this.#log) === from.length) return
    let batch: RemoteEntry[] = []
    const fold = (): void => {
      this.#connection.write(() => {
        for (const { n, hash, bytes, entry } of batch) {
          const at = readFolded(this.#connection)
          if (n <= at.n || entry.kind !== 'operation') continue
          const length = at.length + bytes.length
          foldOperation(this.#connection, entry.operation, { hash, length }, this.#log)
        }
      })
      batch = []
    }
    for await (const { n, hash, bytes } of notedRecords(this.#log, from)) {
      const prev = batch.at(-1)?.hash ?? from.hash
      const entry = decodeOperation(bytes, { n, prev, path: this.#log })
      if (entry.kind !== 'operation') break
      batch.push({ n, hash, bytes, entry })
      if (batch.length === OPERATIONS_AT_ONCE) fold()
    }
    fold()
  }

  /** When the remote was asked last is the time of a file. Where it can't be set, nobody needs it. */
  #noteTime(): void {
    const now = Date.now() / 1000
    try {
      this.#opened.io.utimes(join(folderOf(this.#opened, this.store), 'format.json'), now, now)
    } catch (error) {
      if (!isSystemError(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT')) throw error
    }
  }

  #unread(wanted: Iterable<ObjectId> | undefined): RemotePack[] {
    const all = this.#joined(
      "kind <> 'index' AND name IN (SELECT name FROM pack WHERE state = 'missing')",
    )
    if (wanted === undefined) return all
    const names = new Set(wanted)
    return all.filter(({ id }) => names.has(id))
  }

  #joined(where: string, ...values: readonly string[]): RemotePack[] {
    return this.#connection
      .all<JoinedRow>(`SELECT * FROM joined WHERE ${where} ORDER BY operation, name`, ...values)
      .map(({ name, operation, bytes, kind, toc_offset, toc_length, sha256 }) => ({
        id: name,
        operation,
        bytes,
        kind,
        toc: [toc_offset, toc_length],
        ...(sha256 === null ? {} : { sha256 }),
      }))
  }
}

interface JoinedRow extends Pick<RemotePack, 'operation' | 'bytes' | 'kind'> {
  readonly name: ObjectId
  readonly toc_offset: number
  readonly toc_length: number
  readonly sha256: string | null
}

const PACK_OF = `
SELECT pack.name FROM object JOIN pack ON pack.id = object.pack
WHERE object.id = ? AND pack.state = 'present' LIMIT 1`

const LOCATE = `
SELECT pack.name AS pack, offset, stored, raw, type FROM object JOIN pack ON pack.id = object.pack
WHERE object.id = ? AND pack.state = 'present' ORDER BY object.pack`

function readFormatNoted(opened: Opened, store: string): Mirrored | undefined {
  const path = join(folderOf(opened, store), 'format.json')
  try {
    const { id, hash } = decodeFormat(readFileSync(path, 'utf8'), path)
    return id === store ? { id, hash } : undefined
  } catch (error) {
    const isDamage = error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
    if (isDamage || isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
}

function noteFormat(opened: Opened, store: string, format: Buffer): void {
  const { io, layout } = opened
  io.mkdir(folderOf(opened, store), { recursive: true })
  io.writeFileAtomic(join(folderOf(opened, store), 'format.json'), format, {
    durable: true,
    tmp: join(layout.tmp, temporaryName()),
  })
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
