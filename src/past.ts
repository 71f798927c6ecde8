/** A store as it was after an earlier operation. It is read from today's packs, so what gc removed since is named, not read. */
import { ArtifactsError } from './errors.ts'
import { StoreReader } from './reader.ts'
import type { Session } from './session.ts'
import { readFormat } from './store/format.ts'
import { type PastState, pastState } from './store/index/past.ts'

/** An operation by its number (0: before the first), or the newest one not after a time. */
export type Moment = { readonly operation: number } | { readonly time: Date }

export class PastStore extends StoreReader implements Disposable {
  /** The operation after which the store was so. */
  readonly operation: number
  readonly #past: PastState

  /** @throws ArtifactsError ERR_NOT_FOUND for an operation that the log does not have. */
  constructor(session: Session, moment: Moment) {
    const { layout } = session.opened
    const operation = operationAt(session, moment)
    const past = pastState(layout, readFormat(layout.format), operation)
    const then: Session = { ...session, state: past.state }
    super(() => then)
    this.operation = operation
    this.#past = past
  }

  close(): void {
    this.#past[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

function operationAt({ opened }: Session, moment: Moment): number {
  const { state } = opened.index
  if ('time' in moment) return state.operationAt(moment.time.toISOString())
  const { operation } = moment
  if (operation === 0 || state.operation(operation) !== undefined) return operation
  const [newest] = state.operationsBefore(Number.MAX_SAFE_INTEGER, 1)
  throw new ArtifactsError('ERR_NOT_FOUND', `There is no operation "${operation}".`, {
    hint: `The newest is ${newest?.n ?? 0}: run \`artifacts op log\` to see them.`,
  })
}
