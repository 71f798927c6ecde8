/** Random trees, pushed and received by halves and in any order: what is sent and where it lies is compared with what a plain look at everything says. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MOST_CLOSURE_PACKS } from '../../../src/store/log/sync-change.ts'
import type { Opened } from '../../../src/store/open.ts'
import { encodeClosureList } from '../../../src/sync/transfer/index-pack.ts'
import type { WantedVersion } from '../../../src/sync/transfer/missing-there.ts'
import type { EntryPath, ObjectId } from '../../../src/types.ts'
import { openedRoom } from '../../store/commit/opened.ts'
import type { Item } from '../../support/files.ts'
import { type Random, seededRandom } from '../../support/random.ts'
import { join } from './joined.ts'
import { TestRemote } from './remote.ts'
import { contentsOf, objectsOf, wanted } from './versions.ts'

const test = suite('random transfers')
const SEEDS = process.env['ARTIFACTS_TEST_FULL'] === '1' ? 60 : 2

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`seed ${seed}: exactly what is missing is sent, closures are exact, what comes is whole`, async () => {
    const random = seededRandom(seed)
    await using there = await openedRoom()
    await using here = await openedRoom()
    const remote = new TestRemote()
    remote.state = there.store.index.state
    const other = new TestRemote()
    const versions: WantedVersion[] = []
    const pushed = new Set<WantedVersion>()
    const objects = new Map<WantedVersion, Set<ObjectId>>()
    const tree: Record<string, Item> = {}
    for (let step = 0; step < 8; step++) {
      for (let n = random.integer(0, 30); n > 0; n--) tree[randomPath(random)] = randomFile(random)
      const dir = there.write(`at-${step}`, tree)
      const version = wanted(await there.commit(dir, { jobs: 0, reuse: 'never' }))
      objects.set(version, objectsOf(there.store, version))
      versions.push(version)
      if (random.integer(0, 2) > 0) {
        const some = random.shuffle(versions).slice(0, random.integer(1, 4))
        const largestPack = random.pick([undefined, 30_000, 400_000])
        await assertPush(there.store, remote, some, objects, largestPack)
        for (const each of some) pushed.add(each)
      }
      if (pushed.size === 0 || random.integer(0, 2) === 0) continue
      const some = random.shuffle([...pushed]).slice(0, random.integer(1, 3))
      await assertReceived(here.store, remote, some, objects, random)
    }
    // What was received can be sent on.
    const whole = [...pushed].filter(
      ({ id }) => here.store.index.state.versionById(id)?.partial !== true,
    )
    const known = whole.filter(({ id }) => here.store.index.state.versionById(id) !== undefined)
    await assertPush(here.store, other, known, objects)
  })
}

async function assertPush(
  store: Opened,
  remote: TestRemote,
  versions: readonly WantedVersion[],
  objects: ReadonlyMap<WantedVersion, ReadonlySet<ObjectId>>,
  largestPack?: number,
): Promise<void> {
  const all = new Set(versions.flatMap((version) => [...(objects.get(version) ?? [])]))
  const missing = [...all].filter((id) => remote.packOf(Buffer.from(id, 'hex')) === undefined)
  const pushed = await remote.push(store, versions, { largestPack })
  assert.equal(contentsOf(pushed.packs), missing.sort())
  assert.is(pushed.plan.objects, missing.length)
  for (const version of versions) {
    const ids = [...(objects.get(version) ?? [])]
    const exact = new Set(ids.map((id) => remote.packOf(Buffer.from(id, 'hex')) as ObjectId))
    const closure = pushed.closures.get(version.id)
    if (exact.size <= MOST_CLOSURE_PACKS) assert.equal(closure, { packs: [...exact].sort() })
    else assert.is(closure && 'list' in closure && closure.list, encodeClosureList(exact).id)
  }
}

async function assertReceived(
  store: Opened,
  remote: TestRemote,
  versions: readonly WantedVersion[],
  objects: ReadonlyMap<WantedVersion, ReadonlySet<ObjectId>>,
  random: Random,
): Promise<void> {
  const contents = ['all', 'all', 'none', { paths: ['a', 'b/c'] as EntryPath[] }] as const
  const content = random.pick(contents)
  const { whole } = await join(store, remote, versions, { content })
  for (const version of versions) {
    const has = (id: ObjectId): boolean => store.index.objects.has(Buffer.from(id, 'hex'))
    const isWhole = [...(objects.get(version) ?? [])].every(has)
    assert.is(whole.has(version.id), isWhole, JSON.stringify(content))
    if (content === 'all') assert.ok(isWhole)
    // All that names others is here in any case.
    if (isWhole) assert.equal(objectsOf(store, version), objects.get(version))
  }
}

function randomPath(random: Random): string {
  const folders = Array.from({ length: random.integer(0, 2) }, () => random.pick(['a', 'b', 'c']))
  return [...folders, `f${random.integer(0, 12)}.x`].join('/')
}

function randomFile(random: Random): Item {
  const size = random.pick([0, 10, 64, 65, 500, 3000, 40_000, 262_144, 262_145, 500_000])
  // Some contents come again.
  return seededRandom(random.integer(0, 40) * 1_000_000 + size).bytes(size)
}

test.run()
