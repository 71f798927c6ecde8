/** The worker thread: an engine behind a message port. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { ArtifactsError } from '../../errors.ts'
import { Engine, type EngineOptions, loadEngine } from './engine.ts'
import type { Job, JobResult, WrittenPack } from './protocol.ts'

export type ToWorker =
  | { readonly type: 'job'; readonly id: number; readonly job: Job }
  | { readonly type: 'store'; readonly id: number; readonly isNew: Uint8Array }
  | { readonly type: 'finish' }
  | { readonly type: 'close' }
export type FromWorker =
  | {
      readonly type: 'result'
      readonly id: number
      readonly result: JobResult
      readonly holds: boolean
    }
  | { readonly type: 'stored'; readonly id: number }
  | { readonly type: 'finished'; readonly packs: readonly WrittenPack[] }
  | { readonly type: 'error'; readonly error: WireError }
/** An error as it crosses threads: cloning one loses its code. */
export interface WireError {
  readonly message: string
  readonly code: string | undefined
  readonly hint: string | undefined
  readonly stack: string | undefined
  /** Of a system call that failed. */
  readonly call: Pick<NodeJS.ErrnoException, 'errno' | 'syscall' | 'path'>
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort
  const data = workerData as EngineOptions & { readonly cancel: SharedArrayBuffer }
  const cancel = new Int32Array(data.cancel)
  await loadEngine()
  const engine = new Engine(data, () => Atomics.load(cancel, 0) === 1)
  let isClosed = false
  port.on('message', (message: ToWorker) => {
    // Messages that were on their way when the port closed still come in.
    if (isClosed) return
    isClosed = message.type === 'close'
    handle(engine, message, (answer) => port.postMessage(answer)).catch((error: unknown) => {
      port.postMessage({ type: 'error', error: errorToWire(error) } satisfies FromWorker)
    })
  })
}

async function handle(
  engine: Engine,
  message: ToWorker,
  answer: (message: FromWorker) => void,
): Promise<void> {
  switch (message.type) {
    case 'job': {
      const result = engine.run(message.id, message.job)
      answer({ type: 'result', id: message.id, result, holds: engine.holds(message.id) })
      return
    }
    case 'store':
      engine.store(message.id, message.isNew)
      answer({ type: 'stored', id: message.id })
      return
    case 'finish':
      answer({ type: 'finished', packs: (await engine.finish([])).packs })
      return
    case 'close':
      engine.abort()
      parentPort?.close()
      return
    default:
      message satisfies never
  }
}

function errorToWire(error: unknown): WireError {
  const { message, code, stack, errno, syscall, path } = error as NodeJS.ErrnoException
  const hint = error instanceof ArtifactsError ? error.hint : undefined
  const call = {
    ...(errno === undefined ? {} : { errno }),
    ...(syscall === undefined ? {} : { syscall }),
    ...(path === undefined ? {} : { path }),
  }
  return { message, code, hint, stack, call }
}
