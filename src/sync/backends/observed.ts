/**
 * Tells what goes over a backend. Around `retrying` no byte is told twice, so that progress never passes 100 %; inside of
 * it every request is told, those that failed too.
 */
import type { Backend } from '../backend.ts'
import type { Source } from '../source.ts'

export type RequestKind = 'get' | 'head' | 'putIfAbsent' | 'put' | 'list' | 'delete'

export interface Observer {
  onRequest?(kind: RequestKind, name: string): void
  /** So many bytes of a file more. */
  onSent?(bytes: number): void
  onReceived?(bytes: number): void
}

export function observed(inner: Backend, observer: Observer): Backend {
  return {
    address: inner.address,
    async get(name, options) {
      observer.onRequest?.('get', name)
      const { size, bytes } = await inner.get(name, options)
      return { size, bytes: received(bytes, observer) }
    },
    head(name, options) {
      observer.onRequest?.('head', name)
      return inner.head(name, options)
    },
    putIfAbsent(name, source, options) {
      observer.onRequest?.('putIfAbsent', name)
      return inner.putIfAbsent(name, sent(source, observer), options)
    },
    put(name, source, options) {
      observer.onRequest?.('put', name)
      return inner.put(name, sent(source, observer), options)
    },
    list(folder, options) {
      observer.onRequest?.('list', folder)
      return inner.list(folder, options)
    },
    delete(name, options) {
      observer.onRequest?.('delete', name)
      return inner.delete(name, options)
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
}

async function* received(
  bytes: AsyncIterable<Uint8Array>,
  observer: Observer,
): AsyncIterable<Uint8Array> {
  for await (const piece of bytes) {
    observer.onReceived?.(piece.length)
    yield piece
  }
}

/** A source that is gone through again tells only what is beyond the furthest byte so far. */
function sent(source: Source, observer: Observer): Source {
  let furthest = 0
  return {
    size: source.size,
    sha256: source.sha256,
    *pieces() {
      let at = 0
      for (const piece of source.pieces()) {
        yield piece
        at += piece.length
        if (at > furthest) {
          observer.onSent?.(at - furthest)
          furthest = at
        }
      }
    },
  }
}
