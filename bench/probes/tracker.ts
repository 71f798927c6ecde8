/**
 * What a tracker does, inside one process: 1,000 versions of an artifact of ten files, listing and finding them, and a
 * lineage of 10,000 edges. Each is held against a part of the same work: none may cost more than in proportion.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Artifact, type Run, Store } from '../../src/index.ts'
import type { Probe } from '../results.ts'
import { figureOf } from '../stats.ts'
import type { ProbeSource } from './probe.ts'

const VERSIONS = 1000
const FILES = 10
const RUNS = 102
/** Of each run: so many versions used, as many logged. */
const EDGES = 50
const ROUNDS = 5
/** Against what would be in proportion. */
const MOST = 1.3

export const tracker: ProbeSource = { name: 'tracker', run: measureTracker }

async function measureTracker(dir: string, scale: number): Promise<readonly Probe[]> {
  mkdirSync(dir, { recursive: true })
  const { store } = await Store.init(dir)
  try {
    const versions = Math.max(Math.ceil(VERSIONS * scale), 20)
    const runs = Math.max(Math.ceil(RUNS * scale), 4)
    return [
      ...(await logVersions(store, dir, versions)),
      ...(await listVersions(store, versions)),
      await walkLineage(store, dir, runs),
    ]
  } finally {
    store.close()
  }
}

async function logVersions(store: Store, dir: string, versions: number): Promise<Probe[]> {
  const data = join(dir, 'data')
  mkdirSync(data)
  for (let n = 0; n < FILES; n++) writeFileSync(join(data, `part-${n}`), `part ${n}\n`.repeat(100))
  await using run = await store.startRun({ name: 'log' })
  const times: number[] = []
  for (let n = 0; n < versions; n++) {
    writeFileSync(join(data, `part-${n % FILES}`), `version ${n}\n`.repeat(100))
    const artifact = new Artifact('series', { type: 'dataset', metadata: { step: n } })
    const start = performance.now()
    await artifact.addDir(data)
    await run.logArtifact(artifact)
    times.push(performance.now() - start)
  }
  const part = Math.ceil(versions / 10)
  const early = medianOf(times.slice(0, part))
  const late = medianOf(times.slice(-part))
  return [
    proportion(`logging ${versions} versions of ${FILES} files`, late / early, {
      detail: `${late.toFixed(1)} ms a version at the end, ${early.toFixed(1)} ms at first`,
    }),
  ]
}

async function listVersions(store: Store, versions: number): Promise<Probe[]> {
  const tenth = Math.ceil(versions / 10)
  const list = await inProportion(10, (part) =>
    store.history({ name: 'series', limit: part === 1 ? tenth : versions }),
  )
  const find = await timed(() => store.find([`meta.step>=${versions - 10}`]))
  return [
    proportion(`listing ${versions} versions`, list.ratio, { detail: list.detail }),
    {
      name: `finding 10 of ${versions} versions by metadata`,
      value: find,
      unit: 'ms',
      limit: 100,
      detail: `${find.toFixed(1)} ms`,
    },
  ]
}

/** Each run uses what the one before logged; a tenth of the way down is a tenth of the edges. */
async function walkLineage(store: Store, dir: string, runs: number): Promise<Probe> {
  const file = join(dir, 'made')
  let inputs: string[] = []
  let first = ''
  for (let n = 0; n < runs; n++) {
    await using run = await store.startRun({ name: `run ${n}` })
    for (const ref of inputs) await run.useArtifact(ref, { slot: ref })
    inputs = await logEach(run, file, n)
    first ||= inputs[0] ?? ''
  }
  const edges = store.lineage(first, { direction: 'down' }).edges.length
  const walk = await inProportion(10, (part) =>
    store.lineage(first, { direction: 'down', ...(part === 1 ? { depth: runs / 10 } : {}) }),
  )
  return proportion(`walking a lineage of ${edges.toLocaleString('en')} edges`, walk.ratio, {
    detail: walk.detail,
  })
}

async function logEach(run: Run, file: string, n: number): Promise<string[]> {
  const refs: string[] = []
  for (let k = 0; k < EDGES; k++) {
    writeFileSync(file, `run ${n} made ${k}\n`)
    const artifact = new Artifact(`made-${k}`, { type: 'result' })
    await artifact.addFile(file)
    refs.push((await run.logArtifact(artifact)).ref)
  }
  return refs
}

interface Proportion {
  readonly ratio: number
  readonly detail: string
}

/** Times all of the work (10) and a tenth of it (1), in turn; the ratio is to ten times the tenth. */
async function inProportion(parts: number, work: (part: number) => unknown): Promise<Proportion> {
  const some: number[] = []
  const all: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    some.push(await timed(() => work(1)))
    all.push(await timed(() => work(parts)))
  }
  const [part, whole] = [medianOf(some), medianOf(all)]
  return {
    ratio: whole / (part * parts),
    detail: `${whole.toFixed(1)} ms; a tenth of it ${part.toFixed(1)} ms`,
  }
}

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function proportion(name: string, ratio: number, { detail }: { readonly detail: string }): Probe {
  return { name, value: ratio, unit: '×', limit: MOST, detail }
}

function medianOf(times: readonly number[]): number {
  return figureOf(times)?.median ?? 0
}
