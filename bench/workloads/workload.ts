/**
 * A workload is a folder `data` that lies in one of two states, v1 and v2, always under the same path, because tools
 * remember files by path, inode and times. The files in which the states differ exist twice; those not in `data` wait
 * under `aside/v1` or `aside/v2`, and going from one state to the other renames them in and out: the unchanged files
 * keep inode and times, the changed ones arrive with a later mtime, as from an editor that saves by rename, and no
 * byte is written, so the page cache stays warm and clean.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { StepName } from '../steps.ts'
import type { ToolName } from '../tools/tool.ts'

export interface Workload {
  readonly name: string
  /** The tools that are worth the wait here; `--tools` can only narrow them. */
  readonly tools: readonly ToolName[]
  /** At most so many rounds, for workloads that take minutes. */
  readonly roundLimit?: number
  readonly steps: readonly StepName[]
  /** Disk space at scale 1, in bytes, with the stores and restored trees of one round. */
  readonly needs: number
  /** Writes `data` (as v1) and `aside/v2`, the same bytes for the same scale. */
  make(input: Input, scale: number): Changes
}

/** Where a workload lies. */
export interface Input {
  readonly dir: string
  readonly data: string
}

/** Paths below `data`. */
export interface Changes {
  readonly changed: readonly string[]
  readonly removed: readonly string[]
  readonly added: readonly string[]
  /** Of v1. */
  readonly files: number
  readonly bytes: number
}

export function inputAt(dir: string): Input {
  return { dir, data: join(dir, 'data') }
}

/** Makes the input unless an earlier run left it whole. */
export function prepare(workload: Workload, input: Input, scale: number): Changes {
  const note = join(input.dir, 'changes.json')
  if (existsSync(note)) return JSON.parse(readFileSync(note, 'utf8')) as Changes
  mkdirSync(input.data, { recursive: true })
  mkdirSync(join(input.dir, 'aside', 'v2'), { recursive: true })
  const changes = workload.make(input, scale)
  writeFileSync(note, JSON.stringify(changes))
  return changes
}

/** Renames files in and out until `data` is in that state; a switch that was interrupted is finished. */
export function switchTo(input: Input, changes: Changes, state: 'v1' | 'v2'): void {
  const other = state === 'v1' ? 'v2' : 'v1'
  const own = state === 'v1' ? changes.removed : changes.added
  const others = state === 'v1' ? changes.added : changes.removed
  for (const path of changes.changed) {
    if (!existsSync(join(input.dir, 'aside', state, path))) continue
    move(join(input.data, path), join(input.dir, 'aside', other, path))
    move(join(input.dir, 'aside', state, path), join(input.data, path))
  }
  for (const path of own) move(join(input.dir, 'aside', state, path), join(input.data, path))
  for (const path of others) move(join(input.data, path), join(input.dir, 'aside', other, path))
}

function move(from: string, to: string): void {
  if (!existsSync(from)) return
  mkdirSync(dirname(to), { recursive: true })
  renameSync(from, to)
}
