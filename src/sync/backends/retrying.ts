/**
 * Tries again what may pass (docs/remote.md section 2): full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter), never before the remote's `Retry-After`, up
 * to five attempts without a byte of progress. A file that broke off is read on from where it was.
 *
 * A `putIfAbsent` whose answer was lost may have made the file that the next attempt finds: its bytes tell.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ArtifactsError } from '../../errors.ts'
import type { Backend, Content, GetOptions, RequestOptions } from '../backend.ts'
import type { Source } from '../source.ts'
import { askedPause, isPassing } from './errors.ts'

export interface RetryOptions {
  readonly attempts?: number
  /** Milliseconds that the first pause has at most. */
  readonly pause?: number
}

export function retrying(inner: Backend, options: RetryOptions = {}): Backend {
  const { attempts = 5, pause = 400 } = options

  /** Throws the error, or returns when it is time to try again. */
  async function rest(error: unknown, failed: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (!isPassing(error) || failed >= attempts) throw error
    const jittered = Math.random() * pause * 2 ** (failed - 1)
    const time = Math.min(Math.max(jittered, askedPause(error)), LONGEST_PAUSE)
    await sleep(time, undefined, { signal }).catch(() => {})
    signal?.throwIfAborted()
  }

  async function persist<T>(
    signal: AbortSignal | undefined,
    attempt: (failed: number) => Promise<T>,
  ): Promise<T> {
    for (let failed = 0; ; ) {
      try {
        return await attempt(failed)
      } catch (error) {
        await rest(error, ++failed, signal)
      }
    }
  }

  async function* readOn(
    name: string,
    { range, signal }: GetOptions,
    first: Content,
  ): AsyncIterable<Uint8Array> {
    const start = range?.start ?? 0
    let content = first
    let done = 0
    for (let failed = 0; done < first.size; ) {
      try {
        for await (const piece of content.bytes) {
          done += piece.length
          failed = 0
          yield piece
        }
        return
      } catch (error) {
        await rest(error, ++failed, signal)
      }
      if (done === first.size) return
      const left = { start: start + done, end: start + first.size }
      content = await persist(signal, () => inner.get(name, { range: left, signal }))
    }
  }

  return {
    address: inner.address,
    async get(name, given = {}) {
      const first = await persist(given.signal, () => inner.get(name, given))
      return {
        size: first.size,
        bytes: first.size === 0 ? first.bytes : readOn(name, given, first),
      }
    },
    head: (name, given) => persist(given?.signal, () => inner.head(name, given)),
    putIfAbsent: (name, source, given) =>
      persist(given?.signal, async (failed) => {
        const answer = await inner.putIfAbsent(name, source, given)
        if (answer === 'created' || failed === 0) return answer
        return (await holds(inner, name, source, given)) ? 'created' : 'exists'
      }),
    put: (name, source, given) => persist(given?.signal, () => inner.put(name, source, given)),
    async *list(folder, given = {}) {
      let { after } = given
      for (let failed = 0; ; ) {
        try {
          for await (const file of inner.list(folder, { ...given, after })) {
            after = file.name
            failed = 0
            yield file
          }
          return
        } catch (error) {
          await rest(error, ++failed, given.signal)
        }
      }
    },
    delete: (name, given) => persist(given?.signal, () => inner.delete(name, given)),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
}

const LONGEST_PAUSE = 30_000
/** Operations are never larger. Of a larger file it does not matter who made it: its name is the hash of what is in it. */
const COMPARED = 17 * 2 ** 20

async function holds(
  inner: Backend,
  name: string,
  source: Source,
  options?: RequestOptions,
): Promise<boolean> {
  if (source.size > COMPARED) return false
  try {
    const { size, bytes } = await inner.get(name, options)
    const hash = createHash('sha256')
    for await (const piece of bytes) {
      if (size !== source.size) return false
      hash.update(piece)
    }
    return hash.digest('hex') === source.sha256
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_NOT_FOUND') return false
    throw error
  }
}
