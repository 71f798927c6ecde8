/** Commits to a store as one of several processes; prints the operation and the number of each version. */
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { sampleObject } from '../log/samples.ts'
import { commitTo, storeIn, writePack } from './temporary-store.ts'

const [root = '', name = '', count = '', self = ''] = process.argv.slice(2)
await loadHashes()
const store = storeIn(root)
using index = store.open()
const done: unknown[] = []
for (let i = 0; i < Number(count); i++) {
  const { pack } = await writePack(store)
  const object = sampleObject(`${self} ${i}`)
  const { operation, outcome } = await commitTo(store, index, name, object, { packs: [pack] })
  if (outcome.kind !== 'created') throw new Error(outcome.kind)
  done.push({ operation, number: outcome.number, version: outcome.version })
}
process.stdout.write(JSON.stringify(done))
