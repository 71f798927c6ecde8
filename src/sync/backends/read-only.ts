/** A remote that nothing here may change. */
import type { Backend } from '../backend.ts'
import { takesNoFiles } from './errors.ts'

export function readOnly(inner: Backend): Backend {
  const refuse = async (): Promise<never> => {
    throw takesNoFiles(inner.address)
  }
  return {
    address: inner.address,
    get: (name, options) => inner.get(name, options),
    head: (name, options) => inner.head(name, options),
    list: (folder, options) => inner.list(folder, options),
    putIfAbsent: refuse,
    put: refuse,
    delete: refuse,
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
}
