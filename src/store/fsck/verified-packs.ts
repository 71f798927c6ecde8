/**
 * Remembers which packs were read whole and found sound, and when (docs/format.md section 9): so that a run that was
 * killed goes on where it stopped, and samples rotate through the store. One line a pack is appended as it is done;
 * what is torn or impossible in the file is no news, only a pack that is read once more.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isFailedCall, isSystemError } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import { databaseDirectory } from '../index/place.ts'
import type { Io } from '../io/io.ts'
import { temporaryName } from '../layout.ts'
import type { Examination } from './examination.ts'
import type { NamedPack } from './fresh-index.ts'

export const VERIFIED = 'verified'
const LINE = /^(begin|end|[0-9a-f]{64}) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/
/** A time that lies further ahead is from a clock that was wrong. */
const AHEAD_MS = 2 * 3600 * 1000
/** A run that was begun longer ago is not gone on with. */
const STALE_MS = 30 * 24 * 3600 * 1000

export class VerifiedPacks {
  /** When a pack was read last, ms since 1970; those that never were are absent. */
  readonly times: ReadonlyMap<string, number>
  /** When the run that was not finished began. */
  readonly begun: number | undefined
  readonly #io: Io
  readonly #isFull: boolean
  #fd: number | undefined

  /** Reads what is remembered, and begins or goes on with a run of this share. */
  static open(examination: Examination): VerifiedPacks {
    const { io, layout, identity, cacheDir, data, fresh } = examination
    const directory = databaseDirectory(io, layout.root, identity.id, cacheDir)
    const file = directory && join(directory, VERIFIED)
    const { times, begun } = read(file, Date.now())
    const known = new Set<string>(fresh.packs().map(({ name }) => name))
    for (const name of times.keys()) if (!known.has(name)) times.delete(name)
    const remembered = new VerifiedPacks(io, times, begun, data === 1)
    if (data > 0 && file !== undefined) {
      const tmp = join(
        directory === layout.root ? layout.tmp : (directory as string),
        temporaryName(),
      )
      remembered.#begin(file, tmp)
    }
    return remembered
  }

  private constructor(
    io: Io,
    times: ReadonlyMap<string, number>,
    begun: number | undefined,
    isFull: boolean,
  ) {
    this.#io = io
    this.times = times
    this.begun = begun
    this.#isFull = isFull
  }

  /** Notes that a pack was read just now. */
  note(pack: ObjectId): void {
    this.#append(pack)
  }

  /** Notes that the run is through. */
  finish(): void {
    if (this.#isFull) this.#append('end')
  }

  close(): void {
    if (this.#fd === undefined) return
    this.#io.close(this.#fd)
    this.#fd = undefined
  }

  /** Writes the file anew, without what is out of date, and opens it to append. */
  #begin(file: string, tmp: string): void {
    const line = (what: string, time: number): string => `${what} ${new Date(time).toISOString()}\n`
    let text = ''
    for (const [name, time] of this.times) text += line(name, time)
    if (this.#isFull) text += line('begin', this.begun ?? Date.now())
    try {
      this.#io.writeFileAtomic(file, Buffer.from(text), { tmp, durable: false })
      this.#fd = this.#io.open(file, 'a')
    } catch (error) {
      // A full disk keeps nobody from looking at a store.
      if (!isFailedCall(error)) throw error
    }
  }

  #append(what: string): void {
    if (this.#fd === undefined) return
    try {
      this.#io.writeAll(this.#fd, Buffer.from(`${what} ${new Date().toISOString()}\n`))
    } catch (error) {
      if (!isFailedCall(error)) throw error
      this.close()
    }
  }
}

/** The rows of the packs to be read: all that a run did not reach yet, or those that were read longest ago. */
export function samplePacks(
  packs: readonly NamedPack[],
  { times, begun }: VerifiedPacks,
  share: number,
): ReadonlySet<number> {
  if (share === 0) return new Set()
  const timeOf = ({ name }: NamedPack): number => times.get(name) ?? 0
  if (share === 1) {
    const left = packs.filter((pack) => begun === undefined || timeOf(pack) < begun)
    return new Set(left.map(({ row }) => row))
  }
  const wanted = packs.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0) * share
  const sample = new Set<number>()
  let bytes = 0
  for (const pack of packs.toSorted((a, b) => timeOf(a) - timeOf(b))) {
    if (bytes >= wanted) break
    sample.add(pack.row)
    bytes += pack.bytes ?? 0
  }
  return sample
}

function read(
  file: string | undefined,
  now: number,
): { times: Map<string, number>; begun: number | undefined } {
  const times = new Map<string, number>()
  let begun: number | undefined
  for (const line of linesOf(file)) {
    const [, what = '', text = ''] = LINE.exec(line) ?? []
    const time = Date.parse(text)
    // Also no number at all.
    if (!(time <= now + AHEAD_MS)) continue
    if (what === 'end') begun = undefined
    else if (what === 'begin') begun = now - time > STALE_MS ? undefined : time
    else times.set(what, time)
  }
  return { times, begun }
}

function linesOf(file: string | undefined): readonly string[] {
  if (file === undefined) return []
  try {
    return readFileSync(file, 'latin1').split('\n')
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EISDIR', 'EIO')) return []
    throw error
  }
}
