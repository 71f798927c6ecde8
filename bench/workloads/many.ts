/**
 * A million files of 100–4,096 bytes in 1,000 folders, and 10,000 of the same kind in ten: the cost per file must
 * stay the same.
 */
import { STEPS } from '../steps.ts'
import { writeTree } from './file-tree.ts'
import { mixedFiles } from './mixed-files.ts'
import type { Workload } from './workload.ts'

export const many: Workload = manyFiles('many', 1_000_000, 1, 16e9)
export const manySlice: Workload = manyFiles('many-slice', 10_000, 5, 1e9)

function manyFiles(name: string, files: number, roundLimit: number, needs: number): Workload {
  return {
    name,
    tools: ['ours'],
    roundLimit,
    steps: STEPS,
    needs,
    make: (input, scale) =>
      writeTree(
        input,
        mixedFiles({
          seed: name,
          files: Math.ceil(files * scale),
          smallest: 100,
          largest: 4096,
          folderOf: (n) => `batch-${String(Math.floor(n / 1000)).padStart(4, '0')}`,
        }),
      ),
  }
}
