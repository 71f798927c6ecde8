/** One random file of 1.5 GiB: a checkpoint. v2 overwrites five spans of 4 MiB. */
import { mkdirSync } from 'node:fs'
import { STEPS } from '../steps.ts'
import { bothFiles } from './one-file.ts'
import { type Noise, noiseOf } from './random.ts'
import type { Workload } from './workload.ts'

const MIB = 1024 * 1024

export const model: Workload = {
  name: 'model',
  tools: ['ours', 'git', 'git-lfs', 'restic', 'borg', 'cp'],
  steps: STEPS,
  needs: 9e9,
  make: (input, scale) => {
    mkdirSync(input.data, { recursive: true })
    const blocks = Math.max(10, Math.round((1536 * scale) / 4))
    // At a small scale the blocks shrink with the file, so that five of them stay a small part of it.
    const blockSize = Math.round((1536 * MIB * scale) / blocks)
    const files = bothFiles(input, 'model.safetensors')
    writeBlocks(blocks, blockSize, files.both, files.onlyV1, files.onlyV2)
    return files.finish()
  },
}

type Write = (bytes: Buffer) => void

function writeBlocks(
  blocks: number,
  blockSize: number,
  both: Write,
  onlyV1: Write,
  onlyV2: Write,
): void {
  const noise: Noise = noiseOf('model')
  for (let block = 0; block < blocks; block++) {
    const changed = [1, 3, 5, 7, 9].some((tenth) => block === Math.floor((blocks * tenth) / 10))
    if (changed) {
      onlyV1(noise(blockSize))
      onlyV2(noise(blockSize))
    } else {
      both(noise(blockSize))
    }
  }
}
