/** Stopping a command at one of its reports of progress. */
import * as assert from 'uvu/assert'
import type { Progress } from '../../src/index.ts'
import { seededRandom } from '../support/random.ts'
import type { Workspace } from './workspace.ts'

const MIB = 1 << 20

/** Stops at the report of progress with this number, from 1. `calls` is how many there were. */
export function stopAt(number: number): {
  readonly signal: AbortSignal
  readonly reason: Error
  readonly onProgress: (progress: Progress) => void
  readonly calls: () => number
} {
  const abort = new AbortController()
  const reason = new Error(`stopped at report ${number}`)
  let calls = 0
  return {
    signal: abort.signal,
    reason,
    onProgress: () => {
      if (++calls === number) abort.abort(reason)
    },
    calls: () => calls,
  }
}

/** True when it was stopped, false when it came to its end before that. */
export async function isStopped(work: Promise<unknown>, reason: Error): Promise<boolean> {
  try {
    await work
    return false
  } catch (error) {
    assert.is(error, reason, String(error))
    return true
  }
}

/** Threads that have not ended. */
export function threads(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length
}

/** Content that takes several reports to read: more than what pays for threads. */
export function growSource(ws: Workspace): string {
  const random = seededRandom(1)
  const small = Object.fromEntries(
    Array.from({ length: 600 }, (_, index) => [`small/${index}`, random.bytes(2000)]),
  )
  return ws.write('data', { ...small, large: random.bytes(12 * MIB), other: random.bytes(5 * MIB) })
}
