/**
 * Whether the process of a run is alive: the file `live/<run id>` holds the process's temporary name, and the process sets
 * its modification time now and then (docs/format.md section 6). This is no part of the log: a process that dies says nothing.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../errors.ts'
import type { Io } from './io/io.ts'
import { isDeadHere, type Layout, temporaryName } from './layout.ts'

const BEAT_MS = 30_000
const STALE_MS = 120_000

/** Keeps the sign of life of a run up to date until it is stopped. It keeps no process alive. */
export class Heartbeat {
  readonly #io: Io
  readonly #path: string
  readonly #timer: NodeJS.Timeout

  /** @param onError told once, when the sign can't be kept up to date any more. */
  constructor(io: Io, layout: Layout, run: string, onError: (error: unknown) => void) {
    this.#io = io
    this.#path = join(layout.live, run)
    makeDirectory(io, layout)
    const bytes = Buffer.from(`${temporaryName()}\n`)
    const tmp = join(layout.tmp, temporaryName())
    io.writeFileAtomic(this.#path, bytes, { durable: false, tmp })
    this.#timer = setInterval(() => this.#beat(onError), BEAT_MS)
    this.#timer.unref()
  }

  /** The run goes on without a sign of life, or its process is about to end. */
  stop(): void {
    clearInterval(this.#timer)
  }

  /** The run has ended, or never began. */
  end(): void {
    this.stop()
    removeSign(this.#io, this.#path)
  }

  #beat(onError: (error: unknown) => void): void {
    const now = new Date()
    try {
      this.#io.utimes(this.#path, now, now)
    } catch (error) {
      this.stop()
      // Who ended the run elsewhere has removed it.
      if (!isSystemError(error, 'ENOENT')) onError(error)
    }
  }
}

/** Removes what a run's process left, which may be another one. */
export function endLife(io: Io, layout: Layout, run: string): void {
  removeSign(io, join(layout.live, run))
}

/** True for a run that has not ended and whose process is dead: gone from this host, or silent for two minutes. */
export function isCrashed(layout: Layout, run: string, now: number): boolean {
  const path = join(layout.live, run)
  try {
    return now - statSync(path).mtimeMs > STALE_MS || isDeadHere(readFileSync(path, 'utf8').trim())
  } catch (error) {
    // Without a file it may be going on anywhere.
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

/** In a store that a group shares, each member's runs leave their signs there. */
function makeDirectory(io: Io, { live, root }: Layout): void {
  if (existsSync(live)) return
  io.mkdir(live, { recursive: true })
  const { mode, uid } = statSync(live)
  const wanted = statSync(root).mode & 0o7777
  if (uid === process.getuid?.() && (mode & 0o7777) !== wanted) io.chmod(live, wanted)
}

function removeSign(io: Io, path: string): void {
  try {
    io.unlink(path)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error
  }
}
