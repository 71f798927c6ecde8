/**
 * A pool that decides late whether threads are worth their start: jobs wait until they add up to enough work, or until
 * somebody waits for a result.
 */
import { inlinePool, type Pool, type PoolOptions, type ResultOf, workerPool } from './pool.ts'
import type { Job, MetaObject, Packed } from './protocol.ts'

/** Work that pays for starting threads (about 50 ms), in bytes; opening a file counts as so many. */
const WORTH_THREADS = 16 << 20
const FILE_COST = 16 << 10

export interface LazyPool extends Pool {
  /**
   * Waits for a result. Until it is there every job starts at once: one job's answer may be what asks for the next, and
   * nobody else would start that.
   */
  wait<T>(result: Promise<T>): Promise<T>
}

/** @param threads 0 means: never start any. */
export function lazyPool(options: PoolOptions, threads: number): LazyPool {
  let inline: Pool | undefined
  let workers: Pool | undefined
  let backlog: (() => void)[] = []
  let cost = 0
  let waiters = 0
  let isClosed = false

  const settle = (): void => {
    const waiting = backlog
    backlog = []
    for (const start of waiting) start()
  }
  const pool = (): Pool => {
    if (workers !== undefined) return workers
    inline ??= inlinePool(options)
    return inline
  }
  return {
    async wait<T>(result: Promise<T>): Promise<T> {
      waiters++
      settle()
      try {
        return await result
      } finally {
        waiters--
      }
    },
    run<J extends Job>(job: J): Promise<ResultOf<J>> {
      // Who slept through the end must not start threads that nobody will close.
      if (isClosed) return Promise.reject(new Error('The pool is closed.'))
      cost += costOf(job)
      if (threads > 0 && cost > WORTH_THREADS && workers === undefined) {
        workers = workerPool(options, threads)
        settle()
      }
      if (workers !== undefined || waiters > 0) return pool().run(job)
      return new Promise((resolve, reject) => {
        backlog.push(() => pool().run(job).then(resolve, reject))
      })
    },
    async finish(beside: readonly MetaObject[]): Promise<Packed> {
      settle()
      const alone = workers === undefined ? beside : []
      const first = inline === undefined && workers !== undefined ? undefined : pool()
      if (workers === undefined) return (first as Pool).finish(alone)
      const packs = [...(await workers.finish([])).packs]
      if (inline !== undefined) packs.push(...(await inline.finish([])).packs)
      return { packs, mixed: false }
    },
    async close(): Promise<void> {
      isClosed = true
      backlog = []
      await inline?.close()
      await workers?.close()
    },
  }
}

function costOf(job: Job): number {
  switch (job.kind) {
    case 'files': {
      let bytes = job.paths.length * FILE_COST
      for (let at = 0; at < job.stats.length; at += 4) bytes += job.stats[at] as number
      return bytes
    }
    case 'scan':
      return job.to - job.from
    case 'chunks':
      return (job.cuts.at(-1) as number) - (job.cuts[0] as number)
    case 'digest':
      return job.stat.size
    case 'pack':
      return (job.bytes ?? 0) / (job.data || job.sha256 === true ? 1 : 64)
    default: {
      let bytes = job.records.raw.length * 512
      for (const raw of job.records.raw) bytes += raw
      return job.kind === 'extract' ? bytes + job.paths.length * FILE_COST : bytes
    }
  }
}
