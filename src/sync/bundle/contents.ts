/** What a bundle holds, as a state that can be asked like a store's: its log folded into a database in memory. */
import { Connection } from '../../store/index/connection.ts'
import { fold } from '../../store/index/fold.ts'
import type { PastState } from '../../store/index/past.ts'
import { RuleError } from '../../store/index/rules.ts'
import { SCHEMA } from '../../store/index/schema.ts'
import { stateView } from '../../store/index/state-view.ts'
import type { JoiningPack } from '../../store/log/operation.ts'
import type { ObjectId } from '../../types.ts'
import { wrong } from '../backends/tar-index.ts'
import { type BundleVolume, logOf } from './open-bundle.ts'

export interface BundleState extends PastState {
  /** All packs of the set, also those of other volumes. */
  readonly packs: ReadonlyMap<ObjectId, JoiningPack>
}

/**
 * Reads the log of a volume, which is that of the whole set, and holds it to the manifest.
 * @throws ArtifactsError ERR_DAMAGED, ERR_UNSUPPORTED
 */
export function stateOf(volume: BundleVolume): BundleState {
  const { path, manifest } = volume
  const connection = new Connection(':memory:')
  const packs = new Map<ObjectId, JoiningPack>()
  const added = new Set<ObjectId>()
  try {
    connection.write(() => {
      connection.execute(SCHEMA)
      connection.run("INSERT INTO store VALUES (1, ?, '', 0, '', '')", manifest.store)
      for (const { operation, hash } of logOf(volume)) {
        for (const pack of operation.packs) {
          if (packs.has(pack.id)) throw wrong(path, `has the pack "${pack.id}" join twice`)
          packs.set(pack.id, pack)
        }
        for (const change of operation.changes) {
          if (change.kind === 'version.add') added.add(change.version)
        }
        fold(connection, operation, hash)
      }
    })
    checkPacks(volume, packs)
    checkVersions(volume, added)
  } catch (error) {
    connection.close()
    if (!(error instanceof RuleError)) throw error
    throw wrong(path, `has a log that breaks a rule: ${error.message}`)
  }
  return { state: stateView(connection), packs, [Symbol.dispose]: () => connection.close() }
}

/** The packs that the log names are those of the manifest, and as long as it says. */
function checkPacks({ path, manifest, files }: BundleVolume, packs: BundleState['packs']): void {
  const listed = manifest.volumes.flat()
  if (listed.length !== packs.size || listed.some((id) => !packs.has(id))) {
    throw wrong(path, 'holds other packs than its manifest says')
  }
  for (const [id, { bytes, sha256 }] of packs) {
    if (sha256 === undefined) throw wrong(path, `has no checksum of the pack "${id}"`)
    const at = files.get(`packs/${id}.pack`)
    if (at !== undefined && at.end - at.start !== bytes) {
      throw wrong(path, `has a pack "${id}" of another length than its log says`)
    }
  }
}

/** What the log adds is in the bundle, or the receiver must have it. */
function checkVersions({ path, manifest }: BundleVolume, added: ReadonlySet<ObjectId>): void {
  const said = new Set([...manifest.versions, ...manifest.prerequisites])
  const isAsSaid =
    manifest.versions.every((id) => added.has(id)) && [...added].every((id) => said.has(id))
  if (!isAsSaid) throw wrong(path, 'holds other versions than its manifest says')
}
