import { suite } from 'uvu'
import type { Backend } from '../../../src/sync/backend.ts'
import { limited } from '../../../src/sync/backends/limited.ts'
import { MemoryBackend } from '../../../src/sync/backends/memory.ts'
import { observed } from '../../../src/sync/backends/observed.ts'
import { readOnly } from '../../../src/sync/backends/read-only.ts'
import { retrying } from '../../../src/sync/backends/retrying.ts'
import { singleWriter } from '../../../src/sync/backends/single-writer.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import { conformance, type Subject } from '../conformance.ts'

const test = suite('memory backend and wrappers')

conformance(test, inMemory('memory'))
conformance(
  test,
  inMemory('retrying', (inner) => retrying(inner)),
)
conformance(
  test,
  inMemory('limited', (inner) => limited(inner, 3)),
)
conformance(
  test,
  inMemory('observed', (inner) => observed(inner, {})),
)
conformance(test, { ...inMemory('read-only', readOnly), writes: false })
conformance(test, { ...inMemory('single writer', singleWriter), excludes: false })
conformance(
  test,
  inMemory('all', (inner) => observed(limited(retrying(observed(inner, {})), 4), {})),
)

test.run()

function inMemory(name: string, wrap: (inner: Backend) => Backend = (inner) => inner): Subject {
  return {
    name,
    async open(files) {
      const inner = new MemoryBackend()
      for (const [each, bytes] of Object.entries(files)) await inner.put(each, bytesSource(bytes))
      const backend = wrap(inner)
      return { backend, [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose]() }
    },
  }
}
