/** The worker thread: an engine behind a message port. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { ArtifactsError } from '../../errors.ts'
import { Engine, type EngineOptions, loadEngine } from './engine.ts'
import { IdSet } from './id-set.ts'
import type { Job, JobResult, WrittenPack } from './protocol.ts'

export interface WorkerData extends Pick<EngineOptions, 'root' | 'durability'> {
  /** Ids of dropped packs, 32 bytes each. */
  readonly dropped: Uint8Array
  /** Set to 1 to give up what is under way. */
  readonly cancel: ArrayBufferLike
}

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
  const { root, durability, dropped, cancel } = workerData as WorkerData
  const cancelled = new Int32Array(cancel)
  await loadEngine()
  const engine = new Engine(
    { root, durability, isDropped: droppedTest(dropped) },
    () => Atomics.load(cancelled, 0) === 1,
  )
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

function droppedTest(dropped: Uint8Array): (id: string) => boolean {
  const ids = new IdSet(Number.POSITIVE_INFINITY)
  for (let at = 0; at < dropped.length; at += 32) ids.add(dropped, at)
  return (id) => ids.has(Buffer.from(id, 'hex'), 0)
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
