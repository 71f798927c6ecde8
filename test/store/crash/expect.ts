/** What may and must be after a fault. */
import { isDeepStrictEqual } from 'node:util'
import * as assert from 'uvu/assert'
import { ArtifactsError } from '../../../src/index.ts'
import type { CrashPoint } from '../../support/crash.ts'
import type { Item } from '../../support/files.ts'

/** Asserts that an error says what failed: one of ours, or the system's with its code. */
export function assertClear(error: unknown, { fault }: CrashPoint): void {
  if (fault.do === 'die' || error === undefined || error instanceof ArtifactsError) return
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const injected = fault.do === 'fail' ? fault.code : fault.do === 'short' ? fault.next : undefined
  if (injected === undefined || code !== injected) throw error
}

/** Whether the command said that it was carried out, as far as that counts, and nothing can have taken that back. */
export function mustHaveHappened(error: unknown, { power }: CrashPoint): boolean {
  if (error === undefined) return true
  const code = error instanceof ArtifactsError ? error.code : undefined
  return code === 'ERR_PARTIAL' || (code === 'ERR_DURABILITY_UNKNOWN' && power === undefined)
}

/** Whether the command said that it failed, not that it was carried out and something after that failed. */
export function cannotHaveHappened(error: unknown, { fault }: CrashPoint): boolean {
  if (fault.do === 'die' || error === undefined) return false
  const code = error instanceof ArtifactsError ? error.code : undefined
  return code !== 'ERR_DURABILITY_UNKNOWN' && code !== 'ERR_PARTIAL'
}

/** Whether temporary files may stay: nobody was left to remove them, removing failed, or it was not durable. */
export function mayLeaveFiles({ fault, call, power }: CrashPoint): boolean {
  if (fault.do === 'die' || power !== undefined) return true
  if (fault.do === 'fail' && fault.lasting === true) return true
  return call.kind === 'unlink' || call.kind === 'rmdir' || call.kind === 'close'
}

export function isOneOf(actual: unknown, ...expected: readonly unknown[]): void {
  if (expected.some((each) => isDeepStrictEqual(actual, each))) return
  assert.equal(actual, expected[0], 'neither before nor after')
}

type Files = Readonly<Record<string, Item>>

/**
 * Asserts that every file is as it was or as it becomes, that none is missing that is there before and after, and that
 * nothing was removed before all else was there, unless it was in the way.
 */
export function assertOldOrNew(now: Files, before: Files, after: Files): void {
  const around = new Set([...Object.keys(before), ...Object.keys(after)].flatMap(directoriesAbove))
  for (const path of Object.keys({ ...before, ...after, ...now })) {
    const [was, becomes, is] = [before[path], after[path], now[path]]
    if (isDeepStrictEqual(is, was) || isDeepStrictEqual(is, becomes)) continue
    // A directory is made before what it holds; between an empty one and a file there is a moment with neither.
    if (is === null && around.has(path)) continue
    if (is === undefined && (was === null || becomes === null)) continue
    assert.unreachable(`"${path}" is neither old nor new: ${JSON.stringify(is)}`)
  }
  const isInTheWay = (path: string): boolean =>
    path in after || around.has(path) || directoriesAbove(path).some((above) => above in after)
  const removed = Object.keys(before).find((path) => !(path in now) && !isInTheWay(path))
  if (removed === undefined) return
  for (const [path, item] of Object.entries(after)) {
    assert.equal(now[path], item, `"${removed}" was removed while "${path}" was not there`)
  }
}

function directoriesAbove(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}
