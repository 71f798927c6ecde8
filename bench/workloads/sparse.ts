/**
 * A file of 20 GB that is one hole with an island of noise at the start, in the middle and at the end. It asks what
 * memory a file far larger than any buffer takes, and what repeated content costs. v2 replaces the middle island.
 */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { STEPS } from '../steps.ts'
import { noiseOf } from './random.ts'
import type { Workload } from './workload.ts'

const ISLAND = 4 * 1024 * 1024

export const sparse: Workload = {
  name: 'sparse',
  tools: ['ours'],
  roundLimit: 1,
  steps: STEPS,
  needs: 25e9,
  make: (input, scale) => {
    const name = 'sparse.img'
    const size = Math.round(20e9 * scale)
    const noise = noiseOf('sparse')
    const [first, middle, last, replaced] = [1, 2, 3, 4].map(() => noise(ISLAND))
    writeSparse(join(input.data, name), size, [first, middle, last])
    writeSparse(join(input.dir, 'aside', 'v2', name), size, [first, replaced, last])
    return { changed: [name], removed: [], added: [], files: 1, bytes: size }
  },
}

function writeSparse(path: string, size: number, islands: readonly (Buffer | undefined)[]): void {
  const fd = openSync(path, 'w')
  ftruncateSync(fd, size)
  for (const [index, island] of islands.entries()) {
    if (island !== undefined) {
      const at = Math.floor(((size - ISLAND) * index) / (islands.length - 1))
      writeSync(fd, island, 0, island.length, at)
    }
  }
  closeSync(fd)
}
