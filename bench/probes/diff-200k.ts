/**
 * Comparing two versions of 200,000 files that differ in ten: the time inside a new process, from opening the store
 * to the whole answer, and of later comparisons in the same process.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makePlace } from '../place.ts'
import type { Probe } from '../results.ts'
import { figureOf } from '../stats.ts'
import { ours } from '../tools/ours.ts'
import { type Place, run } from '../tools/tool.ts'
import type { DiffTimes } from './diff-in-process.ts'
import type { ProbeSource } from './probe.ts'

const FILES = 200_000
const FOLDERS = 200
const CHANGES = 10
const RUNS = 10
const CHILD = fileURLToPath(new URL('./diff-in-process.js', import.meta.url))

export const diff200k: ProbeSource = { name: 'diff-200k', run: measureDiff }

function measureDiff(dir: string, scale: number): readonly Probe[] {
  const place = makePlace(dir, join(dir, 'data'))
  const files = Math.ceil(FILES * scale)
  for (let folder = 0; folder < FOLDERS; folder++) {
    mkdirSync(join(place.data, folderName(folder)), { recursive: true })
  }
  for (let n = 0; n < files; n++) writeFileSync(join(place.data, fileName(n)), `file ${n}\n`)
  ours.init(place)
  commit(place, 'v1')
  for (let change = 0; change < CHANGES; change++) {
    const n = Math.floor((files * (change + 0.5)) / CHANGES)
    writeFileSync(join(place.data, fileName(n)), `changed file ${n}\n`)
  }
  commit(place, 'v2')
  const times = Array.from({ length: RUNS }, () => inNewProcess(place))
  const first = figureOf(times.map((time) => time.first))
  const later = figureOf(times.flatMap((time) => time.later))
  if (first === undefined || later === undefined) return []
  return [
    {
      name: `diff of two versions of ${files.toLocaleString('en')} files, ${CHANGES} changes`,
      value: first.median,
      unit: 'ms',
      limit: 50,
      detail: `open and first diff ${first.median.toFixed(1)} ms (${first.min.toFixed(1)}–${first.max.toFixed(1)}), later ones ${later.median.toFixed(1)} ms (${later.min.toFixed(1)}–${later.max.toFixed(1)}), ${RUNS} processes`,
    },
  ]
}

function inNewProcess(place: Place): DiffTimes {
  const store = join(place.store, '.artifacts')
  const times = JSON.parse(run(place, place.home, process.execPath, CHILD, store)) as DiffTimes
  if (times.changes !== CHANGES) {
    throw new Error(`the diff names ${times.changes} changes where ${CHANGES} were made`)
  }
  return times
}

function commit(place: Place, label: 'v1' | 'v2'): void {
  const command = ours.commit?.(place, label)
  if (command !== undefined) run(place, command.cwd, ...command.argv)
}

function folderName(folder: number): string {
  return `set-${String(folder).padStart(3, '0')}`
}

function fileName(n: number): string {
  return `${folderName(n % FOLDERS)}/${String(n).padStart(6, '0')}.txt`
}
