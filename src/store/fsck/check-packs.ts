/**
 * Checks every pack that the log names: it is there with the size that the log says, its table is what its name hashes
 * to, its records stand where the table says; with data, that every payload has the checksum and the id that it should
 * have. What can't be read is taken out of the fresh index, so that whoever looks an object up finds where it is whole.
 */
import { type LazyPool, lazyPool } from '../ingest/lazy-pool.ts'
import { workerCount } from '../ingest/pool.ts'
import { packPath } from '../layout.ts'
import type { BadRecord, PackFindings } from '../object/pack-check.ts'
import type { Counts, Examination } from './examination.ts'
import type { NamedPack } from './fresh-index.ts'
import { samplePacks, VerifiedPacks } from './verified-packs.ts'

/** Packs under way: enough for four threads. */
const JOBS = 8

export async function checkPacks(examination: Examination): Promise<Counts> {
  const { fresh, gap, blocked } = examination
  const verified = VerifiedPacks.open(examination)
  const check = new PackCheck(examination, verified)
  try {
    await check.run(fresh.packs())
    // What gc has dropped meanwhile is not missing; what came in its place is looked at, too.
    while (gap === undefined && blocked === undefined && check.hasDoubts && fresh.catchUp()) {
      await check.run(fresh.packs())
    }
    check.report()
    fresh.forgetUnreadable()
    verified.finish()
  } finally {
    await check.close()
    verified.close()
  }
  return check.counts
}

class PackCheck {
  readonly counts = { packs: 0, objects: 0, packsRead: 0, bytesRead: 0 }
  readonly #examination: Examination
  readonly #verified: VerifiedPacks
  readonly #pool: LazyPool
  readonly #seen = new Set<number>()
  /** Packs with which something is wrong. */
  readonly #doubtful = new Map<NamedPack, PackFindings>()
  readonly #running = new Set<Promise<void>>()
  #failure: { readonly reason: unknown } | undefined

  constructor(examination: Examination, verified: VerifiedPacks) {
    const { layout, io, jobs } = examination
    this.#examination = examination
    this.#verified = verified
    const decide = (): never => {
      throw new Error('Nothing is stored by an examination.')
    }
    const engine = { root: layout.root, durability: io.durability, decide }
    this.#pool = lazyPool(engine, workerCount(jobs))
  }

  get hasDoubts(): boolean {
    return this.#doubtful.size > 0
  }

  /** Looks at the packs that were not looked at yet. */
  async run(packs: readonly NamedPack[]): Promise<void> {
    const { data, readAlso, signal } = this.#examination
    const read = samplePacks(packs, this.#verified, data)
    for (const pack of packs) {
      signal?.throwIfAborted()
      if (this.#seen.has(pack.row)) continue
      this.#seen.add(pack.row)
      this.#start(pack, read.has(pack.row) || readAlso?.has(pack.name) === true)
      await this.#drain(JOBS)
    }
    await this.#drain(0)
  }

  /** Notes what is wrong with packs that are still in the store. */
  report(): void {
    const { fresh } = this.#examination
    const named = new Set(fresh.packs().map(({ row }) => row))
    this.counts.packs = named.size
    for (const [pack, findings] of this.#doubtful) {
      if (named.has(pack.row)) take(this.#examination, pack, findings)
    }
  }

  async close(): Promise<void> {
    await this.#pool.close()
  }

  #start(pack: NamedPack, data: boolean): void {
    const { layout } = this.#examination
    const run = this.#pool
      .run({ kind: 'pack', path: packPath(layout, pack.name), bytes: pack.bytes, data })
      .then(({ findings }) => this.#count(pack, findings, data))
      .catch((reason: unknown) => {
        this.#failure ??= { reason }
      })
      .finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  #count(pack: NamedPack, findings: PackFindings, data: boolean): void {
    const { counts } = this
    const isSound = isWhole(findings)
    if (!isSound) this.#doubtful.set(pack, findings)
    counts.objects += findings.records
    counts.bytesRead += findings.bytes
    if (data) counts.packsRead++
    if (data && isSound) this.#verified.note(pack.name)
    this.#examination.bytesRead = counts.bytesRead
    this.#examination.onProgress?.({ phase: 'verify', files: 0, bytes: counts.bytesRead })
  }

  async #drain(most: number): Promise<void> {
    while (this.#running.size > most) {
      await this.#pool.wait(Promise.race(this.#running))
      this.#examination.signal?.throwIfAborted()
    }
    if (this.#failure !== undefined) throw this.#failure.reason
  }
}

function isWhole({ state, bad, blemishes }: PackFindings): boolean {
  return state === 'present' && bad.length === 0 && blemishes.length === 0
}

function take(examination: Examination, pack: NamedPack, findings: PackFindings): void {
  const { fresh, problems, layout } = examination
  const { state, problem, bad, blemishes, records } = findings
  const path = packPath(layout, pack.name)
  if (state !== pack.state) fresh.setState(pack.row, state)
  if (problem !== undefined) problems.add('packs', path, problem)
  if (bad.length > 0) {
    fresh.connection.write(() => {
      for (const { id, offset } of bad) fresh.markBad(pack.row, id, offset)
    })
    problems.add('packs', path, describe(bad, records))
  }
  for (const blemish of blemishes) problems.add('packs', path, blemish)
}

function describe(bad: readonly BadRecord[], records: number): string {
  const [first] = bad as readonly [BadRecord, ...BadRecord[]]
  const id = Buffer.from(first.id).toString('hex')
  const which = bad.length === 1 ? 'it is' : 'the first is'
  return `${bad.length} of ${records} objects can't be read; ${which} "${id}" at byte ${first.offset}: ${first.reason}`
}
