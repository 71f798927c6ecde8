/** What changes when a run logs a version that is there. */
import type { ObjectId } from '../../types.ts'
import type { StateView } from '../index/state.ts'
import type { Plan } from './plan.ts'
import { planAliases } from './plan-aliases.ts'
import { requireRun } from './plan-run.ts'

export interface LogAgainIntent {
  readonly run: string
  readonly slot: string
  readonly version: ObjectId
  /** The artifact as messages call it. */
  readonly name: string
  readonly aliases: readonly string[]
}

/** Plans that a run logs a version that is there; what it logged already under that name is not said twice. */
export function planLogAgain(state: StateView, intent: LogAgainIntent): Plan<void> {
  const { run, slot, version, name, aliases } = intent
  requireRun(state, run)
  const moves = planAliases(state, { version, name, aliases, mode: 'add' })
  const isSaid = state.hasEdge({ run, slot, version, direction: 'output' })
  const edge = { kind: 'run.logs', run, slot, version, deduplicated: true } as const
  return { changes: isSaid ? moves.changes : [edge, ...moves.changes], outcome: undefined }
}
