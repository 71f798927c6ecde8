/** Taking back what an operation did. Directories are never touched. */
import { ArtifactsError } from './errors.ts'
import { write } from './labels.ts'
import { findOperation, laterOperation, operationDetails } from './operations.ts'
import type { Session } from './session.ts'
import type { Change } from './store/log/change.ts'
import { type Slot, touches } from './store/log/effects.ts'
import { planUndo, type UndoOutcome } from './store/log/plan-undo.ts'
import { removedByGc } from './store/log/targets.ts'
import { describeChange, describeSlot, refOfId, storeName, summarize } from './wording.ts'

export interface UndoReport {
  /** The operation that was undone, and what it had done. */
  readonly undone: number
  readonly summary: string
  /** What was done to undo it, in words. */
  readonly words: readonly string[]
  /** The operation that was written; undoing it does again what was undone. */
  readonly operation: number
}

/**
 * Undoes an operation; by default the newest of this user on this host that is no undoing and not undone itself.
 * @throws ArtifactsError ERR_NOT_FOUND where there is none or gc has removed a version it needs; ERR_CONFLICT where a
 * later operation has changed what this one set.
 */
export async function undoOperation(session: Session, n?: number): Promise<UndoReport> {
  const number = n ?? newestUndoable(session)
  const { operation: found } = findOperation(session, number)
  const intent = { operation: number, undone: found.changes }
  const { outcome, operation } = await write(session, (state) => planUndo(state, intent))
  if (outcome.kind !== 'undone' || operation.operation === undefined) {
    throw refusal(session, { number, changes: found.changes }, outcome)
  }
  return {
    undone: number,
    summary: summarize(session, found.changes),
    words: outcome.changes.map((change) => describeChange(session, change)),
    operation: operation.operation,
  }
}

function newestUndoable({ opened }: Session): number {
  const { user, host } = opened.by
  const row = opened.index.state.newestUndoable(user, host)
  if (row !== undefined) return row.n
  throw new ArtifactsError(
    'ERR_NOT_FOUND',
    `There is no operation of "${user}" on "${host}" to undo.`,
    { hint: 'Run `artifacts op log` to see all, and name one: `artifacts undo N`.' },
  )
}

interface Refused {
  readonly number: number
  readonly changes: readonly Change[]
}

function refusal(session: Session, { number, changes }: Refused, outcome: UndoOutcome): Error {
  switch (outcome.kind) {
    case 'undone':
      return new Error(`Undoing operation ${number} wrote nothing.`)
    case 'already':
      return new ArtifactsError(
        'ERR_CONFLICT',
        `Operation ${number} is undone already, by operation ${outcome.by}.`,
        {
          hint: `To do it again, undo that: \`artifacts undo ${outcome.by}\`.`,
          data: { operation: number, later: outcome.by },
        },
      )
    case 'final':
      return new ArtifactsError('ERR_CONFLICT', whyFinal(session, number, changes), {
        hint: `Run \`artifacts op show ${number}\` to see what it did.`,
        data: { operation: number },
      })
    case 'purged':
      return removedByGc(refOfId(session, outcome.slot.version))
    case 'conflict':
      return conflict(session, number, outcome.slot)
  }
}

function whyFinal(session: Session, number: number, changes: readonly Change[]): string {
  const pull = changes.find((change) => change.kind === 'pull')
  if (pull !== undefined) {
    const from = storeName(session, pull.store)
    return `Operation ${number} is a pull: what it brought is so in "${from}", and would come again with the next.`
  }
  return changes.some(({ kind }) => kind === 'packs.drop' || kind === 'version.purge')
    ? `Operation ${number} only removed bytes that nothing needed: nothing brings them back.`
    : `Operation ${number} only says what has happened: that stays true.`
}

function conflict(session: Session, number: number, slot: Slot): ArtifactsError {
  const later = laterOperation(session, number, (change) => touches(change, slot))
  if (later === undefined) {
    throw new Error(`Operation ${number} did not set ${describeSlot(session, slot)}.`)
  }
  const { summary } = operationDetails(session, later.n)
  return new ArtifactsError(
    'ERR_CONFLICT',
    `Operation ${number} cannot be undone: operation ${later.n} (${summary}) has changed ${describeSlot(session, slot)} since.`,
    {
      hint: later.final
        ? `Operation ${later.n} can't be undone: \`artifacts op show ${number}\` says what to set.`
        : `Undo that one first: \`artifacts undo ${later.n}\`.`,
      data: { operation: number, later: later.n },
    },
  )
}
