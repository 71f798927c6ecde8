/**
 * Keeps changing a file until it is killed. Each generation of the content is one byte over and over, so that a mixture
 * of two is seen. Tells at the end of its input how long its longest single write took, ms.
 *
 * - `rewrite`: one call writes the whole generation over the one before
 * - `replace`: a new file with the generation is renamed over
 * - `append`: the file grows by 1,000 bytes of a generation with each call
 */
import { closeSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { seededRandom } from '../../support/random.ts'

export type Manner = 'rewrite' | 'replace' | 'append'

export const APPENDED_BYTES = 1000

const PAUSE_MS = 60
/** What a commit reads at least. */
const BYTES_PER_MS = 10_000

const [file = '', manner = '', size = '', seed = ''] = process.argv.slice(2)
const random = seededRandom(Number(seed))
let longest = 0

function write(generation: number): void {
  const bytes = Buffer.alloc(manner === 'append' ? APPENDED_BYTES : Number(size), generation)
  if (manner === 'replace') {
    writeFileSync(`${file}.next`, bytes)
    renameSync(`${file}.next`, file)
    return
  }
  const fd = openSync(file, manner === 'append' ? 'a' : 'r+')
  const began = performance.now()
  writeSync(fd, bytes)
  longest = Math.max(longest, performance.now() - began)
  closeSync(fd)
}

/** Not so often that it is never still for the time of one reading, nor so seldom that it always is. */
function step(generation: number): void {
  write(generation % 256)
  setTimeout(() => step(generation + 1), random.integer(0, PAUSE_MS + Number(size) / BYTES_PER_MS))
}

if (file !== '') {
  process.stdin.on('end', () => {
    process.stdout.write(String(longest), () => process.exit(0))
  })
  process.stdin.resume()
  write(0)
  process.stdout.write('ready\n')
  step(1)
}
