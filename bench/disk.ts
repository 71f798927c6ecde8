/** Sizes, free space, and the state of the page cache before something is timed. */
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statfsSync,
} from 'node:fs'
import { join } from 'node:path'

export interface Size {
  readonly files: number
  /** The sum of the files' sizes. */
  readonly bytes: number
  /** What the file system gives them, directories included, as `du` counts. */
  readonly allocated: number
}

export function sizeOf(paths: readonly string[]): Size {
  const size = { files: 0, bytes: 0, allocated: 0 }
  for (const path of paths) {
    visit(path, (_, stats) => {
      size.allocated += stats.blocks * 512
      if (stats.isDirectory()) return
      size.files++
      size.bytes += stats.size
    })
  }
  return size
}

export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path, { bigint: false })
  return bavail * bsize
}

/** Reads every file once, so that no tool pays for being the first. Holes are left alone. */
export function warm(path: string): void {
  const buffer = Buffer.allocUnsafe(4 * 1024 * 1024)
  visit(path, (file, stats) => {
    if (!stats.isFile() || stats.blocks * 512 < stats.size / 2) return
    const fd = openSync(file, 'r')
    while (readSync(fd, buffer) > 0);
    closeSync(fd)
  })
}

/** Waits until nothing is left to write back, so that no tool pays for the one before. */
export function settle(): void {
  spawnSync('sync')
}

function visit(path: string, each: (path: string, stats: Stats) => void): void {
  const stats = lstatSync(path)
  each(path, stats)
  if (!stats.isDirectory()) return
  for (const name of readdirSync(path)) visit(join(path, name), each)
}
