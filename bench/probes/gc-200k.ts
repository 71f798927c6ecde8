/**
 * Collecting a store of 200,000 files after half of its versions were deleted: the time of the whole command, and the
 * memory it takes. Each version replaces a tenth of the files, so half of what the oldest packs hold goes.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Measured, measure } from '../measure.ts'
import { makePlace } from '../place.ts'
import type { Probe } from '../results.ts'
import { ours, PROGRAM } from '../tools/ours.ts'
import { type Place, run } from '../tools/tool.ts'
import type { ProbeSource } from './probe.ts'

const FILES = 200_000
const FOLDERS = 200
const VERSIONS = 10
const FILE_BYTES = 1000
const MOST_SECONDS = 30
const MOST_MEGABYTES = 300

export const gc200k: ProbeSource = { name: 'gc-200k', run: measureGc }

function measureGc(dir: string, scale: number): readonly Probe[] {
  const place = makePlace(dir, join(dir, 'data'))
  const files = Math.ceil(FILES * scale)
  for (let folder = 0; folder < FOLDERS; folder++) {
    mkdirSync(join(place.data, folderName(folder)), { recursive: true })
  }
  ours.init(place)
  for (let version = 0; version < VERSIONS; version++) {
    for (let n = 0; n < files; n++) {
      if (version > 0 && n % VERSIONS !== version) continue
      writeFileSync(join(place.data, fileName(n)), contentOf(n, version))
    }
    artifacts(place, 'commit', place.data, '-n', 'data', '-q')
  }
  const half = Array.from({ length: VERSIONS / 2 }, (_, i) => `data:v${i}`)
  artifacts(place, 'rm', '--aliases', ...half)
  const first = gc(place)
  const second = gc(place)
  return [
    {
      name: `gc of ${files.toLocaleString('en')} files, ${VERSIONS / 2} of ${VERSIONS} versions deleted`,
      value: first.seconds * 1000,
      unit: 'ms',
      limit: MOST_SECONDS * 1000,
      detail: `${first.seconds.toFixed(1)} s; once more, with nothing to do, ${second.seconds.toFixed(1)} s`,
    },
    {
      name: 'memory of that gc',
      value: (first.peakBytes ?? 0) / 1e6,
      unit: 'MB',
      limit: MOST_MEGABYTES,
      detail: `largest resident set; ${((second.peakBytes ?? 0) / 1e6).toFixed(0)} MB with nothing to do`,
    },
  ]
}

function gc(place: Place): Measured {
  return measure(place, {
    argv: [process.execPath, PROGRAM, '--store', storeOf(place), 'gc', '--grace', '0', '-q'],
    cwd: place.home,
  })
}

function artifacts(place: Place, ...args: readonly string[]): void {
  run(place, place.home, process.execPath, PROGRAM, '--store', storeOf(place), ...args)
}

function storeOf(place: Place): string {
  return join(place.store, '.artifacts')
}

/** Text that no other file or version has, and that compression makes a third of. */
function contentOf(n: number, version: number): string {
  let word = (n * 10 + version + 1) >>> 0
  let text = ''
  while (text.length < FILE_BYTES) {
    word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) + 0x9e3779b9
    text += `${(word >>> 0).toString(16).slice(0, 5)} measured at station ${n % 1000}\n`
  }
  return text
}

function folderName(folder: number): string {
  return `set-${String(folder).padStart(3, '0')}`
}

function fileName(n: number): string {
  return `${folderName(n % FOLDERS)}/${String(n).padStart(6, '0')}.txt`
}
