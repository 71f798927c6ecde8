/**
 * Takes an operation of a push: checked, and then created as a commit here creates its own, with the same link that fails
 * where the number is taken. So pushes and local commits come between each other as two commits do, and whoever loses hears
 * of it by a 412.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ArtifactsError } from '../../errors.ts'
import { appendReceived } from '../../store/index/commit-point.ts'
import { operationPath } from '../../store/layout.ts'
import { decodeOperation, MAX_LINE, type Operation, TAIL } from '../../store/log/operation.ts'
import { announced, receive } from './bodies.ts'
import { checkOperation, type OperationCheck } from './check-operation.ts'
import type { Limits } from './limits.ts'
import { Refusal } from './refusal.ts'
import { isConditional } from './take-pack.ts'

export interface OperationTaker extends OperationCheck {
  readonly limits: Limits
  /** Operations are checked one after another. */
  readonly inTurn: <T>(step: () => Promise<T>) => Promise<T>
}

export interface Taken {
  readonly operation: Operation
  readonly hash: string
}

/** @returns `exists` where the number is taken. @throws Refusal */
export async function takeOperation(
  taker: OperationTaker,
  n: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Taken | 'exists'> {
  const { store } = taker
  // Without the condition too: no operation is ever replaced.
  isConditional(request)
  const said = announced(request, MAX_LINE + TAIL)
  if (isTaken(taker, n)) return 'exists'
  const { applied } = store.index.refresh()
  if (n > applied + 1) throw notNext(n, applied)
  const bytes = await readBody(taker, said, request, response)
  const { operation, hash } = read(bytes, n)
  return taker.inTurn(async () => {
    if (isTaken(taker, n)) return 'exists'
    const head = store.index.refresh()
    if (n > head.applied + 1) throw notNext(n, head.applied)
    if (operation.prev !== head.hash) {
      throw new Refusal(400, `The operation does not follow operation ${n - 1} of this store.`)
    }
    if ((await checkOperation(taker, operation, hash)) === 'moved') return 'exists'
    const outcome = appendReceived(store, operation)
    return outcome === 'created' ? { operation, hash } : 'exists'
  })
}

/** Who hears that a number is taken relies on that; who took it may have died before its name was durable. */
function isTaken({ store: { io, layout } }: OperationTaker, n: number): boolean {
  if (!existsSync(operationPath(layout, n))) return false
  io.fsyncDirectory(layout.log)
  return true
}

async function readBody(
  { limits }: OperationTaker,
  { length, sha256 }: { readonly length: number; readonly sha256: string },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Buffer> {
  const pieces: Buffer[] = []
  await receive(request, response, limits, (piece) => pieces.push(piece))
  const bytes = Buffer.concat(pieces)
  const isSo =
    bytes.length === length && createHash('sha256').update(bytes).digest('hex') === sha256
  if (!isSo) throw new Refusal(400, 'The body is not what X-Content-SHA256 says.')
  return bytes
}

function read(bytes: Buffer, n: number): Taken {
  try {
    const entry = decodeOperation(bytes, { n, prev: undefined, path: String(n) })
    if (entry.kind === 'operation') return entry
    throw new Refusal(400, `The operation holds ${entry.why}: this server is too old for it.`)
  } catch (error) {
    if (!(error instanceof ArtifactsError) || error.code !== 'ERR_DAMAGED') throw error
    throw new Refusal(400, error.message)
  }
}

function notNext(n: number, applied: number): Refusal {
  return new Refusal(400, `The next operation is ${applied + 1}, not ${n}.`)
}
