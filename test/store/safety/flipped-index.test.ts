/** One bit of a database is another: no file is read wrong, and no commit writes what contradicts the log. */
import { existsSync, linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError, type CommitReport, type Store } from '../../../src/index.ts'
import { writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { isFull, newWorkspace, readAll, verifyAll, type Workspace } from './workspace.ts'

const test = suite('flipped index')

const FLIPS = isFull ? 3000 : 80
const seed = Number(process.env['SEED'] ?? 6)

/** Two artifacts with versions, aliases, tags and some objects. */
async function someVersions(): Promise<Workspace> {
  const workspace = await newWorkspace()
  const data = join(workspace.path, 'data')
  for (let round = 0; round < 4; round++) {
    writeTree(data, { a: `${round}`, b: `${round}`.repeat(200), 'c/d': `c${round}`.repeat(99) })
    const labels = round % 2 === 0 ? {} : { aliases: ['best'], tags: ['t'], description: 'odd' }
    const name = `artifact-${round % 2}`
    await workspace.run(async (store) => {
      await using run = await store.startRun({ name: `run ${round}` })
      if (round > 1) await run.useArtifact(name)
      const { ref } = await store.commit([data], { name, run: run.id, ...labels })
      if (round > 0) await store.link(ref, `portfolio-${round % 2}`, { aliases: ['prod'] })
    })
  }
  return workspace
}

/** What is told of each version, by its ref; but for labels, which an index of SQLite's own may not find. */
function facts(store: Store): ReadonlyMap<string, unknown> {
  const all = store.history().map(({ aliases, tags, ...version }) => version)
  return new Map(all.map((version) => [version.ref, version]))
}

/** Where there is something but zeros. */
function placesIn(bytes: Buffer): number[] {
  const random = seededRandom(seed)
  const places = Array.from(bytes.keys()).filter((at) => bytes[at] !== 0)
  return random.shuffle(places).slice(0, FLIPS)
}

/** Puts back the database, the very file, and the log and packs as they were. */
function keep(workspace: Workspace): (change: (bytes: Buffer) => Buffer) => void {
  const { root, path } = workspace
  const pointer = readFileSync(join(root, 'index'), 'utf8')
  const database = join(root, pointer.trim())
  const kept = join(path, 'kept')
  linkSync(database, kept)
  const bytes = readFileSync(database)
  const files = ['log', 'packs'].map(
    (name) => [join(root, name), readdirSync(join(root, name))] as const,
  )
  return (change) => {
    for (const name of readdirSync(root)) if (name.startsWith('index')) rmSync(join(root, name))
    for (const [directory, names] of files) {
      for (const name of readdirSync(directory)) {
        if (!names.includes(name)) rmSync(join(directory, name))
      }
    }
    linkSync(kept, database)
    writeFileSync(database, change(bytes), { flag: 'r+' })
    writeFileSync(join(root, 'index'), pointer)
  }
}

test(`in the index: ${FLIPS} bits`, async () => {
  await using workspace = await someVersions()
  const data = join(workspace.path, 'data')
  const expected = await workspace.run(facts)
  const contents = await workspace.run((store) =>
    store.history().map(({ ref }) => [ref, readAll(store, ref, 'b')] as const),
  )
  const restore = keep(workspace)
  const database = join(workspace.root, readFileSync(join(workspace.root, 'index'), 'utf8').trim())
  const told = { rebuilt: 0, refused: 0 }
  for (const at of placesIn(readFileSync(database))) {
    const context = `SEED=${seed}, byte ${at}`
    restore((bytes) => {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8))
      return flipped
    })
    const attempt = async <T>(run: (store: Store) => T | Promise<T>): Promise<T | undefined> => {
      try {
        return await workspace.run(run)
      } catch (error) {
        if (!(error instanceof ArtifactsError)) throw new Error(context, { cause: error })
        told.refused++
        return undefined
      }
    }
    for (const [ref, version] of (await attempt(facts)) ?? []) {
      assert.equal(version, expected.get(ref), context)
    }
    for (const [ref, bytes] of contents) {
      const read = await attempt((store) => readAll(store, ref, 'b'))
      assert.ok(read === undefined || read.equals(bytes), context)
    }
    writeTree(data, { n: `n ${at}`.repeat(50) })
    const made: (CommitReport | undefined)[] = []
    for (const name of ['artifact-0', 'artifact-1', 'new']) {
      made.push(await attempt((store) => store.commit([data], { name, aliases: ['best'] })))
    }
    told.rebuilt += workspace.takeNotices().length
    // What was committed is in the log, and the log is sound: an index made from it alone has all.
    rmSync(join(workspace.root, 'index'))
    await workspace.run(async (store) => {
      assert.equal(store.version('artifact-1:v1').tags, ['t'], context)
      for (const report of made) {
        if (report !== undefined) assert.is(store.version(report.ref).id, report.id, context)
      }
      assert.equal(await verifyAll(store), [], context)
    })
    workspace.takeNotices()
  }
  assert.ok(told.rebuilt > FLIPS / 10, JSON.stringify(told))
  assert.ok(existsSync(workspace.root))
})

test.run()
