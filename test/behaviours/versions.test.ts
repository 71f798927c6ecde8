/** Logging, finding and listing versions; drafts that start from one. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact } from '../../src/index.ts'
import { packBytes, workspace } from '../library/workspace.ts'
import { seededRandom } from '../support/random.ts'
import { rejects } from '../support/rejects.ts'
import { draft, log, pathsOf, textsOf } from './logging.ts'

const test = suite('behaviours: versions')

test('the same content from two drafts is one version, for both of them', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { a: '1' })
  const [first, second] = await Promise.all(
    [draft(), draft()].map(async (artifact) => {
      await artifact.addDir(dir)
      return (await ws.store.commit(artifact)).wait()
    }),
  )
  assert.is(first?.id, second?.id)
  assert.is(ws.store.versions('bike').length, 1)
})

test('a draft has nothing to say about a version that it is not yet', () => {
  const artifact = draft()
  const later = ['id', 'version', 'ref', 'digest', 'aliases', 'createdAt', 'entity', 'ttl']
  for (const name of [...later, 'download', 'verify', 'delete', 'loggedBy', 'usedBy', 'newDraft']) {
    assert.not.ok(name in artifact, name)
  }
})

test('another owner is refused, and both are named', async () => {
  await using ws = await workspace()
  const { store } = ws
  await log(ws, { a: '1' })
  assert.is((await store.artifact(`${store.entity}/default/bike:v0`)).version, 'v0')
  const error = await rejects(store.artifact('somebody-else/default/bike:v0'), 'ERR_NOT_FOUND')
  assert.match(error.message, 'somebody-else')
  assert.match(`${error.message} ${error.hint}`, store.entity)
})

test('a draft goes to the project that it names, and names are unique in each', async () => {
  await using ws = await workspace()
  await log(ws, { a: '1' })
  const other = await log(ws, { a: '2' }, {}, draft({ project: 'other', type: 'model' }))
  assert.equal([other.ref, other.project, other.type], ['other/bike:v0', 'other', 'model'])
  assert.equal(await textsOf(await ws.store.artifact('bike')), { a: '1' })
})

test('what is missing is named: the project, the artifact, the number, the alias, the id', async () => {
  await using ws = await workspace()
  await log(ws, { a: '1' })
  for (const [ref, part] of [
    ['elsewhere/bike:v0', 'elsewhere'],
    ['car', 'car'],
    ['bike:v7', 'v7'],
    ['bike:best', 'best'],
    ['bike@abcdef', 'abcdef'],
  ] as const) {
    const { message } = await rejects(ws.store.artifact(ref), 'ERR_NOT_FOUND')
    assert.match(message, part)
    assert.not.ok(await ws.store.artifactExists(ref))
  }
})

test('a store that cannot be asked is an error, not a "no"', async () => {
  await using ws = await workspace()
  await log(ws, { a: '1' })
  const version = await ws.store.artifact('bike')
  ws.store.close()
  const asked = [
    () => ws.store.artifactExists('bike:v0'),
    () => version.entry('a'),
    () => ws.store.startRun(),
    () => ws.store.commit(draft()),
  ]
  for (const ask of asked) {
    const { message } = await rejects(ask(), 'ERR_USAGE')
    assert.match(message, 'is closed')
  }
})

test('versions come in the order of their numbers, either way, also beyond ten', async () => {
  await using ws = await workspace()
  for (let n = 0; n < 12; n++) await log(ws, { a: String(n) })
  const numbers = async (reverse?: boolean): Promise<string[]> => {
    const found: string[] = []
    const filter = { name: 'bike', ...(reverse === undefined ? {} : { reverse }) }
    for await (const { version } of ws.store.artifacts(filter)) found.push(version)
    return found
  }
  const ascending = Array.from({ length: 12 }, (_, n) => `v${n}`)
  assert.equal(await numbers(true), ascending)
  assert.equal(await numbers(false), ascending.toReversed())
  assert.equal(await numbers(), ascending.toReversed())
})

test('a list of files goes on behind the last one that was seen', async () => {
  await using ws = await workspace()
  const names = Array.from({ length: 130 }, (_, n) => `f${String(n).padStart(3, '0')}`)
  const version = await log(ws, Object.fromEntries(names.map((name) => [name, name])))
  const seen: string[] = []
  for (;;) {
    let taken = 0
    for await (const { path } of version.files({ start: seen.at(-1) ?? '', perPage: 7 })) {
      seen.push(path)
      if (++taken === 50) break
    }
    if (taken < 50) break
  }
  assert.equal(seen, names)
})

test('a new draft stores what changed alone, and goes where its version came from', async () => {
  await using ws = await workspace()
  const large = seededRandom(1).bytes(2_000_000)
  const artifact = draft({ description: 'd', metadata: { n: 1 }, project: 'p' })
  const first = await log(ws, { large, small: '1' }, { aliases: ['best'], tags: ['t'] }, artifact)
  const before = packBytes(ws)
  const next = first.newDraft()
  await next.addFile(`${ws.write('data', { small: '2' })}/small`, { overwrite: true })
  const second = await ws.store.commit(next)
  assert.ok(packBytes(ws) - before < 20_000, `${packBytes(ws) - before}`)
  assert.is(second.ref, 'p/bike:v1')
  assert.equal([second.description, second.metadata, second.tags], ['d', { n: 1 }, []])
  assert.equal(
    [second.aliases, (await ws.store.artifact('p/bike:v0')).aliases],
    [['latest'], ['best']],
  )
  assert.equal(await pathsOf(second), ['large', 'small'])
  assert.equal(second.parents, [first.id])
})

test('an incremental draft has what the newest version has besides its own, another has its own alone', async () => {
  await using ws = await workspace()
  const more = (): Artifact => new Artifact('bike', { type: 'dataset', incremental: true })
  assert.equal(await pathsOf(await log(ws, { a: '1' }, {}, more())), ['a'])
  assert.equal(await pathsOf(await log(ws, { b: '2' }, {}, more())), ['a', 'b'])
  const third = await log(ws, { b: 'new', c: '3' }, {}, more())
  assert.equal(await textsOf(third), { a: '1', b: 'new', c: '3' })
  assert.equal(await pathsOf(await log(ws, { d: '4' })), ['d'])
})

test('what is deleted is gone for every question until it is brought back', async () => {
  await using ws = await workspace()
  const version = await log(ws, { a: '1' }, { aliases: ['best'] })
  const { message } = await rejects(version.delete(), 'ERR_IN_USE')
  assert.match(message, 'best')
  assert.is(version.state, 'committed')
  await version.delete({ aliases: true })
  assert.is(version.state, 'deleted')
  for (const read of [() => version.entry('a'), () => version.download(), () => version.verify()]) {
    await rejects(read(), 'ERR_NOT_FOUND')
  }
  assert.not.ok(await ws.store.artifactExists('bike:v0'))
  await ws.store.restore([`@${version.id}`])
  assert.equal(await textsOf(await ws.store.artifact('bike:v0')), { a: '1' })
})

test.run()
