/** What is in a bundle, by names: told by any one of its volumes. */
import { loadHashes } from '../../store/object/checksum.ts'
import type { ObjectId } from '../../types.ts'
import { stateOf } from './contents.ts'
import type { StorePosition } from './manifest.ts'
import { openBundle } from './open-bundle.ts'

export interface ListedBundle {
  readonly bundle: string
  /** The store it was made from, as it was. */
  readonly from: StorePosition
  readonly tool: string
  readonly signed: boolean
  /** How many volumes the set has. */
  readonly of: number
  /** Numbers of volumes of the set that were not given. */
  readonly missing: readonly number[]
  /** Bytes of all packs of the set. */
  readonly bytes: number
  /** What it brings, by name and number. */
  readonly versions: readonly ListedVersion[]
  /** What the receiver must have. */
  readonly prerequisites: readonly ListedPrerequisite[]
}

export interface ListedVersion {
  /** `project/name:vN` */
  readonly ref: string
  readonly type: string
  readonly id: ObjectId
  readonly digest: ObjectId
  readonly files: number
  /** Of its files. */
  readonly bytes: number
  readonly createdAt: string
  readonly aliases: readonly string[]
}

export interface ListedPrerequisite {
  readonly id: ObjectId
  /** Where the bundle says what it is called. */
  readonly ref?: string
}

/** Needs no store. @throws ArtifactsError as `openBundle` does */
export async function listBundle(paths: readonly [string, ...string[]]): Promise<ListedBundle> {
  await loadHashes()
  using bundle = openBundle(paths)
  using contents = stateOf(bundle.volumes[0])
  const { manifest, missing, signed } = bundle
  const { state, packs } = contents
  const refs = new Map<ObjectId, string>()
  const versions: ListedVersion[] = []
  const brought = new Set(manifest.versions)
  for (const artifact of state.artifacts()) {
    const { project, name, type } = artifact
    for (const { id, number, object } of state.everyVersion(artifact.id)) {
      const ref = `${project}/${name}:v${number}`
      refs.set(id, ref)
      if (!brought.has(id)) continue
      const { files, bytes, createdAt, root: digest } = object
      const aliases = state.aliasesOf(id)
      versions.push({ ref, type, id, digest, files, bytes, createdAt, aliases })
    }
  }
  const prerequisites = manifest.prerequisites.map((id) => {
    const ref = refs.get(id)
    return ref === undefined ? { id } : { id, ref }
  })
  const { bundle: id, from, tool, volume } = manifest
  const bytes = [...packs.values()].reduce((sum, pack) => sum + pack.bytes, 0)
  return {
    bundle: id,
    from,
    tool,
    signed,
    of: volume.of,
    missing,
    bytes,
    versions,
    prerequisites,
  }
}
