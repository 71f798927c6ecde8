/** Workloads of one file: v1 and v2 are written side by side. */
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Changes, Input } from './workload.ts'

export interface BothFiles {
  both(bytes: Uint8Array): void
  onlyV1(bytes: Uint8Array): void
  onlyV2(bytes: Uint8Array): void
  finish(): Changes
}

export function bothFiles(input: Input, name: string): BothFiles {
  const v1 = openSync(join(input.data, name), 'w')
  const v2 = openSync(join(input.dir, 'aside', 'v2', name), 'w')
  return {
    both: (bytes) => {
      writeSync(v1, bytes)
      writeSync(v2, bytes)
    },
    onlyV1: (bytes) => {
      writeSync(v1, bytes)
    },
    onlyV2: (bytes) => {
      writeSync(v2, bytes)
    },
    finish: () => {
      const bytes = fstatSync(v1).size
      closeSync(v1)
      closeSync(v2)
      return { changed: [name], removed: [], added: [], files: 1, bytes }
    },
  }
}
