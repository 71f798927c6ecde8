/**
 * Runs jobs in worker threads, or right here when the work is small: starting a thread costs some 40 ms, reading a
 * hundred small files does not.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { ArtifactsError, type ErrorCode, EXIT_CODES } from '../../errors.ts'
import { Engine, type EngineOptions } from './engine.ts'
import {
  type Job,
  type JobResult,
  type MetaObject,
  type Packed,
  SLOTS,
  type WrittenPack,
} from './protocol.ts'
import type { FromWorker, ToWorker, WireError, WorkerData } from './worker.ts'

/** Memory is bounded by this: a reader holds 3 slots of 4 MiB, a pack buffer and scratch space. */
const MAX_WORKERS = 4

export type ResultOf<J extends Job> = Extract<JobResult, { kind: J['kind'] }>

export interface PoolOptions extends EngineOptions {
  /** Says which chunks are to be stored: one flag for each id (32 bytes each). */
  readonly decide: (ids: Uint8Array, lengths: Uint32Array) => Uint8Array
  /** The ids of all packs that the log has dropped, 32 bytes each: threads cannot ask for each. */
  readonly droppedIds?: () => Uint8Array
}

export interface Pool {
  /** Resolves when the job is read or written; a chunk that has to be stored may be on its way still. */
  run<J extends Job>(job: J): Promise<ResultOf<J>>
  /**
   * Stores what is on its way, ends all packs and makes them durable. `beside` is put into the pack of the chunks where
   * all of it together is small.
   */
  finish(beside: readonly MetaObject[]): Promise<Packed>
  /** Ends the threads. Packs that were not finished are removed. */
  close(): Promise<void>
}

/** The number of threads for `jobs` as given by a person; undefined means as many as there are cores. */
export function workerCount(jobs: number | undefined): number {
  return Math.min(jobs ?? availableParallelism(), MAX_WORKERS)
}

export function inlinePool(options: PoolOptions): Pool {
  const engine = new Engine(options, () => false)
  let count = 0
  return {
    run<J extends Job>(job: J): Promise<ResultOf<J>> {
      const id = count++
      try {
        const result = engine.run(id, job)
        if (engine.holds(id)) engine.store(id, options.decide(...chunksOf(result)))
        return Promise.resolve(result as ResultOf<J>)
      } catch (error) {
        return Promise.reject(error)
      }
    },
    finish: (beside) => engine.finish(beside),
    close: () => {
      engine.abort()
      return Promise.resolve()
    },
  }
}

export function workerPool(options: PoolOptions, threads: number): Pool {
  return new Workers(options, threads)
}

interface Task {
  readonly job: Job
  readonly resolve: (result: never) => void
  readonly reject: (error: unknown) => void
}

interface Thread {
  readonly worker: Worker
  /** Jobs this thread has and has not fully done, stored chunks included. */
  readonly tasks: Map<number, Task>
  finished: ((packs: readonly WrittenPack[]) => void) | undefined
  /** It may end by itself, long before somebody closes it. */
  readonly ended: Promise<unknown>
}

class Workers implements Pool {
  readonly #options: PoolOptions
  readonly #threads: readonly Thread[]
  readonly #queue: Task[] = []
  readonly #cancel = new Int32Array(new SharedArrayBuffer(4))
  #count = 0
  #failure: Error | undefined
  #idle: (() => void)[] = []

  constructor(options: PoolOptions, threads: number) {
    this.#options = options
    const { root, durability } = options
    const dropped = options.droppedIds?.() ?? new Uint8Array()
    this.#threads = Array.from({ length: threads }, () => {
      const worker = new Worker(new URL('./worker.js', import.meta.url), {
        workerData: { root, durability, dropped, cancel: this.#cancel.buffer } satisfies WorkerData,
        resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 48 },
        stdout: false,
        stderr: false,
      })
      const ended = new Promise((resolve) => worker.once('exit', resolve))
      const thread: Thread = { worker, tasks: new Map(), finished: undefined, ended }
      worker.on('message', (message: FromWorker) => this.#receive(thread, message))
      worker.on('error', (error) => this.#fail(error))
      worker.on('exit', (code) => {
        if (code !== 0) this.#fail(new Error(`A worker thread ended with code ${code}.`))
      })
      return thread
    })
  }

  run<J extends Job>(job: J): Promise<ResultOf<J>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      this.#queue.push({ job, resolve: resolve as (result: never) => void, reject })
      this.#dispatch()
    })
  }

  async finish(): Promise<Packed> {
    if (this.#queue.length > 0 || this.#threads.some((thread) => thread.tasks.size > 0)) {
      await new Promise<void>((resolve) => this.#idle.push(resolve))
    }
    if (this.#failure !== undefined) throw this.#failure
    const packs = await Promise.all(
      this.#threads.map(
        (thread) =>
          new Promise<readonly WrittenPack[]>((resolve, reject) => {
            thread.finished = resolve
            this.#idle.push(() => this.#failure !== undefined && reject(this.#failure))
            send(thread, { type: 'finish' })
          }),
      ),
    )
    this.#idle = []
    return { packs: packs.flat(), mixed: false }
  }

  async close(): Promise<void> {
    Atomics.store(this.#cancel, 0, 1)
    this.#failure ??= new Error('The pool is closed.')
    for (const thread of this.#threads) send(thread, { type: 'close' })
    await Promise.all(this.#threads.map(({ ended }) => ended))
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#threads.reduce((least, other) =>
        other.tasks.size < least.tasks.size ? other : least,
      )
      if (thread.tasks.size >= SLOTS) return
      const task = this.#queue.shift() as Task
      const id = this.#count++
      thread.tasks.set(id, task)
      send(thread, { type: 'job', id, job: task.job })
    }
  }

  #receive(thread: Thread, message: FromWorker): void {
    switch (message.type) {
      case 'result': {
        const task = thread.tasks.get(message.id)
        // Another thread has failed, and with it everything that was under way.
        if (task === undefined) return
        if (message.holds) {
          try {
            const isNew = this.#options.decide(...chunksOf(message.result))
            send(thread, { type: 'store', id: message.id, isNew })
          } catch (error) {
            this.#fail(error)
            return
          }
        }
        task.resolve(message.result as never)
        if (!message.holds) this.#done(thread, message.id)
        return
      }
      case 'stored':
        this.#done(thread, message.id)
        return
      case 'finished':
        thread.finished?.(message.packs)
        return
      case 'error':
        this.#fail(errorFromWire(message.error))
        return
      default:
        message satisfies never
    }
  }

  #done(thread: Thread, id: number): void {
    thread.tasks.delete(id)
    this.#dispatch()
    if (this.#threads.every((other) => other.tasks.size === 0)) this.#wake()
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = error instanceof Error ? error : new Error(String(error))
    Atomics.store(this.#cancel, 0, 1)
    for (const task of this.#queue.splice(0)) task.reject(this.#failure)
    for (const thread of this.#threads) {
      for (const task of thread.tasks.values()) task.reject(this.#failure)
      thread.tasks.clear()
    }
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}

function send(thread: Thread, message: ToWorker): void {
  thread.worker.postMessage(message)
}

function chunksOf(result: JobResult): [ids: Uint8Array, lengths: Uint32Array] {
  if (result.kind === 'files' || result.kind === 'chunks') return [result.ids, result.lengths]
  throw new Error(`A ${result.kind} job holds no chunks.`)
}

function errorFromWire(error: WireError): Error {
  if (error.code !== undefined && error.code in EXIT_CODES) {
    return new ArtifactsError(error.code as ErrorCode, error.message, { hint: error.hint })
  }
  const made: NodeJS.ErrnoException = Object.assign(new Error(error.message), error.call)
  if (error.code !== undefined) made.code = error.code
  if (error.stack !== undefined) made.stack = error.stack
  return made
}
