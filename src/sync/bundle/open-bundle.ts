/**
 * The volumes of a bundle that are at hand, open for reading, and the bundle's log. All that is said here was checked
 * against the manifest: which volumes belong together, what lies in each, and where the log ends. What packs hold is
 * looked at by `verify.ts`, and by whoever takes objects out of them.
 */
import type { KeyObject } from 'node:crypto'
import { ArtifactsError } from '../../errors.ts'
import { decodeFormat } from '../../store/format.ts'
import { decodeOperation, MAX_LINE, type Operation, TAIL } from '../../store/log/operation.ts'
import { wrong } from '../backends/tar-index.ts'
import {
  END_NAME,
  MANIFEST_NAME,
  openVolume,
  readVolumeFile,
  SUMS_NAME,
  type Volume,
} from '../backends/tar-volume.ts'
import { FORMAT_NAME, operationName } from '../log/names.ts'
import { packName } from '../put-pack.ts'
import { decodeManifest, LONGEST_MANIFEST, type Manifest, setOf } from './manifest.ts'
import { isSignedBy, SIGNATURE_BYTES } from './signature.ts'
import { SIGNATURE_NAME } from './write-volume.ts'

const LONGEST_FORMAT = 4096

export interface BundleVolume extends Volume {
  readonly manifest: Manifest
  /** Which one of its set it is, from 1. */
  readonly i: number
  readonly signed: boolean
}

export interface Bundle extends Disposable {
  /** What the volumes have in common; its `volume` is that of the first one at hand. */
  readonly manifest: Manifest
  /** At least one; each once, in the order of their numbers. */
  readonly volumes: readonly [BundleVolume, ...BundleVolume[]]
  /** Numbers of the volumes of the set that are not at hand. */
  readonly missing: readonly number[]
  /** True when all volumes at hand are signed. */
  readonly signed: boolean
}

export interface OpenBundleOptions {
  /** Whoever may have signed it; then an unsigned one is refused. */
  readonly signers?: readonly KeyObject[] | undefined
}

/**
 * Opens the volumes of one bundle, in any order, and again.
 * @throws ArtifactsError ERR_DAMAGED for a tar that is no whole volume, or one of another set; ERR_REMOTE_CHANGED for one
 * that is not signed as it must be
 */
export function openBundle(
  paths: readonly [string, ...string[]],
  options: OpenBundleOptions = {},
): Bundle {
  const opened: BundleVolume[] = []
  const close = (): void => {
    for (const volume of opened) volume[Symbol.dispose]()
  }
  try {
    for (const path of paths) opened.push(openBundleVolume(path, options))
    const volumes = ofOneSet(opened)
    const { manifest } = volumes[0]
    const numbers = Array.from({ length: manifest.volume.of }, (_, index) => index + 1)
    const missing = numbers.filter((number) => !volumes.some(({ i }) => i === number))
    const signed = volumes.every((volume) => volume.signed)
    return { manifest, volumes, missing, signed, [Symbol.dispose]: close }
  } catch (error) {
    close()
    throw error
  }
}

/** Opens one volume. Throws as `openBundle` does. */
export function openBundleVolume(path: string, { signers }: OpenBundleOptions = {}): BundleVolume {
  const volume = openVolume(path)
  try {
    const bytes = readVolumeFile(volume, MANIFEST_NAME, LONGEST_MANIFEST)
    const manifest = decodeManifest(bytes, path)
    if (typeof manifest === 'string') throw wrong(path, manifest)
    checkSignature(volume, bytes, signers)
    checkFiles(volume, manifest)
    const signed = volume.files.has(SIGNATURE_NAME)
    return { ...volume, manifest, i: manifest.volume.i, signed }
  } catch (error) {
    volume[Symbol.dispose]()
    throw error
  }
}

/**
 * The operations of a volume's log, from the first to the one that the manifest names as the last.
 * @throws ArtifactsError ERR_DAMAGED, ERR_UNSUPPORTED for what only a later program understands
 */
export function* logOf(volume: BundleVolume): Generator<{ operation: Operation; hash: string }> {
  const { path, manifest } = volume
  const format = readVolumeFile(volume, FORMAT_NAME, LONGEST_FORMAT)
  const { id, hash: start } = decodeFormat(format.toString('utf8'), `${path}:${FORMAT_NAME}`)
  if (id !== manifest.store) throw wrong(path, 'has the log of another bundle')
  let hash = start
  for (let n = 1; n <= manifest.log.n; n++) {
    const bytes = readVolumeFile(volume, operationName(n), MAX_LINE + TAIL)
    const entry = decodeOperation(bytes, { n, prev: hash, path: `${path}:${operationName(n)}` })
    if (entry.kind === 'unknown') throw laterTool(path, entry.tool, entry.why)
    hash = entry.hash
    yield { operation: entry.operation, hash }
  }
  if (hash !== manifest.log.hash) throw wrong(path, 'has a log that ends elsewhere than it says')
}

function checkSignature(
  volume: Volume,
  manifest: Buffer,
  signers: readonly KeyObject[] | undefined,
): void {
  const { path, files } = volume
  const signature = files.has(SIGNATURE_NAME)
    ? readVolumeFile(volume, SIGNATURE_NAME, SIGNATURE_BYTES)
    : undefined
  if (signature !== undefined && signature.length !== SIGNATURE_BYTES) {
    throw wrong(path, 'has a signature that is none')
  }
  if (signers === undefined) return
  if (signature === undefined) {
    throw new ArtifactsError('ERR_REMOTE_CHANGED', `The bundle "${path}" is not signed.`, {
      hint: 'Ask who made it for one made with `artifacts bundle create --sign KEY`.',
    })
  }
  if (isSignedBy(manifest, signature, signers)) return
  throw new ArtifactsError(
    'ERR_REMOTE_CHANGED',
    `The bundle "${path}" is not signed with the key that was given, or was changed since.`,
    { hint: 'Ask who made it for it once more, and compare the keys.' },
  )
}

/** Which files there are, and in which order, follows from the manifest. */
function checkFiles({ path, files, end }: Volume, manifest: Manifest): void {
  const { volume, volumes, log, bundle } = manifest
  if (end.bundle !== bundle || end.volume !== volume.i) {
    throw wrong(path, 'ends as another volume than it begins')
  }
  // Before a list of that length is made: each operation is a file.
  if (log.n > files.size) throw wrong(path, 'has fewer operations than its manifest says')
  const packs = volumes[volume.i - 1] as Manifest['volumes'][number]
  const expected = [
    MANIFEST_NAME,
    ...(files.has(SIGNATURE_NAME) ? [SIGNATURE_NAME] : []),
    FORMAT_NAME,
    ...Array.from({ length: log.n }, (_, index) => operationName(index + 1)),
    SUMS_NAME,
    ...packs.map(packName),
    END_NAME,
  ]
  const names = [...files.keys()]
  const isAsSaid =
    names.length === expected.length && names.every((name, index) => name === expected[index])
  if (!isAsSaid) throw wrong(path, 'holds other files than its manifest says, or in another order')
}

/** Each volume once, in order. */
function ofOneSet(opened: readonly BundleVolume[]): readonly [BundleVolume, ...BundleVolume[]] {
  const [first] = opened
  if (first === undefined) throw new Error('A bundle has a volume.')
  const set = setOf(first.manifest)
  const byNumber = new Map<number, BundleVolume>()
  for (const volume of opened) {
    if (setOf(volume.manifest) !== set) {
      throw wrong(volume.path, `does not belong to the same set as "${first.path}"`)
    }
    if (!byNumber.has(volume.i)) byNumber.set(volume.i, volume)
  }
  const sorted = [...byNumber.values()].sort((a, b) => a.i - b.i)
  return sorted as [BundleVolume, ...BundleVolume[]]
}

function laterTool(path: string, tool: string, why: string): ArtifactsError {
  return new ArtifactsError(
    'ERR_UNSUPPORTED',
    `The bundle "${path}", made by "${tool}", holds ${why}, which this program does not know.`,
    { hint: `Install the version that made it, "${tool}", or a newer one.` },
  )
}
