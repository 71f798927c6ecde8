/** A bare store on disk: its directories and format.json, packs of random chunks, and commits to it. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Committed, commitOperation } from '../../../src/store/index/commit-point.ts'
import type { StoreIdentity } from '../../../src/store/index/database.ts'
import {
  type IndexNotice,
  type IndexOptions,
  StoreIndex,
} from '../../../src/store/index/store-index.ts'
import { createIo, type Durability, type Io } from '../../../src/store/io/io.ts'
import { type Layout, layoutOf, packPath, temporaryName } from '../../../src/store/layout.ts'
import type { JoiningPack } from '../../../src/store/log/operation.ts'
import { type CommitIntent, type CommitOutcome, planCommit } from '../../../src/store/log/plan.ts'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { CHUNK, chunkId } from '../../../src/store/object/id.ts'
import { PackWriter, publish } from '../../../src/store/object/pack-writer.ts'
import type { ObjectId, VersionObject } from '../../../src/types.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { sampleIntent } from './memory-state.ts'

export interface TemporaryStore extends AsyncDisposable {
  readonly io: Io
  readonly layout: Layout
  readonly identity: StoreIdentity
  /** What the index said so far, of all that were opened. */
  readonly notices: IndexNotice[]
  open(options?: Partial<IndexOptions>): StoreIndex
}

/** A new store; or what another process sees of the one in `root`. */
export async function temporaryStore(durability: Durability = 'power'): Promise<TemporaryStore> {
  await loadHashes()
  const directory = await temporaryDirectory()
  const root = join(directory.path, '.artifacts')
  makeStore(root)
  return {
    ...storeIn(root, durability),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

/** The store in a directory that is there. */
export function storeIn(
  root: string,
  durability: Durability = 'power',
): Omit<TemporaryStore, typeof Symbol.asyncDispose> {
  const layout = layoutOf(root)
  const [line = '', hash = ''] = readFileSync(layout.format, 'utf8').split('\n')
  const identity = { id: JSON.parse(line).store as string, hash }
  const io = createIo({ durability })
  const notices: IndexNotice[] = []
  const onNotice = (notice: IndexNotice): void => void notices.push(notice)
  return {
    io,
    layout,
    identity,
    notices,
    open: (options) => new StoreIndex({ io, layout, identity, onNotice, ...options }),
  }
}

export type Store = Omit<TemporaryStore, typeof Symbol.asyncDispose>

/** Commits through an index that is open. */
export function commitTo(
  store: Store,
  index: StoreIndex,
  name: string,
  object: VersionObject,
  options: {
    intent?: Partial<CommitIntent>
    packs?: readonly JoiningPack[]
    signal?: AbortSignal
  } = {},
): Promise<Committed<CommitOutcome>> {
  const { io, layout } = store
  const writer = { io, layout, index, by: { user: 'ann', host: 'laptop' }, tool: 'artifacts/0.1.0' }
  const intent = sampleIntent(name, object, options.intent)
  return commitOperation(writer, {
    packs: options.packs ?? [],
    plan: (state) => planCommit(state, intent),
    signal: options.signal,
  })
}

/** Writes a pack of chunks; returns what an operation says of it, and the ids. */
export async function writePack(
  { io, layout }: Store,
  chunks: readonly Uint8Array[] = [randomBytes(100), randomBytes(100)],
): Promise<{ pack: JoiningPack; ids: ObjectId[] }> {
  const temporary = join(layout.tmp, temporaryName())
  const writer = new PackWriter(io, temporary)
  const ids = chunks.map((chunk) => chunkId(chunk))
  for (const [i, bytes] of chunks.entries()) {
    const id = Buffer.from(ids[i] ?? '', 'hex')
    writer.append({ id, stored: bytes, kind: CHUNK, codec: 0, rawLength: bytes.length })
  }
  const { id, bytes, kind, toc } = await writer.finish()
  publish(io, temporary, packPath(layout, id))
  io.fsyncDirectory(layout.packs)
  return { pack: { id: id as ObjectId, bytes, kind, toc }, ids }
}

/** The database that the pointer names, with the files beside it, if there are any. */
export function indexFiles({ layout }: Store): string[] {
  return readdirSync(layout.root)
    .filter((name) => name.startsWith('index-'))
    .map((name) => join(layout.root, name))
}

export function removeIndexFiles(store: Store): void {
  for (const file of [store.layout.index, ...indexFiles(store)]) rmSync(file, { force: true })
}

/** All that the log says, as the index tells it; not what only says where things lie in this very file. */
export function contentOf(index: StoreIndex): unknown {
  return index.read((connection) => ({
    store: connection.all('SELECT id, applied, hash FROM store'),
    operations: connection.all('SELECT * FROM operation ORDER BY n'),
    packs: connection.all(
      'SELECT name, bytes, kind, operation, state FROM pack WHERE operation IS NOT NULL ORDER BY name',
    ),
    objects: connection.all(
      'SELECT hex(object.id) AS id, name, offset, stored, raw, type FROM object JOIN pack ON pack.id = object.pack ' +
        'WHERE operation IS NOT NULL ORDER BY object.id, name',
    ),
    artifacts: connection.all('SELECT * FROM artifact ORDER BY id'),
    versions: connection.all('SELECT * FROM version ORDER BY id'),
    aliases: connection.all('SELECT * FROM alias ORDER BY artifact, alias'),
    moves: connection.all('SELECT * FROM alias_move ORDER BY id'),
    tags: connection.all('SELECT * FROM tag ORDER BY version, tag'),
  }))
}

function makeStore(root: string): void {
  const layout = layoutOf(root)
  for (const directory of [root, layout.log, layout.packs, layout.tmp])
    mkdirSync(directory, { recursive: true })
  const store = randomBytes(16).toString('hex')
  const line = JSON.stringify({ format: 1, store, tool: 'artifacts/0.1.0' })
  const hash = createHash('sha256').update(line).digest('hex')
  writeFileSync(layout.format, `${line}\n${hash}\n`)
}
