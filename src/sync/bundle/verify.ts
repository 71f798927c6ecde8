/**
 * Looks at every byte of a bundle's volumes, with no store: the tar, `SHA256SUMS`, the manifest, the signature, the log as
 * a chain that breaks no rule, and every record of every pack. Each volume is judged by itself: they come one at a time.
 */
import type { KeyObject } from 'node:crypto'
import { createHash } from 'node:crypto'
import { ArtifactsError } from '../../errors.ts'
import { loadHashes } from '../../store/object/checksum.ts'
import { checkPackBytes } from '../../store/object/pack-bytes.ts'
import type { ObjectId, OperationOptions } from '../../types.ts'
import { readExactly, wrong } from '../backends/tar-index.ts'
import { hashOfFile } from '../backends/tar-volume.ts'
import { readSums, wrongSum } from './check-sums.ts'
import { type BundleState, stateOf } from './contents.ts'
import { type Manifest, setOf } from './manifest.ts'
import { type BundleVolume, openBundleVolume } from './open-bundle.ts'

export interface VerifiedVolume {
  readonly path: string
  /** Why it can't be trusted. */
  readonly problem?: string
  /** Which one of how many it is, from 1; 0 where that can't be read. */
  readonly volume: number
  readonly of: number
  readonly bytes: number
  readonly packs: number
  /** Records in its packs. */
  readonly objects: number
  readonly signed: boolean
}

export interface VerifiedBundle {
  /** Every volume that was given is whole, and they belong together. */
  readonly ok: boolean
  readonly volumes: readonly VerifiedVolume[]
  /** Numbers of volumes of the set that were not given. */
  readonly missing: readonly number[]
  /** What the first readable volume says; undefined when there is none. */
  readonly manifest: Manifest | undefined
}

export interface VerifyBundleOptions extends OperationOptions {
  /** Whoever may have signed it; then a volume that is not signed by one of them is a problem. */
  readonly signers?: readonly KeyObject[] | undefined
}

/** @throws the system's error for a file that can't be read, ERR_UNSUPPORTED for what a later program made */
export async function verifyVolumes(
  paths: readonly string[],
  options: VerifyBundleOptions = {},
): Promise<VerifiedBundle> {
  await loadHashes()
  const volumes: VerifiedVolume[] = []
  let first: Manifest | undefined
  const progress = { files: 0, bytes: 0 }
  for (const path of paths) {
    const { verified, manifest } = verifyVolume(path, first, options, (bytes) => {
      progress.files++
      progress.bytes += bytes
      options.onProgress?.({ phase: 'verify', ...progress })
    })
    volumes.push(verified)
    first ??= manifest
    // Lets a signal through between volumes.
    await undefined
  }
  const numbers = Array.from({ length: first?.volume.of ?? 0 }, (_, index) => index + 1)
  const given = new Set(volumes.map(({ volume }) => volume))
  return {
    ok: volumes.every(({ problem }) => problem === undefined),
    volumes,
    missing: numbers.filter((number) => !given.has(number)),
    manifest: first,
  }
}

interface Judged {
  readonly verified: VerifiedVolume
  /** Absent where the volume can't be trusted. */
  readonly manifest?: Manifest
}

function verifyVolume(
  path: string,
  first: Manifest | undefined,
  { signers, signal }: VerifyBundleOptions,
  onFile: (bytes: number) => void,
): Judged {
  const unknown = { path, volume: 0, of: 0, bytes: 0, packs: 0, objects: 0, signed: false }
  let known: Omit<VerifiedVolume, 'problem'> = unknown
  try {
    using volume = openBundleVolume(path, { signers })
    const { manifest, i, signed, bytes } = volume
    known = { ...unknown, volume: i, of: manifest.volume.of, bytes, signed }
    if (first !== undefined && setOf(first) !== setOf(manifest)) {
      throw wrong(path, 'does not belong to the same set as the volumes before it')
    }
    using contents = stateOf(volume)
    const counted = checkFiles(volume, contents, signal, onFile)
    return { verified: { ...known, ...counted }, manifest }
  } catch (error) {
    if (!isJudgement(error)) throw error
    return { verified: { ...known, problem: error.message } }
  }
}

/** Every file by its checksum, packs to the last record. */
function checkFiles(
  volume: BundleVolume,
  { packs }: BundleState,
  signal: AbortSignal | undefined,
  onFile: (bytes: number) => void,
): Pick<VerifiedVolume, 'packs' | 'objects'> {
  let counted = 0
  let objects = 0
  // Once, as long as the longest pack: buffers that were too short would pile up.
  const longest = [...packs.values()].reduce((most, { bytes }) => Math.max(most, bytes), 0)
  const memory = Buffer.allocUnsafeSlow(longest)
  for (const [name, sum] of readSums(volume)) {
    signal?.throwIfAborted()
    const at = volume.files.get(name) ?? { start: 0, end: 0 }
    const length = at.end - at.start
    const id = /^packs\/([0-9a-f]{64})\.pack$/.exec(name)?.[1] as ObjectId | undefined
    const said = id && packs.get(id)
    if (said === undefined) {
      if (hashOfFile(volume, name) !== sum) throw wrongSum(volume, name)
    } else {
      const bytes = memory.subarray(0, length)
      readExactly(volume.fd, bytes, at.start, volume.path)
      const found = createHash('sha256').update(bytes).digest('hex')
      if (found !== sum) throw wrongSum(volume, name)
      if (found !== said.sha256)
        throw wrong(volume.path, `has a "${name}" that its log does not know`)
      const table = checkPackBytes(bytes, said.id, `"${name}" in "${volume.path}"`)
      if (table.offset !== said.toc[0] || table.bytes.length !== said.toc[1]) {
        throw wrong(volume.path, `has a "${name}" whose table lies elsewhere than its log says`)
      }
      counted++
      objects += table.count
    }
    onFile(length)
  }
  return { packs: counted, objects }
}

/** An error that says something of the volume. */
function isJudgement(error: unknown): error is ArtifactsError {
  if (!(error instanceof ArtifactsError)) return false
  return error.code === 'ERR_DAMAGED' || error.code === 'ERR_REMOTE_CHANGED'
}
