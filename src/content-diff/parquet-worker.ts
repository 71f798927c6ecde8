/** The thread that reads a Parquet file: see `parquet-thread.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import { openParquet } from './parquet-file.ts'
import type { FromThread, ToThread } from './parquet-thread.ts'

const port = parentPort
if (port !== null) await serve((message) => port.postMessage(message))

async function serve(send: (message: FromThread) => void): Promise<void> {
  const { byteLength } = workerData as { byteLength: number }
  const waiting = new Map<number, (bytes: ArrayBuffer) => void>()
  let count = 0
  const slice = (start: number, end: number = byteLength): Promise<ArrayBuffer> =>
    new Promise((resolve, reject) => {
      if (!(start >= 0 && start <= end && end <= byteLength)) {
        reject(new RangeError('it names bytes that it has not'))
        return
      }
      waiting.set(++count, resolve)
      send({ kind: 'slice', id: count, start, length: end - start })
    })
  const fail = (error: unknown): void => {
    send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
  const opening = openParquet({ byteLength, slice })
  opening.then(({ columns, rows, groups }) => send({ kind: 'opened', columns, rows, groups }), fail)
  port?.on('message', (message: ToThread) => {
    if (message.kind === 'bytes') {
      waiting.get(message.id)?.(message.bytes)
      waiting.delete(message.id)
      return
    }
    opening
      .then((file) => file.read(message.column, message.group))
      .then((cells) => send({ kind: 'cells', cells }), fail)
  })
}
