/** What a bundle holds, as a state that can be asked like a store's: its log folded into a database in memory. */
import { RuleError } from '../../store/index/rules.ts'
import type { JoiningPack } from '../../store/log/operation.ts'
import type { Closure } from '../../store/log/sync-change.ts'
import type { ObjectId } from '../../types.ts'
import { wrong } from '../backends/tar-index.ts'
import { type BundleVolume, logOf } from './open-bundle.ts'
import { type FoldedState, foldedState } from './state.ts'

export interface BundleState extends FoldedState {
  /** All packs of the set, also those of other volumes. */
  readonly packs: ReadonlyMap<ObjectId, JoiningPack>
  /** In which packs of the set each version lies that it brings. */
  readonly closures: ReadonlyMap<ObjectId, Closure>
}

/**
 * Reads the log of a volume, which is that of the whole set, and holds it to the manifest.
 * @throws ArtifactsError ERR_DAMAGED, ERR_UNSUPPORTED
 */
export function stateOf(volume: BundleVolume): BundleState {
  const { path, manifest } = volume
  const packs = new Map<ObjectId, JoiningPack>()
  const closures = new Map<ObjectId, Closure>()
  const added: ObjectId[] = []
  const state = folded()
  try {
    checkPacks(volume, packs)
    if (added.sort().join() !== manifest.versions.join()) {
      throw wrong(path, 'holds other versions than its manifest says')
    }
    const isPlaced = added.every((id) => closures.get(id)?.packs.every((pack) => packs.has(pack)))
    if (!isPlaced) throw wrong(path, 'does not say in which of its packs a version lies')
  } catch (error) {
    state[Symbol.dispose]()
    throw error
  }
  return { ...state, packs, closures }

  function folded(): FoldedState {
    try {
      return foldedState(manifest.store, operations())
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      throw wrong(path, `has a log that breaks a rule: ${error.message}`)
    }
  }

  function* operations(): ReturnType<typeof logOf> {
    for (const entry of logOf(volume)) {
      for (const pack of entry.operation.packs) {
        if (packs.has(pack.id)) throw wrong(path, `has the pack "${pack.id}" join twice`)
        packs.set(pack.id, pack)
      }
      for (const change of entry.operation.changes) {
        if (change.kind !== 'version.add' || change.partial === true) continue
        added.push(change.version)
        if (change.closure !== undefined) closures.set(change.version, change.closure)
      }
      yield entry
    }
  }
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
