/**
 * Imports a tar of so many MiB, made on the way, into a new store; prints the most memory it took, in MiB.
 *
 * usage: import-stream.js DIR MIB
 */
import { fileURLToPath } from 'node:url'
import { Store } from '../../src/index.ts'
import { seededRandom } from '../support/random.ts'
import { END, pax, rawEntry } from '../tar/raw.ts'

const MIB = 1 << 20

/** One file that is half of it, and many of 1 MiB, all different and half of each compressible. */
async function* tarOf(mib: number): AsyncGenerator<Buffer> {
  const block = seededRandom(1).bytes(MIB)
  block.fill('some text that comes again and again\n', MIB / 2)
  const piece = (index: number): Buffer => {
    block.writeUInt32LE(index, 0)
    block.writeUInt32LE(index, MIB / 2)
    return Buffer.from(block)
  }
  const large = Math.floor(mib / 2)
  yield pax({ path: 'large', size: String(large * MIB) })
  yield rawEntry({ name: 'large', size: large * MIB })
  for (let index = 0; index < large; index++) yield piece(index)
  for (let index = large; index < mib; index++) {
    yield rawEntry({ name: `small/${index}`, content: piece(index) })
  }
  yield END
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [dir = '', mib] = process.argv.slice(2)
  const { store } = await Store.init(dir)
  store.settings.set('durability', 'process')
  const { files, bytes } = await store.importTar(tarOf(Number(mib)), { name: 'x' })
  const rss = Math.round(process.resourceUsage().maxRSS / 1024)
  process.stdout.write(`${JSON.stringify({ files, bytes, rss })}\n`)
  store.close()
}
