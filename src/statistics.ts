/** How much a store holds, and how much of that it had to store. */
import { ArtifactsError } from './errors.ts'
import { runGc } from './gc.ts'
import { nameOf, type Session } from './session.ts'
import {
  countFiles,
  countObjects,
  countPacks,
  type DiskCounts,
  type ObjectCounts,
  type PackCounts,
} from './store/statistics.ts'
import type { OperationOptions } from './types.ts'

export interface StoreStatistics {
  readonly operations: number
  /** Those with live versions. */
  readonly artifacts: number
  readonly versions: VersionCounts
  /** Files and bytes of all versions that can be read, as often as they stand in one: what copies of them would take. */
  readonly files: number
  readonly logicalBytes: number
  /** Different bytes among those, before compression. */
  readonly uniqueBytes: number
  /** The packs, with all they hold. */
  readonly storedBytes: number
  /** `logicalBytes` over `uniqueBytes`; absent in an empty store, as the others. */
  readonly dedupRatio?: number
  /** `uniqueBytes` over what they take in packs. */
  readonly compressionRatio?: number
  /** `logicalBytes` over `storedBytes`. */
  readonly ratio?: number
  readonly objects: readonly ObjectCounts[]
  readonly packs: PackCounts
  /** The `.artifacts` directory. */
  readonly disk: DiskCounts
  /** By the bytes of their versions. */
  readonly largest: readonly ArtifactSize[]
  readonly gc: Freeable
}

export interface VersionCounts {
  readonly live: number
  /** Deleted, and to be restored if wanted. */
  readonly deleted: number
  readonly purged: number
}

export interface ArtifactSize {
  readonly artifact: string
  readonly versions: number
  /** Of all live versions together. */
  readonly bytes: number
}

/** What gc would free now, and without any grace; or why it would not run. */
export type Freeable =
  | { readonly bytes: number; readonly bytesWithoutGrace: number }
  | { readonly refused: string }

const LARGEST = 10

export async function storeStatistics(
  session: Session,
  options: OperationOptions = {},
): Promise<StoreStatistics> {
  const { index, layout } = session.opened
  const objects = countObjects(index)
  const packs = countPacks(index)
  const { artifacts, versions, files, logicalBytes, largest } = countVersions(session)
  const chunks = objects.find(({ kind }) => kind === 'chunk')
  const uniqueBytes = chunks?.bytes ?? 0
  return {
    operations: index.refresh().applied,
    artifacts,
    versions,
    files,
    logicalBytes,
    uniqueBytes,
    storedBytes: packs.bytes,
    ...ratio('dedupRatio', logicalBytes, uniqueBytes),
    ...ratio('compressionRatio', uniqueBytes, chunks?.storedBytes ?? 0),
    ...ratio('ratio', logicalBytes, packs.bytes),
    objects,
    packs,
    disk: countFiles(layout),
    largest,
    gc: await freeable(session, options),
  }
}

type Counted = Pick<
  StoreStatistics,
  'artifacts' | 'versions' | 'files' | 'logicalBytes' | 'largest'
>

function countVersions(session: Session): Counted {
  const { state } = session.opened.index
  const versions = { live: 0, deleted: 0, purged: 0 }
  const sizes: ArtifactSize[] = []
  let files = 0
  let logicalBytes = 0
  for (const artifact of state.artifacts()) {
    let live = 0
    let bytes = 0
    for (const { object, deleted, purged } of state.everyVersion(artifact.id)) {
      if (purged !== undefined) {
        versions.purged++
        continue
      }
      files += object.files
      logicalBytes += object.bytes
      if (deleted !== undefined) {
        versions.deleted++
        continue
      }
      live++
      bytes += object.bytes
    }
    versions.live += live
    if (live > 0) sizes.push({ artifact: nameOf(session, artifact), versions: live, bytes })
  }
  const largest = sizes.toSorted((a, b) => b.bytes - a.bytes).slice(0, LARGEST)
  return { artifacts: sizes.length, versions, files, logicalBytes, largest }
}

async function freeable(session: Session, options: OperationOptions): Promise<Freeable> {
  try {
    const now = await runGc(session, { ...options, dryRun: true })
    const atOnce = await runGc(session, { ...options, dryRun: true, grace: '0' })
    return { bytes: now.freedBytes, bytesWithoutGrace: atOnce.freedBytes }
  } catch (error) {
    if (!(error instanceof ArtifactsError)) throw error
    return { refused: error.message }
  }
}

/** Rounded to a hundredth; nothing where there is nothing to divide by. */
function ratio<Name extends string>(
  name: Name,
  dividend: number,
  divisor: number,
): { readonly [Key in Name]?: number } {
  if (divisor === 0) return {}
  return { [name]: Math.round((dividend / divisor) * 100) / 100 } as { [Key in Name]: number }
}
