/**
 * Runs one command and takes its wall time and the largest resident set of any process in it. The figure comes from
 * `/usr/bin/time`, which forks before it runs the command: asked of a child of this process directly, Linux counts in
 * what this process held when it forked.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { settle } from './disk.ts'
import type { Command, Place } from './tools/tool.ts'

export interface Measured {
  readonly seconds: number
  /** Absent where `/usr/bin/time` is not installed. */
  readonly peakBytes?: number
}

const TIME = '/usr/bin/time'

/** @throws Error with what the command printed, when it fails */
export function measure(place: Place, { argv, cwd }: Command): Measured {
  const note = join(place.home, 'time')
  const prefix = existsSync(TIME) ? [TIME, '-f', '%M', '-o', note] : []
  const [command = '', ...args] = [...prefix, ...argv]
  settle()
  const start = performance.now()
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: place.env,
    encoding: 'utf8',
    maxBuffer: 256e6,
  })
  const seconds = (performance.now() - start) / 1000
  if (status !== 0) {
    const end = signal ?? `exit code ${status}`
    const said = (stderr || stdout).trim() || 'it printed nothing'
    throw new Error(`"${argv.join(' ')}" failed (${end}): ${said}`, { cause: error })
  }
  if (prefix.length === 0) return { seconds }
  const kibibytes = Number(readFileSync(note, 'utf8').trim().split('\n').at(-1))
  rmSync(note)
  return { seconds, peakBytes: kibibytes * 1024 }
}
