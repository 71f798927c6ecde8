import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Command, type Place, run, type Tool, versionLine } from './tool.ts'

/** The built program, beside `build/bench/tools`. */
export const PROGRAM: string = fileURLToPath(
  new URL('../../../dist/program/artifacts.js', import.meta.url),
)

export const ours: Tool = {
  name: 'ours',
  version: () =>
    existsSync(PROGRAM) ? versionLine(process.execPath, PROGRAM, '--version') : undefined,
  init: (place) => {
    mkdirSync(place.store)
    run(place, place.store, process.execPath, PROGRAM, 'init', place.store)
  },
  commit: (place) => artifacts(place, 'commit', place.data, '-n', 'data', '-q'),
  diff: (place) => artifacts(place, 'diff', 'data:v0', 'data:v1', '--stat'),
  restore: (place, into) => artifacts(place, 'checkout', 'data:v1', into, '-q'),
  stored: (place) => ['packs', 'log'].map((part) => join(place.store, '.artifacts', part)),
}

function artifacts(place: Place, ...args: readonly string[]): Command {
  const store = join(place.store, '.artifacts')
  return {
    argv: [process.execPath, PROGRAM, '--store', store, ...args],
    cwd: dirname(place.data),
  }
}
