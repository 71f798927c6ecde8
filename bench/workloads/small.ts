/** 30,000 files of 1–16 KiB in 100 folders: what a project with its fixtures looks like. */
import { STEPS } from '../steps.ts'
import { writeTree } from './file-tree.ts'
import { mixedFiles } from './mixed-files.ts'
import type { Workload } from './workload.ts'

export const small: Workload = {
  name: 'small',
  tools: ['ours', 'git', 'restic', 'borg', 'borg-zstd', 'cp'],
  steps: STEPS,
  needs: 4e9,
  make: (input, scale) =>
    writeTree(
      input,
      mixedFiles({
        seed: 'small',
        files: Math.ceil(30_000 * scale),
        smallest: 1024,
        largest: 16 * 1024,
        folderOf: (n) => `area-${n % 10}/part-${Math.floor(n / 10) % 10}`,
      }),
    ),
}
