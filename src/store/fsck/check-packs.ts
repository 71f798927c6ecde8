/**
 * Checks every pack that the log names: it is there with the size that the log says, its table is what its name hashes
 * to, its records stand where the table says; with data, that every payload has the checksum and the id that it should
 * have. What can't be read is taken out of the fresh index, so that whoever looks an object up finds where it is whole.
 */
import { lazyPool } from '../ingest/lazy-pool.ts'
import { workerCount } from '../ingest/pool.ts'
import { packPath } from '../layout.ts'
import type { BadRecord, PackFindings } from '../object/pack-check.ts'
import type { Counts, Examination } from './examination.ts'
import type { NamedPack } from './fresh-index.ts'
import { samplePacks, VerifiedPacks } from './verified-packs.ts'

/** Packs under way: enough for four threads. */
const JOBS = 8

export async function checkPacks(examination: Examination): Promise<Counts> {
  const { fresh, layout, io, jobs, signal, readAlso } = examination
  const packs = fresh.packs()
  const verified = VerifiedPacks.open(examination)
  const read = samplePacks(packs, verified, examination.data)
  const counts = { packs: packs.length, objects: 0, packsRead: 0, bytesRead: 0 }
  const decide = (): never => {
    throw new Error('Nothing is stored by an examination.')
  }
  const engine = { root: layout.root, durability: io.durability, decide }
  const pool = lazyPool(engine, workerCount(jobs))
  const running = new Set<Promise<void>>()
  let failure: { readonly reason: unknown } | undefined
  const drain = async (most: number): Promise<void> => {
    while (running.size > most) {
      await pool.wait(Promise.race(running))
      signal?.throwIfAborted()
    }
    if (failure !== undefined) throw failure.reason
  }
  try {
    for (const pack of packs) {
      signal?.throwIfAborted()
      const data = read.has(pack.row) || readAlso?.has(pack.name) === true
      const run = pool
        .run({ kind: 'pack', path: packPath(layout, pack.name), bytes: pack.bytes, data })
        .then(({ findings }) => {
          take(examination, pack, findings)
          counts.objects += findings.records
          counts.bytesRead += findings.bytes
          examination.bytesRead = counts.bytesRead
          if (data) counts.packsRead++
          if (data && isWhole(findings)) verified.note(pack.name)
          examination.onProgress?.({
            phase: 'verify',
            files: 0,
            bytes: counts.bytesRead,
          })
        })
        .catch((reason: unknown) => {
          failure ??= { reason }
        })
        .finally(() => running.delete(run))
      running.add(run)
      await drain(JOBS)
    }
    await drain(0)
    fresh.forgetUnreadable()
    verified.finish()
  } finally {
    await pool.close()
    verified.close()
  }
  return counts
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
