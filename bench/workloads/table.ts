/**
 * A CSV of about 500 MB: running id, random integer, float, two words from a small vocabulary, amount, timestamp. v2
 * inserts rows at three places, with ids of their own, so that every later byte moves, and appends 1 %.
 */
import { STEPS } from '../steps.ts'
import { bothFiles } from './one-file.ts'
import { type Random, randomOf } from './random.ts'
import { TextWriter } from './text-writer.ts'
import type { Workload } from './workload.ts'

const ROWS = 6_800_000
const ROWS_A_BLOCK = 1000
const INSERTED_ROWS = 500
const HEADER = 'id,key,score,region,product,amount,at\n'

export const table: Workload = {
  name: 'table',
  tools: ['ours', 'git', 'git-lfs', 'restic', 'borg', 'borg-zstd', 'cp'],
  steps: STEPS,
  needs: 6e9,
  make: (input, scale) => {
    const blocks = Math.max(8, Math.round((ROWS * scale) / ROWS_A_BLOCK))
    const files = bothFiles(input, 'table.csv')
    const rows = rowsOf('table')
    const inserted = rowsOf('table inserted', blocks * ROWS_A_BLOCK * 2)
    files.both(Buffer.from(HEADER))
    for (let block = 0; block < blocks; block++) {
      if (isInsertion(block, blocks)) files.onlyV2(inserted(INSERTED_ROWS))
      files.both(rows(ROWS_A_BLOCK))
    }
    files.onlyV2(rows(Math.round((blocks * ROWS_A_BLOCK) / 100)))
    return files.finish()
  },
}

function isInsertion(block: number, blocks: number): boolean {
  return [0.2, 0.5, 0.8].some((share) => block === Math.floor(blocks * share))
}

/** The next `count` rows, valid until the next call. */
function rowsOf(seed: string, firstId = 0): (count: number) => Buffer {
  const random = randomOf(seed)
  const state = { id: firstId, time: 0 }
  let out = new TextWriter(ROWS_A_BLOCK * 128)
  return (count) => {
    if (out.bytes.length < count * 128) out = new TextWriter(count * 128)
    out.length = 0
    for (let row = 0; row < count; row++) {
      state.time += random(10)
      writeRow(out, random, state.id++, state.time)
    }
    return out.view()
  }
}

const REGIONS = 'north south east west centre coast island border'.split(' ')
const PRODUCTS =
  'anchor basket candle drum engine filter guitar hammer kettle ladder mirror needle'.split(' ')

function writeRow(out: TextWriter, random: Random, id: number, time: number): void {
  out.integer(id)
  out.text(',')
  out.integer(random(1_000_000_000))
  out.text(',0.')
  out.digits(random(1_000_000), 6)
  out.digits(random(1_000_000), 6)
  out.text(',')
  out.text(REGIONS[random(REGIONS.length)] ?? '')
  out.text(',')
  out.text(PRODUCTS[random(PRODUCTS.length)] ?? '')
  out.text(',')
  out.integer(random(1000))
  out.text('.')
  out.digits(random(100), 2)
  out.text(',')
  writeTime(out, time)
  out.text('\n')
}

/** `time` seconds after the start of 2024, in a calendar of 28-day months, as ISO 8601. */
function writeTime(out: TextWriter, time: number): void {
  const days = Math.floor(time / 86_400)
  const seconds = time % 86_400
  out.digits(2024 + Math.floor(days / 336), 4)
  out.text('-')
  out.digits(1 + (Math.floor(days / 28) % 12), 2)
  out.text('-')
  out.digits(1 + (days % 28), 2)
  out.text('T')
  out.digits(Math.floor(seconds / 3600), 2)
  out.text(':')
  out.digits(Math.floor(seconds / 60) % 60, 2)
  out.text(':')
  out.digits(seconds % 60, 2)
  out.text('Z')
}
