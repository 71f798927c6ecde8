import type { Store, StoreReader } from '../../index.ts'
import { AT_FLAGS, asOf } from '../at.ts'
import { type Command, type Context, defineCommand } from '../command.ts'

export const cat: Command = defineCommand({
  flags: AT_FLAGS,
  takes: [2, 2],
  ends: [12, 13, 20, 21, 22],
  completes: 'first-ref',
  details: [
    'The bytes are checked as they are read; those of a reference are read from its source, and known to be what was recorded when all of them have come. --json changes nothing but errors.',
  ],
  examples: [['artifacts cat bike:v3 data.csv | head', 'Look into a file']],

  async run({ values, positionals: [ref = '', path = ''] }, context) {
    const store = await context.store()
    const view = asOf(store, values)
    const [first] = view.entries(ref, { prefix: path })
    const version = view.version(ref)
    const isElsewhere = first?.kind === 'reference' || version.partial === true
    if (first?.path !== path || !isElsewhere) return { bytes: view.read(ref, path) }
    return { bytes: await fetchedBytes(store, version, path, context) }
  },
})

/** Of a reference, or of a version that came without its bytes. */
async function fetchedBytes(
  store: Store,
  { id }: ReturnType<StoreReader['version']>,
  path: string,
  { operation: { signal } }: Context,
): Promise<AsyncIterable<Uint8Array>> {
  const version = await store.artifact(`@${id}`)
  const entry = await version.entry(path)
  return entry.read({ signal })
}
