/** Standard input as a file: what cannot be read twice is kept in the store's `tmp/` until it is committed. */
import { join } from 'node:path'
import type { CommitOptions } from './commit.ts'
import { ArtifactsError } from './errors.ts'
import type { Session } from './session.ts'
import { temporaryName } from './store/layout.ts'

/**
 * Returns the path of a temporary file that holds all of it; the caller removes it.
 * @throws ArtifactsError ERR_USAGE when it is not alone or has no path in the version, and the signal's reason.
 */
export async function spoolInput(
  { opened }: Session,
  paths: readonly string[],
  { stdin, as, signal }: CommitOptions,
): Promise<string> {
  if (paths.length > 1) {
    throw new ArtifactsError('ERR_USAGE', 'Standard input can only be committed by itself.', {
      hint: 'Commit the other paths first, then it with `--incremental`.',
    })
  }
  if (stdin === undefined || as === undefined || as.endsWith('/')) {
    throw new ArtifactsError('ERR_USAGE', 'Standard input has no name of its own.', {
      hint: 'Give its path in the version: `artifacts commit - --as data.csv -n NAME`.',
    })
  }
  const { io, layout } = opened
  const path = join(layout.tmp, temporaryName())
  const fd = io.open(path, 'wx')
  try {
    for await (const bytes of untilAborted(stdin, signal)) io.writeAll(fd, bytes)
  } catch (error) {
    io.unlink(path)
    throw error
  } finally {
    io.close(fd)
  }
  return path
}

/** What comes before the signal. The program that writes may never go on, so nobody waits for it then. */
export async function* untilAborted<T>(
  pieces: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  const iterator = pieces[Symbol.asyncIterator]()
  let giveUp = (): void => {}
  const stop = (): void => giveUp()
  signal?.addEventListener('abort', stop)
  try {
    for (;;) {
      signal?.throwIfAborted()
      // A promise for each piece: a race against one that lives on would keep every piece in memory.
      const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
        giveUp = () => reject(signal?.reason)
        iterator.next().then(resolve, reject)
      })
      if (next.done === true) return
      yield next.value
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    iterator.return?.().catch(() => {})
  }
}
