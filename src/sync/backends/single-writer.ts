/**
 * Writes to a remote that can't make a file only where there is none: by looking first. Nothing keeps two that do so from
 * overwriting each other; the owner of the remote has promised that there is one.
 */
import type { Backend } from '../backend.ts'

export function singleWriter(inner: Backend): Backend {
  return {
    address: inner.address,
    get: (name, options) => inner.get(name, options),
    head: (name, options) => inner.head(name, options),
    async putIfAbsent(name, source, options) {
      if ((await inner.head(name, options)) !== undefined) return 'exists'
      await inner.put(name, source, options)
      return 'created'
    },
    put: (name, source, options) => inner.put(name, source, options),
    list: (folder, options) => inner.list(folder, options),
    delete: (name, options) => inner.delete(name, options),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
}
