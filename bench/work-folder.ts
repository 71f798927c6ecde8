/**
 * `artifacts-bench`, the one folder in which everything happens: `inputs` holds the workloads, `runs` the stores and
 * restored trees. One bench at a time, since all tools work on the same inputs.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../src/errors.ts'

export interface WorkFolder {
  readonly inputs: string
  /** New for this run. */
  readonly runs: string
  /** Deletes this run's places and those of interrupted ones; with `keep` nothing. */
  close(keep: boolean): void
}

/** @throws Error where another bench works in the same folder */
export function openWorkFolder(dir: string): WorkFolder {
  const root = join(dir, 'artifacts-bench')
  const note = join(root, 'running')
  mkdirSync(root, { recursive: true })
  if (existsSync(note) && isAlive(Number(readFileSync(note, 'utf8')))) {
    throw new Error(`another bench is running in "${root}"; give --dir`)
  }
  writeFileSync(note, String(process.pid))
  const runs = join(root, 'runs', `${Date.now()}`)
  mkdirSync(runs, { recursive: true })
  return {
    inputs: join(root, 'inputs'),
    runs,
    close: (keep) => rmSync(keep ? note : root, { recursive: true }),
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    if (isSystemError(error, 'ESRCH')) return false
    if (isSystemError(error, 'EPERM')) return true
    throw error
  }
}
