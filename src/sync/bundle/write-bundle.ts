/**
 * Writes a bundle whose contents are decided: derives its ids from them, puts changes and packs into its log, cuts it into
 * volumes. Nothing in it depends on when, where or by whom it is written.
 */
import { createHash, type KeyObject } from 'node:crypto'
import { closeSync, existsSync, openSync, readSync, statfsSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ArtifactsError } from '../../errors.ts'
import { encodeFormat } from '../../store/format.ts'
import type { Io } from '../../store/io/io.ts'
import { canonicalJson } from '../../store/log/canonical.ts'
import type { Change } from '../../store/log/change.ts'
import { encodeOperation, type JoiningPack, MAX_LINE } from '../../store/log/operation.ts'
import type { ArtifactId, ObjectId, OperationOptions } from '../../types.ts'
import { MANIFEST_NAME, openVolume, readVolumeFile } from '../backends/tar-volume.ts'
import { FORMAT_NAME, operationName } from '../log/names.ts'
import { packName } from '../put-pack.ts'
import { bytesSource, type Source } from '../source.ts'
import { checkSums } from './check-sums.ts'
import {
  BUNDLE_FORMAT,
  type BundleContents,
  bundleId,
  bundleStore,
  encodeManifest,
  LONGEST_MANIFEST,
  type Manifest,
  type Meeting,
  type StorePosition,
} from './manifest.ts'
import { SIGNATURE_BYTES, signManifest } from './signature.ts'
import { cutIntoVolumes } from './volume-layout.ts'
import { type NamedSource, type NewVolume, SIGNATURE_NAME, writeVolume } from './write-volume.ts'

/** A pack that goes into the bundle. */
export interface BundlePack extends JoiningPack {
  readonly sha256: string
  readonly source: Source
}

export interface BundleParts {
  readonly from: StorePosition
  readonly met: readonly Meeting[]
  readonly prerequisites: readonly ObjectId[]
  readonly versions: readonly ObjectId[]
  /** Artifacts of which the changes tell everything. */
  readonly whole: readonly ArtifactId[]
  /** What the log of the bundle says, in an order that folds; at least one. */
  readonly changes: readonly Change[]
  readonly packs: readonly BundlePack[]
  /** The time that its operations bear. */
  readonly at: string
  readonly tool: string
}

export interface WriteBundleOptions extends OperationOptions {
  /** Bytes that a volume may have; without, there is one volume. */
  readonly maxSize?: number | undefined
  readonly key?: KeyObject | undefined
}

export interface WrittenBundle {
  /** The bundle's id. */
  readonly bundle: string
  readonly volumes: readonly WrittenVolume[]
}

export interface WrittenVolume {
  readonly path: string
  readonly bytes: number
  readonly packs: number
}

/** Of the changes in one operation, as JSON; a single change may be larger. */
const CHANGES_AT_ONCE = 4 << 20

/**
 * Writes `path`, or for several volumes `<path>.001.tar` and so on; volumes that are there already as they would be
 * written stay.
 * @throws ArtifactsError ERR_INVALID_VALUE for a path that is no `.tar` or volumes that are too small, ERR_EXISTS where
 * another file has the name, ERR_IO when there is not enough room
 */
export async function writeBundle(
  io: Io,
  path: string,
  parts: BundleParts,
  options: WriteBundleOptions = {},
): Promise<WrittenBundle> {
  const volumes = layOut(parts, options.maxSize ?? Number.MAX_SAFE_INTEGER)
  const { log, manifests, bundle } = compose(parts, volumes)
  const plans = volumes.map((packs, index) => {
    const manifest = manifests[index] as Buffer
    const signature = options.key && signManifest(manifest, options.key)
    const sources = packs.map(({ id, source }) => ({ name: packName(id), source }))
    return { bundle, i: index + 1, manifest, signature, log, packs: sources }
  })
  const targets = plans.map(({ i }) => volumePath(path, i, plans.length))
  for (const target of targets) refuseOthers(target)
  const todo = plans.filter((plan, index) => !isThere(targets[index] as string, plan))
  checkRoom(
    path,
    todo.map(({ packs, manifest }) => sizeOf([...packs, ...log]) + manifest.length),
  )
  const progress = { files: 0, bytes: 0 }
  for (const plan of todo) {
    await writeVolume(io, targets[plan.i - 1] as string, plan, {
      signal: options.signal,
      onWritten(bytes) {
        progress.bytes += bytes
        options.onProgress?.({ phase: 'write', ...progress })
      },
    })
    progress.files++
  }
  return {
    bundle,
    volumes: targets.map((target, index) => ({
      path: target,
      bytes: statSync(target).size,
      packs: volumes[index]?.length ?? 0,
    })),
  }
}

/** Where a volume of a set lies. @throws ArtifactsError ERR_INVALID_VALUE */
export function volumePath(path: string, i: number, of: number): string {
  const name = basename(path)
  if (!name.endsWith('.tar') || name === '.tar') {
    throw new ArtifactsError('ERR_INVALID_VALUE', `"${path}" does not end with ".tar".`, {
      hint: `Write \`artifacts bundle create ${name}.tar\`: by that name it can be used as a remote.`,
    })
  }
  if (of === 1) return path
  return join(dirname(path), `${name.slice(0, -4)}.${String(i).padStart(3, '0')}.tar`)
}

/** The packs of each volume. */
function layOut(parts: BundleParts, maxSize: number): readonly (readonly BundlePack[])[] {
  // Ids have one length, so the files of a bundle with others are as long as its own.
  const { log, manifests } = compose(parts, [[]])
  const files = log.map(({ name, source }) => [name, source.size] as const)
  const manifest = (manifests[0] as Buffer).length
  const fixed = { manifest, files }
  return cutIntoVolumes(parts.packs, fixed, maxSize)
}

/** The log and the manifests of a bundle that is cut like this. */
function compose(
  parts: BundleParts,
  volumes: readonly (readonly BundlePack[])[],
): { bundle: string; log: NamedSource[]; manifests: Buffer[] } {
  const { from, met, prerequisites, versions, whole, tool } = parts
  const contents: BundleContents = {
    from,
    met,
    prerequisites: prerequisites.toSorted(),
    versions: versions.toSorted(),
    volumes: volumes.map((packs) => packs.map(({ id }) => id)),
    whole: whole.toSorted(),
  }
  const bundle = bundleId(contents)
  const store = bundleStore(contents)
  const format = encodeFormat({ id: store, tool })
  const log: NamedSource[] = [{ name: FORMAT_NAME, source: bytesSource(format) }]
  let at = { n: 0, hash: format.toString('latin1', format.length - 65, format.length - 1) }
  for (const changes of inOperations(parts.changes)) {
    const n = at.n + 1
    const { bytes, hash } = encodeOperation({
      n,
      prev: at.hash,
      at: parts.at,
      by: { user: '', host: '' },
      tool,
      nonce: nonceOf(bundle, n),
      packs: n === 1 ? parts.packs.map(joining).sort(byId) : [],
      changes,
    })
    at = { n, hash }
    log.push({ name: operationName(n), source: bytesSource(bytes) })
  }
  const manifests = volumes.map((_, index) =>
    encodeManifest({
      ...contents,
      bundle,
      format: BUNDLE_FORMAT,
      log: at,
      store,
      tool,
      volume: { i: index + 1, of: volumes.length },
    } satisfies Manifest),
  )
  return { bundle, log, manifests }
}

function* inOperations(changes: readonly Change[]): Generator<readonly Change[]> {
  let some: Change[] = []
  let bytes = 0
  for (const change of changes) {
    const length = Buffer.byteLength(canonicalJson(change))
    if (some.length > 0 && bytes + length > Math.min(CHANGES_AT_ONCE, MAX_LINE)) {
      yield some
      some = []
      bytes = 0
    }
    some.push(change)
    bytes += length
  }
  yield some
}

/** Everybody who makes this bundle makes this operation. */
function nonceOf(bundle: string, n: number): string {
  return createHash('sha256')
    .update(`artifacts.bundle.nonce\0${bundle}.${n}`)
    .digest('hex')
    .slice(0, 32)
}

function joining({ id, bytes, kind, toc, sha256 }: BundlePack): JoiningPack {
  return { id, bytes, kind, toc, sha256 }
}

function byId(a: JoiningPack, b: JoiningPack): number {
  return a.id < b.id ? -1 : 1
}

/** A bundle replaces a bundle, and nothing else. */
function refuseOthers(path: string): void {
  if (!existsSync(path) || looksLikeBundle(path)) return
  throw new ArtifactsError('ERR_EXISTS', `"${path}" exists, and is no bundle.`, {
    hint: 'Give another name, or remove the file.',
  })
}

function looksLikeBundle(path: string): boolean {
  if (!statSync(path).isFile()) return false
  const fd = openSync(path, 'r')
  try {
    const name = Buffer.alloc(MANIFEST_NAME.length)
    return readSync(fd, name) === name.length && name.toString('latin1') === MANIFEST_NAME
  } finally {
    closeSync(fd)
  }
}

/** Whether a run before this one wrote the volume: with this manifest it can hold nothing else. */
function isThere(path: string, { manifest, signature }: NewVolume): boolean {
  if (!existsSync(path)) return false
  try {
    using volume = openVolume(path)
    if (!readVolumeFile(volume, MANIFEST_NAME, LONGEST_MANIFEST).equals(manifest)) return false
    const signed = volume.files.has(SIGNATURE_NAME)
      ? readVolumeFile(volume, SIGNATURE_NAME, SIGNATURE_BYTES)
      : Buffer.of()
    if (!signed.equals(signature ?? Buffer.of())) return false
    checkSums(volume)
    return true
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_DAMAGED') return false
    throw error
  }
}

function sizeOf(sources: readonly NamedSource[]): number {
  return sources.reduce((sum, { source }) => sum + source.size + 1024, 0)
}

/** FAT, which most drives for carrying about have; statfs(2). */
const MSDOS_MAGIC = 0x4d44
const LARGEST_ON_FAT = 2 ** 32 - 1

function checkRoom(path: string, volumes: readonly number[]): void {
  const directory = dirname(path)
  const { bavail, bsize, type } = statfsSync(directory)
  const needed = volumes.reduce((sum, bytes) => sum + bytes, 0)
  if (needed > bavail * bsize) {
    throw new ArtifactsError(
      'ERR_IO',
      `"${directory}" has room for ${bavail * bsize} bytes, and the bundle needs ${needed}.`,
      { hint: 'Make room, or write it elsewhere.', data: { needed, free: bavail * bsize } },
    )
  }
  if (type !== MSDOS_MAGIC || volumes.every((bytes) => bytes < LARGEST_ON_FAT)) return
  throw new ArtifactsError('ERR_IO', `"${directory}" takes no file of more than 4 GiB.`, {
    hint: 'Cut it into volumes with `--max-size 4GB`.',
  })
}
