/**
 * Packs of a set of volumes that is not complete yet: `quarantine/bundle-<id>/` keeps what came until the rest does, for 30
 * days. Nothing in it is trusted later because it lies here: it is verified when it is taken.
 */
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { removeTree } from '../../store/checkout/staging.ts'
import { temporaryName } from '../../store/layout.ts'
import type { JoiningPack } from '../../store/log/operation.ts'
import type { OpenedStore } from '../../store/opened.ts'
import type { ObjectId, OperationOptions } from '../../types.ts'
import { MANIFEST_NAME, readPieces } from '../backends/tar-volume.ts'
import { wrongSum } from './check-sums.ts'
import { decodeManifest, encodeManifest, type Manifest } from './manifest.ts'
import type { Bundle, BundleVolume } from './open-bundle.ts'

export interface WaitingBundle {
  /** Its id. */
  readonly bundle: string
  /** The store it was made from. */
  readonly from: string
  /** How many volumes the set has. */
  readonly of: number
  /** Numbers of those that did not come yet. */
  readonly missing: readonly number[]
  /** Of what waits. */
  readonly bytes: number
  /** The time of the last volume that came, ISO 8601. */
  readonly since: string
}

/** The packs of a bundle that wait, as paths. */
export function waitingPacks(store: OpenedStore, { bundle }: Manifest): Map<ObjectId, string> {
  return packsIn(folderOf(store, bundle))
}

/**
 * Copies the packs of volumes into quarantine, each checked by its SHA-256, durable when this returns.
 * @throws ArtifactsError ERR_DAMAGED for one that is not as the log says, ERR_IO when there is not enough room
 */
export async function keepWaiting(
  store: OpenedStore,
  { manifest, volumes }: Bundle,
  packs: ReadonlyMap<ObjectId, JoiningPack>,
  options: OperationOptions,
): Promise<void> {
  const { io } = store
  const folder = folderOf(store, manifest.bundle)
  const have = packsIn(folder)
  const todo = volumes.flatMap((volume) =>
    packsOf(volume)
      .filter((id) => !have.has(id))
      .map((id) => ({ volume, pack: packs.get(id) as JoiningPack })),
  )
  io.mkdir(folder, { recursive: true })
  checkRoom(
    folder,
    todo.reduce((sum, { pack }) => sum + pack.bytes, 0),
  )
  const progress = { files: 0, bytes: 0 }
  for (const { volume, pack } of todo) {
    copy(store, volume, pack, folder, options.signal)
    progress.files++
    progress.bytes += pack.bytes
    options.onProgress?.({ phase: 'receive', ...progress })
    // Lets Ctrl-C in.
    await new Promise((resolve) => setImmediate(resolve))
  }
  io.fsyncDirectory(folder)
  // Written anew by each volume: its time says since when the set waits.
  io.writeFileAtomic(join(folder, MANIFEST_NAME), encodeManifest(manifest), {
    tmp: join(folder, `.${temporaryName()}`),
    durable: true,
  })
}

export function forgetWaiting(store: OpenedStore, { bundle }: Manifest): void {
  const folder = folderOf(store, bundle)
  if (existsSync(folder)) removeTree(store.io, folder)
}

/** The sets that wait for volumes. What can't be read is passed over. */
export function listWaiting(store: OpenedStore): WaitingBundle[] {
  return namesIn(store.layout.quarantine).flatMap((name) => {
    const id = NAME.exec(name)?.[1]
    return id === undefined ? [] : (waitingIn(folderOf(store, id)) ?? [])
  })
}

const NAME = /^bundle-([0-9a-f]{32})$/

function folderOf({ layout }: OpenedStore, bundle: string): string {
  return join(layout.quarantine, `bundle-${bundle}`)
}

function waitingIn(folder: string): WaitingBundle | undefined {
  const path = join(folder, MANIFEST_NAME)
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  const manifest = decodeManifest(readFileSync(path), path)
  if (typeof manifest === 'string') return undefined
  const packs = packsIn(folder)
  const missing = manifest.volumes.flatMap((ids, index) =>
    ids.every((id) => packs.has(id)) ? [] : [index + 1],
  )
  const sizes = [...packs.values()].map((pack) => lstatSync(pack).size)
  return {
    bundle: manifest.bundle,
    from: manifest.from.store,
    of: manifest.volume.of,
    missing,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    since: stat.mtime.toISOString(),
  }
}

function packsOf({ manifest, i }: BundleVolume): readonly ObjectId[] {
  return manifest.volumes[i - 1] as readonly ObjectId[]
}

function copy(
  { io }: OpenedStore,
  volume: BundleVolume,
  { id, sha256 }: JoiningPack,
  folder: string,
  signal: AbortSignal | undefined,
): void {
  const name = `packs/${id}.pack`
  const at = volume.files.get(name)
  if (at === undefined) throw new Error(`The volume has no "${name}".`)
  const temporary = join(folder, `.${temporaryName()}`)
  const hash = createHash('sha256')
  const fd = io.open(temporary, 'wx')
  try {
    for (const piece of readPieces(volume, at)) {
      signal?.throwIfAborted()
      hash.update(piece)
      io.writeAll(fd, piece)
    }
    if (hash.digest('hex') !== sha256) throw wrongSum(volume, name)
    io.fsync(fd)
  } finally {
    io.close(fd)
  }
  io.rename(temporary, join(folder, `${id}.pack`))
}

function packsIn(folder: string): Map<ObjectId, string> {
  return new Map(
    namesIn(folder).flatMap((name) => {
      const id = /^([0-9a-f]{64})\.pack$/.exec(name)?.[1]
      return id === undefined ? [] : [[id as ObjectId, join(folder, name)] as const]
    }),
  )
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

function checkRoom(folder: string, needed: number): void {
  const { bavail, bsize } = statfsSync(folder)
  if (needed <= bavail * bsize) return
  throw new ArtifactsError(
    'ERR_IO',
    `"${folder}" has room for ${bavail * bsize} bytes, and what has to wait there needs ${needed}.`,
    { hint: 'Make room, or apply all volumes at once.', data: { needed, free: bavail * bsize } },
  )
}
