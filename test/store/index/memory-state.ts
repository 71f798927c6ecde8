/** A state without a store: changes folded into a database in memory. */
import { Connection } from '../../../src/store/index/connection.ts'
import { fold } from '../../../src/store/index/fold.ts'
import { SCHEMA } from '../../../src/store/index/schema.ts'
import type { StateView } from '../../../src/store/index/state.ts'
import { stateView } from '../../../src/store/index/state-view.ts'
import type { Change } from '../../../src/store/log/change.ts'
import type { CommitIntent, CommitOutcome, Plan } from '../../../src/store/log/plan.ts'
import { planCommit } from '../../../src/store/log/plan.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import type { VersionObject } from '../../../src/types.ts'
import { sampleArtifact, sampleId, sampleOperation } from '../log/samples.ts'

export interface MemoryState {
  readonly connection: Connection
  readonly state: StateView
  /** Folds changes as the next operation. */
  apply(...changes: readonly Change[]): void
  /** Plans a commit and folds what it plans. */
  commit(name: string, object: VersionObject, intent?: Partial<CommitIntent>): Plan<CommitOutcome>
}

export function memoryState(): MemoryState {
  const connection = new Connection(':memory:')
  connection.execute(SCHEMA)
  connection.run(
    'INSERT INTO store VALUES (1, ?, ?, 0, ?, ?)',
    'store',
    '',
    sampleId(0),
    sampleId(0),
  )
  const state = stateView(connection)
  let n = 0
  const apply = (...changes: readonly Change[]): void => {
    n++
    connection.write(() =>
      fold(connection, sampleOperation(n, sampleId(n - 1), changes), sampleId(n)),
    )
  }
  return {
    connection,
    state,
    apply,
    commit(name, object, intent = {}) {
      const plan = planCommit(state, sampleIntent(name, object, intent))
      if (plan.changes.length > 0) apply(...plan.changes)
      return plan
    },
  }
}

/** As no plan of this program does, but a log may. */
export function removeLatest({ state, apply }: MemoryState, name: string): void {
  const artifact = sampleArtifact(name)
  const old = state.alias(artifact, 'latest')
  if (old === undefined) throw new Error(`"${name}" has no latest`)
  apply({ kind: 'alias.remove', artifact, alias: 'latest', old })
}

export function sampleIntent(
  name: string,
  object: VersionObject,
  intent: Partial<CommitIntent> = {},
): CommitIntent {
  return {
    project: 'default',
    name,
    newArtifact: sampleArtifact(name),
    object,
    versionId: versionId(object),
    aliases: [],
    tags: [],
    reuse: 'latest',
    ...intent,
  }
}
