/** Two stores that only bundles go between, in both directions, with whatever happens on either side meanwhile. */
import { existsSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError, Store } from '../src/index.ts'
import { newSite, type Site } from './bundle-sites.ts'
import { type Random, seededRandom } from './support/random.ts'

const test = suite('bundles between two stores')
const isFull = process.env['ARTIFACTS_TEST_FULL'] === '1'
const NAMES = ['bike', 'car', 'dog']

for (const seed of Array.from({ length: isFull ? 20 : 2 }, (_, index) => index + 1)) {
  test(`they come together, and lose nothing (seed ${seed})`, async () => {
    const random = seededRandom(seed)
    await using one = await newSite()
    await using other = await newSite()
    const made = new Set<string>()
    const deleted = new Set<string>()
    for (let step = 0; step < (isFull ? 30 : 14); step++) {
      const [here, there] = random.pick([
        [one, other],
        [other, one],
      ] as const)
      await something(here, there, random, made, deleted)
    }
    for (let round = 0; round < 2; round++) {
      await carry(one, other, random)
      await carry(other, one, random)
    }
    await carry(one, other, random)
    const [mine, theirs] = [told(one), told(other)]
    const only = (lines: string[], others: string[]): string[] =>
      lines.filter((line) => !others.includes(line))
    assert.equal(only(mine, theirs), only(theirs, mine))
    const live = new Set(NAMES.flatMap((name) => versionsOf(one, name).map(({ id }) => id)))
    for (const id of made) assert.ok(live.has(id) || deleted.has(id), `version ${id} is lost`)
    for (const { store } of [one, other]) {
      const report = await Store.fsck({ store: store.root }, { data: 1 })
      assert.ok(report.ok, JSON.stringify(report.problems))
    }
  })
}

test.run()

async function something(
  here: Site,
  there: Site,
  random: Random,
  made: Set<string>,
  deleted: Set<string>,
): Promise<void> {
  const { store } = here
  const name = random.pick(NAMES)
  const refs = versionsOf(here, name)
  const version = refs.length === 0 ? undefined : random.pick(refs)
  switch (random.integer(0, version === undefined ? 1 : 7)) {
    case 0:
    case 1:
      await here.commit(name, { [`${random.integer(0, 3)}.bin`]: random.integer(1, 90_000) })
      made.add(store.version(name).id)
      return
    case 2:
      await store.alias(`@${version?.id}`, [random.pick(['best', 'prod'])])
      return
    case 3:
      await store.tag(`@${version?.id}`, [random.pick(['seen', 'clean', 'old'])])
      return
    case 4:
      await store.edit(`@${version?.id}`, { description: random.text(8) })
      return
    case 5:
      await store.remove([`@${version?.id}`], { aliases: true })
      deleted.add(version?.id ?? '')
      return
    case 6:
      await store.gc({ grace: '1d' })
      return
    default:
      await carry(here, there, random)
  }
}

/** Makes a bundle in some way, and applies it. */
async function carry(here: Site, there: Site, random: Random): Promise<void> {
  const receipt = there.out('receipt.json')
  const since = existsSync(receipt) && random.integer(0, 1) === 0 ? { receipt } : undefined
  const maxSize = random.pick([undefined, 200_000])
  const { volumes } = await here.store.createBundle(here.out('out.tar'), [], { since, maxSize })
  for (const { path } of random.shuffle(volumes)) {
    try {
      await there.store.applyBundle(path, { receipt })
    } catch (error) {
      // What it relied on was deleted there and is gone: then all of it goes.
      if (!(error instanceof ArtifactsError) || error.code !== 'ERR_NOT_FOUND') throw error
      const whole = await here.store.createBundle(here.out('whole.tar'))
      for (const volume of whole.volumes) await there.store.applyBundle(volume.path)
      return
    }
  }
}

function versionsOf({ store }: Site, name: string): readonly { readonly id: string }[] {
  const artifact = store.artifacts().find((each) => each.name === name)
  return artifact === undefined ? [] : store.versions(name)
}

/** Names, versions and labels, a line each; numbers are each store's own. */
function told({ store }: Site): string[] {
  return store.artifacts().flatMap(({ name }) =>
    store
      .versions(name)
      .map(({ ref }) => {
        const { id, aliases, tags, description = '' } = store.version(ref)
        const own = aliases.filter((alias) => alias !== 'latest')
        return [name, id.slice(0, 12), own.sort(), tags.toSorted(), description].join(' ')
      })
      .sort(),
  )
}
