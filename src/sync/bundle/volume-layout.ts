/** How a bundle is cut into volumes (docs/remote.md section 9): which packs lie in which, and how long each becomes. */
import { ArtifactsError } from '../../errors.ts'
import type { PackKind } from '../../store/log/operation.ts'
import type { ObjectId } from '../../types.ts'
import { packName } from '../put-pack.ts'
import { SIGNATURE_BYTES } from './signature.ts'

const BLOCK = 512
/** Longer than any end record. */
const END_RECORD = 512
/** What a pack's id, and a volume of its own for it, take in the manifest. */
const ID_IN_MANIFEST = 72

export interface SizedPack {
  readonly id: ObjectId
  readonly kind: PackKind
  readonly bytes: number
}

/** Lengths in bytes. */
export interface FixedParts {
  /** Of a manifest that names no packs. */
  readonly manifest: number
  /** Of the other files that each volume has: names and lengths. */
  readonly files: readonly (readonly [name: string, bytes: number])[]
}

/**
 * The packs of each volume, in order: index packs first, because whoever knows these knows where all is, then metadata,
 * then data, each by id.
 * @throws ArtifactsError ERR_INVALID_VALUE when not even one pack fits into a volume
 */
export function cutIntoVolumes<P extends SizedPack>(
  packs: readonly P[],
  fixed: FixedParts,
  maxSize: number,
): readonly (readonly P[])[] {
  const ordered = packs.toSorted(inOrder)
  const overhead = fixedBytes(fixed, packs.length)
  const needed = overhead + ordered.reduce((most, pack) => Math.max(most, taken(pack)), 0)
  if (needed > maxSize) throw tooSmall(maxSize, needed)
  const volumes: P[][] = [[]]
  let bytes = overhead
  for (const pack of ordered) {
    if (bytes + taken(pack) > maxSize) {
      volumes.push([])
      bytes = overhead
    }
    volumes.at(-1)?.push(pack)
    bytes += taken(pack)
  }
  return volumes
}

/** What a pack adds to its volume. */
function taken({ id, bytes }: SizedPack): number {
  return entryBytes(bytes) + sumsLine(packName(id))
}

/** The line of a file in `SHA256SUMS`, in bytes. */
function sumsLine(name: string): number {
  return 64 + 2 + name.length + 1
}

/** A file's length in a tar, with its header. */
function entryBytes(length: number): number {
  return BLOCK + Math.ceil(length / BLOCK) * BLOCK
}

/** At most what each volume has beside packs. The same whether it is signed or not, so that signing changes no cut. */
function fixedBytes({ manifest, files }: FixedParts, packs: number): number {
  const sums = files.reduce((sum, [name]) => sum + sumsLine(name), 0)
  const others = files.reduce((sum, [, bytes]) => sum + entryBytes(bytes), 0)
  return (
    entryBytes(manifest + packs * ID_IN_MANIFEST + ID_IN_MANIFEST) +
    entryBytes(SIGNATURE_BYTES) +
    others +
    // Manifest and signature have lines too; lines of packs are counted with the packs, up to the next block here.
    entryBytes(sums + 2 * sumsLine('manifest.json') + BLOCK) +
    entryBytes(END_RECORD) +
    2 * BLOCK
  )
}

const RANK: Readonly<Record<PackKind, number>> = { index: 0, meta: 1, mixed: 1, data: 2 }

function inOrder(a: SizedPack, b: SizedPack): number {
  return RANK[a.kind] - RANK[b.kind] || (a.id < b.id ? -1 : 1)
}

function tooSmall(maxSize: number, needed: number): ArtifactsError {
  return new ArtifactsError(
    'ERR_INVALID_VALUE',
    `Volumes of ${maxSize} bytes are too small: ${needed} are needed.`,
    { hint: 'Give `--max-size` a larger value.', data: { needed } },
  )
}
