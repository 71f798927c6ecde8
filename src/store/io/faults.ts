/**
 * Makes the n-th mutating call of this thread go wrong: for the tests that stop a commit at every call it makes.
 *
 * A plan is plain data, so it can be sent to a worker or a child process, which then calls `installFaults` itself.
 * `die` is a crash without the cost of a process: from that call on every call throws `DeadError` and changes nothing,
 * until `reset`, after which the test opens the store again as a new process would. `kill` is a crash for real.
 */
import fs from 'node:fs'
import { constants } from 'node:os'
import { type CallKind, type IoCall, intercept } from './intercept.ts'

export type ErrorName = 'EIO' | 'ENOSPC' | 'EMFILE' | 'EROFS' | 'EACCES'

export type Fault =
  /** SIGKILL to this process, before the call or after it took effect. */
  | { readonly do: 'kill'; readonly when: 'before' | 'after' }
  /** The call is the last one, with or without its effect. */
  | { readonly do: 'die'; readonly when: 'before' | 'after' }
  /** The call fails; with `lasting`, so does every later one that the plan matches. A close that fails still closes. */
  | { readonly do: 'fail'; readonly code: ErrorName; readonly lasting?: boolean }
  /** A write writes half of its bytes and says so; with `next`, the next write fails with that error. */
  | { readonly do: 'short'; readonly next?: ErrorName }

export interface FaultPlan {
  /** Which of the matching calls, from 1. */
  readonly at: number
  /** Only calls of these kinds count; default all. */
  readonly kinds?: readonly CallKind[]
  /** Only calls count whose path or new name matches. */
  readonly paths?: RegExp
  readonly fault: Fault
}

export interface Faults {
  /** Matching calls so far. */
  readonly calls: number
  /** Whether the call came at which things go wrong. */
  readonly fired: boolean
  /** Ends the plan, and closes the files that were opened under it and never closed, as the end of a process does. */
  reset(): void
  [Symbol.dispose](): void
}

/** A call at or after a simulated death. */
export class DeadError extends Error {
  override readonly name = 'DeadError'
}

/** Puts a plan into force for this thread. Several add up; each ends by its own `reset`. */
export function installFaults(plan: FaultPlan): Faults {
  const { fault } = plan
  const openFiles = new Set<number>()
  const afterwards = new Map<IoCall, () => void>()
  let calls = 0
  let fired = false
  let dead = false
  let failNextWrite = false

  /** What befalls this call, if anything. */
  function blowFor(call: IoCall): (() => void) | null {
    if (dead) return () => die(call)
    if (failNextWrite && call.kind === 'write' && fault.do === 'short') {
      failNextWrite = false
      return () => fail(fault.next ?? 'EIO', call)
    }
    if (!matches(plan, call)) return null
    calls++
    const lasting = fault.do === 'fail' && fault.lasting === true
    if (calls < plan.at || (calls > plan.at && !lasting)) return null
    fired = true
    if (fault.do === 'kill') return killSelf
    if (fault.do === 'die') return () => die(call)
    if (fault.do === 'fail') return () => fail(fault.code, call)
    shorten(call)
    return null
  }

  function die(call: IoCall): never {
    dead = true
    throw new DeadError(`${call.kind} "${call.path}" after death`)
  }

  function shorten(call: IoCall): void {
    if (call.length === undefined) return
    call.length = Math.ceil(call.length / 2)
    failNextWrite = fault.do === 'short' && fault.next !== undefined
  }

  function strikeAfter(call: IoCall): void {
    const blow = afterwards.get(call)
    afterwards.delete(call)
    blow?.()
  }

  const remove = intercept({
    before(call) {
      const blow = blowFor(call)
      if (blow === null) return
      const happensAfter = !dead && 'when' in fault && fault.when === 'after'
      // Files close whatever happens: close(2) frees the number even when it fails, and death closes them all.
      if (happensAfter || call.kind === 'close') afterwards.set(call, blow)
      else blow()
    },
    after(call, result) {
      if (call.kind === 'open') openFiles.add(result as number)
      if (call.kind === 'close') openFiles.delete(call.fd as number)
      strikeAfter(call)
    },
    failed: strikeAfter,
  })

  function reset(): void {
    remove()
    for (const fd of openFiles) fs.closeSync(fd)
    openFiles.clear()
  }

  return {
    get calls() {
      return calls
    },
    get fired() {
      return fired
    },
    reset,
    [Symbol.dispose]: reset,
  }
}

/** Notes every call that takes effect or fails by itself, in order, until `stop`. */
export function watchCalls(): { readonly calls: readonly IoCall[]; stop(): readonly IoCall[] } {
  const calls: IoCall[] = []
  const remove = intercept({ before: (call) => void calls.push(call) })
  return {
    calls,
    stop() {
      remove()
      return calls
    },
  }
}

function matches(plan: FaultPlan, call: IoCall): boolean {
  if (plan.kinds !== undefined && !plan.kinds.includes(call.kind)) return false
  return plan.paths === undefined || plan.paths.test(call.path) || plan.paths.test(call.to ?? '')
}

function killSelf(): never {
  process.kill(process.pid, 'SIGKILL')
  // The signal may take a moment; nothing else may happen in it.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

function fail(code: ErrorName, call: IoCall): never {
  const number = -constants.errno[code]
  throw Object.assign(new Error(`${code}: injected, ${call.kind} '${call.path}'`), {
    code,
    errno: number,
    syscall: call.kind,
    path: call.path,
  })
}
