/** The suite of all backends over a server. What it puts is looked at there, so any bytes go where probes go. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import { encodeOperation } from '../../../src/store/log/operation.ts'
import type { Backend } from '../../../src/sync/backend.ts'
import { limited } from '../../../src/sync/backends/limited.ts'
import { observed } from '../../../src/sync/backends/observed.ts'
import { retrying } from '../../../src/sync/backends/retrying.ts'
import { operationName } from '../../../src/sync/log/names.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import { type Contenders, conformance, type Opened, type Subject } from '../conformance.ts'
import { following, servedStore, serveRoot, sourceStore } from './serving.ts'

const test = suite('serve, conformance')

conformance(test, served('serve'))
conformance(test, served('serve, wrapped', wrap))
conformance(test, { ...served('serve, read-only', wrap, true), writes: false })

test.run()

function served(
  name: string,
  wrapped: (inner: Backend) => Backend = (inner) => inner,
  readOnly = false,
): Subject {
  return {
    name,
    async open(files) {
      const all = await servedStore()
      const probes = Object.entries(files).filter(([file]) => file.startsWith('probe/'))
      for (const [file, bytes] of probes) await all.backend.put(file, bytesSource(bytes))
      for (const [file, bytes] of Object.entries(files)) {
        const path = join(all.root, file)
        if (file.startsWith('probe/')) continue
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, bytes)
      }
      const reading = readOnly ? await serveRoot(all.root, { readOnly }) : undefined
      return {
        backend: wrapped(reading?.backend ?? all.backend),
        async [Symbol.asyncDispose]() {
          await reading?.backend[Symbol.asyncDispose]()
          await reading?.stop()
          await all[Symbol.asyncDispose]()
        },
      }
    },
    free: {
      names: ['0', '1', '2'].map((digit) => `probe/${digit.repeat(32)}`),
      most: 65_536,
      contenders,
    },
  }
}

/** Operations of which each would be right, and one can be. */
async function contenders({ backend }: Opened, round: number): Promise<Contenders> {
  await using source = await sourceStore()
  await source.store.startRun({ id: `round-${round}` })
  const { operation } = source.push(1)
  const next = await following(backend, operation)
  const bodies = Array.from(
    { length: 12 },
    () => encodeOperation({ ...next, nonce: randomBytes(16).toString('hex') }).bytes,
  )
  return { name: operationName(next.n), bodies }
}

function wrap(inner: Backend): Backend {
  return observed(limited(retrying(inner, { pause: 5 }), 8), {})
}
