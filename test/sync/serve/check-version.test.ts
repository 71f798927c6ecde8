import { randomBytes } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { namedPacks } from '../../../src/store/index/pack-rows.ts'
import type { VersionRow } from '../../../src/store/index/state.ts'
import type { Closure } from '../../../src/store/log/sync-change.ts'
import { type Opened, openStore } from '../../../src/store/open.ts'
import { VersionCheck } from '../../../src/sync/serve/check-version.ts'
import type { ObjectId } from '../../../src/types.ts'
import { sampleId } from '../../store/log/samples.ts'
import type { Tree } from '../../support/files.ts'
import { throwsCode } from '../../support/rejects.ts'
import { type Source, sourceStore } from './serving.ts'

const test = suite('serve, one version')

test('beside a version like it, a version costs what has changed', async () => {
  await using source = await sourceStore()
  const tree: Tree = Object.fromEntries(
    Array.from({ length: 4000 }, (_, i) => [`${i % 7}/${i}.txt`, `${i} `.repeat(30)]),
  )
  const opened = await committed(source, tree, { ...tree, '3/3.txt': 'x'.repeat(99), new: 'y' })
  const [first, second] = versions(opened)
  assert.ok(lookups(opened, first) > 3900)
  const { lookups: beside, steps } = check(opened, second, { base: first })
  assert.ok(beside < 200, `${beside} lookups`)
  assert.ok(steps < 10, `${steps} steps`)
  opened.close()
})

test('what lies in packs that do not count is missing', async () => {
  await using source = await sourceStore()
  const opened = await committed(
    source,
    { a: randomBytes(500), 'large.bin': randomBytes(400_000) },
    { a: randomBytes(500), 'large.bin': randomBytes(400_000) },
  )
  const [first, second] = versions(opened)
  check(opened, first)
  for (const { id } of namedPacks(opened.index)) {
    const isHeld = (pack: ObjectId): boolean => pack !== id
    const wrong = [first, second].filter((version) => {
      try {
        check(opened, version, { isHeld })
        return false
      } catch {
        return true
      }
    })
    assert.is(wrong.length, 1)
  }
  opened.close()
})

test('a closure names packs that are there, and has what is new in the version', async () => {
  await using source = await sourceStore()
  const opened = await committed(source, { a: randomBytes(500) }, { a: randomBytes(500) })
  const [first, second] = versions(opened)
  const [one, two] = namedPacks(opened.index).map(({ id }) => id) as [ObjectId, ObjectId]
  check(opened, first, { closure: { packs: [one] } })
  check(opened, first, { closure: { packs: [one, two].sort() as ObjectId[] } })
  check(opened, second, { closure: { packs: [two] }, base: first })
  for (const closure of [
    { packs: [] },
    { packs: [two] },
    { packs: [one, sampleId('gone')] },
    { list: sampleId('no list'), packs: [one] as [ObjectId] },
  ]) {
    throwsCode(() => check(opened, first, { closure }), 'ERR_DAMAGED')
  }
  throwsCode(() => check(opened, second, { closure: { packs: [one] }, base: first }), 'ERR_DAMAGED')
  opened.close()
})

test('a closure may be a list that lies in a pack', async () => {
  await using source = await sourceStore()
  // The list of the first commit's packs is a file of the second.
  const before = await committed(source, { a: randomBytes(500) })
  const [pack] = namedPacks(before.index).map(({ id }) => id) as [ObjectId]
  before.close()
  const opened = await committed(source, { list: Buffer.from(pack.repeat(3), 'hex') })
  const [first, second] = versions(opened)
  const { packs } = source.push(2)
  const [other] = [...packs.keys()] as [ObjectId]
  const entry = [...source.store.entries(`@${second.id}`)][0]
  const list = entry?.kind === 'file' && 'id' in entry.content ? entry.content.id : sampleId('x')
  // Three times the same is no list.
  throwsCode(() => check(opened, first, { closure: { list, packs: [other] } }), 'ERR_DAMAGED')
  opened.close()
})

test.run()

async function committed(source: Source, ...trees: readonly Tree[]): Promise<Opened> {
  for (const tree of trees) await source.commit(tree)
  return openStore({ root: source.store.root, tool: 'artifacts/0.0.0' })
}

function versions({ index }: Opened): [VersionRow, VersionRow] {
  const [artifact] = index.state.artifacts()
  if (artifact === undefined) throw new Error('no artifact')
  return index.state.versions(artifact.id) as [VersionRow, VersionRow]
}

interface Options {
  readonly base?: VersionRow
  readonly closure?: Closure
  readonly isHeld?: (pack: ObjectId) => boolean
}

function check(
  opened: Opened,
  { id, object }: VersionRow,
  { base, closure, isHeld = (pack) => opened.index.state.hasPack(pack) }: Options = {},
): { lookups: number; steps: number } {
  let lookups = 0
  const run = new VersionCheck(opened, (pack) => {
    lookups++
    return isHeld(pack)
  })
  let steps = 0
  for (const _ of run.run({ id, object, closure }, base?.object)) steps++
  return { lookups, steps }
}

function lookups(opened: Opened, version: VersionRow): number {
  return check(opened, version).lookups
}
