/**
 * Reads a Parquet file in a thread of its own. A few bytes of such a file can make its reader allocate or loop without
 * end; a thread can be given up, and has its own bound of memory. It asks for the bytes it needs.
 */
import { Worker } from 'node:worker_threads'
import type { ParquetColumn, ParquetFile, RowGroup } from './parquet-file.ts'
import type { Source } from './source.ts'

export type ToThread =
  | { readonly kind: 'bytes'; readonly id: number; readonly bytes: ArrayBuffer }
  | { readonly kind: 'read'; readonly column: ParquetColumn; readonly group: RowGroup }

export type FromThread =
  | { readonly kind: 'slice'; readonly id: number; readonly start: number; readonly length: number }
  | {
      readonly kind: 'opened'
      readonly columns: readonly ParquetColumn[]
      readonly rows: number
      readonly groups: readonly RowGroup[]
    }
  | { readonly kind: 'cells'; readonly cells: (string | undefined)[] }
  | { readonly kind: 'failed'; readonly message: string }

export interface ThreadOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds without a word until the thread is given up; more are given for many rows. */
  readonly patience?: number | undefined
}

const PATIENCE = 30_000
/** Rows that the slowest machine decodes in a millisecond. */
const PACE = 20
const HEAP_MIB = 1024

/**
 * @throws Error of any kind for what is no such file, ArtifactsError of the source, the signal's reason.
 */
export async function openInThread(
  source: Source,
  { signal, patience = PATIENCE }: ThreadOptions,
): Promise<ParquetFile & AsyncDisposable> {
  const worker = new Worker(new URL('./parquet-worker.js', import.meta.url), {
    workerData: { byteLength: source.size },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  })
  const stop = (): Promise<number> => worker.terminate()
  /** Sends a request and hears the thread until it answers. */
  const ask = (request: ToThread | undefined, rows: number): Promise<FromThread> =>
    new Promise<FromThread>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const wait = (): void => {
        clearTimeout(timer)
        timer = setTimeout(
          () => {
            settle(reject, new Error(`its reader came to no end in ${patience / 1000} s`))
          },
          patience + rows / PACE,
        )
      }
      const hear = (message: FromThread): void => {
        if (message.kind !== 'slice') {
          settle(resolve, message)
          return
        }
        wait()
        try {
          const bytes = Uint8Array.from(source.read(message.start, message.length)).buffer
          const reply: ToThread = { kind: 'bytes', id: message.id, bytes }
          worker.postMessage(reply, [bytes])
        } catch (error) {
          settle(reject, error)
        }
      }
      const fail = (error: unknown): void => settle(reject, error)
      const end = (): void => settle(reject, new Error('its reader ended'))
      const abort = (): void => settle(reject, signal?.reason)
      const settle = <Outcome>(how: (outcome: Outcome) => void, outcome: Outcome): void => {
        clearTimeout(timer)
        worker.off('message', hear).off('error', fail).off('exit', end)
        signal?.removeEventListener('abort', abort)
        how(outcome)
      }
      worker.on('message', hear).on('error', fail).on('exit', end)
      signal?.addEventListener('abort', abort)
      wait()
      if (signal?.aborted) abort()
      else if (request !== undefined) worker.postMessage(request)
    })
  // What a thread says when nobody asked for anything ends with it.
  worker.on('error', () => {})
  try {
    const opened = await ask(undefined, 0)
    if (opened.kind !== 'opened') throw failure(opened)
    const { columns, rows, groups } = opened
    return {
      columns,
      rows,
      groups,
      async read(column, group) {
        const message = await ask({ kind: 'read', column, group }, group.rows)
        if (message.kind !== 'cells') throw failure(message)
        return message.cells
      },
      async [Symbol.asyncDispose]() {
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function failure(message: FromThread): Error {
  return new Error(
    message.kind === 'failed' ? message.message : 'its reader answers another question',
  )
}
