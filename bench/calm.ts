/**
 * Waits for a file system that creates files at its usual speed. For one to five minutes after many files were deleted
 * ext4 passes over each freed inode, one by one, whenever it looks for a free one, and creating a file costs ten times
 * what it costs else: no figure of a small-files workload means anything then.
 */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'

const FOLDERS = 40
const FILES_A_FOLDER = 50
/** Microseconds a file. A calm ext4 on a virtual disk takes 15–80, a disturbed one 300–800. */
const CALM = 150
const PAUSE = 15_000
const ATTEMPTS = 24

/** Leaves its empty files in `dir`: deleting them would disturb what follows. */
export async function waitForCalm(dir: string, log: (line: string) => void): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const cost = costOfAFile(join(dir, `calm-${attempt}`))
    if (cost <= CALM) return
    log(`creating a file takes ${Math.round(cost)} µs; waiting for the file system to calm down`)
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
  log('the file system stays slow at creating files: mind the spread of the figures')
}

function costOfAFile(dir: string): number {
  const start = performance.now()
  for (let folder = 0; folder < FOLDERS; folder++) {
    const path = join(dir, String(folder))
    mkdirSync(path, { recursive: true })
    for (let n = 0; n < FILES_A_FOLDER; n++) closeSync(openSync(join(path, String(n)), 'w'))
  }
  return (1000 * (performance.now() - start)) / (FOLDERS * FILES_A_FOLDER)
}
