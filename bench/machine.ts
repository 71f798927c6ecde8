import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import type { Machine } from './results.ts'

/** What the figures depend on; `dir` is where the stores lie. */
export function describeMachine(dir: string): Machine {
  const [first] = cpus()
  return {
    node: process.versions.node,
    kernel: `${type()} ${release()}`,
    cpu: first?.model.trim() ?? 'unknown processor',
    cores: cpus().length,
    memory: totalmem(),
    fileSystem: fileSystemOf(dir),
    at: new Date().toISOString(),
  }
}

/** The type of the deepest mount above `dir`. */
function fileSystemOf(dir: string): string {
  if (process.platform !== 'linux') return process.platform
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, at, kind] = line.split(' ')
      return at === undefined || kind === undefined ? [] : { at, kind }
    })
    .filter(({ at }) => at === '/' || dir === at || dir.startsWith(`${at}/`))
  return mounts.sort((a, b) => b.at.length - a.at.length)[0]?.kind ?? 'unknown file system'
}
