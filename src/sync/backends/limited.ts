/** At most so many requests at once; a file counts until it was read. Others wait in the order in which they came. */
import type { Backend } from '../backend.ts'

export function limited(inner: Backend, atOnce: number): Backend {
  let free = atOnce
  const waiting: (() => void)[] = []

  async function enter(): Promise<void> {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
  }
  function leave(): void {
    const next = waiting.shift()
    if (next === undefined) free++
    else next()
  }
  async function inside<T>(request: () => Promise<T>): Promise<T> {
    await enter()
    try {
      return await request()
    } finally {
      leave()
    }
  }
  async function* whileInside<T>(items: AsyncIterable<T>): AsyncIterable<T> {
    try {
      yield* items
    } finally {
      leave()
    }
  }

  return {
    address: inner.address,
    async get(name, options) {
      await enter()
      try {
        const { size, bytes } = await inner.get(name, options)
        return { size, bytes: whileInside(bytes) }
      } catch (error) {
        leave()
        throw error
      }
    },
    head: (name, options) => inside(() => inner.head(name, options)),
    putIfAbsent: (name, source, options) => inside(() => inner.putIfAbsent(name, source, options)),
    put: (name, source, options) => inside(() => inner.put(name, source, options)),
    async *list(folder, options) {
      await enter()
      yield* whileInside(inner.list(folder, options))
    },
    delete: (name, options) => inside(() => inner.delete(name, options)),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
}
