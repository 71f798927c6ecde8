/** Aliases, tags, metadata, times to live and types: what is taken, what is refused, and that refusing changes nothing. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact, type ArtifactVersion, type LogOptions, Store } from '../../src/index.ts'
import { workspace } from '../library/workspace.ts'
import { rejects, throwsCode } from '../support/rejects.ts'
import { draft, log, picture } from './logging.ts'

const test = suite('behaviours: labels')

test('logging with an alias or tag that is none logs nothing, and says which', async () => {
  await using ws = await workspace()
  await log(ws, { a: '1' })
  const before = picture(ws)
  const bad: readonly [LogOptions, string][] = [
    ...['a/b', 'a:b', '', ' ', 'v3', '..', 'ä', 'x'.repeat(129)].map(
      (alias): [LogOptions, string] => [{ aliases: ['good', alias] }, alias],
    ),
    ...['', ' x', 'x ', 'a/b', 'a,b', 'a\nb', 'x'.repeat(129)].map((tag): [LogOptions, string] => [
      { tags: ['good', tag] },
      tag,
    ]),
  ]
  for (const [options, label] of bad) {
    const error = await rejects(log(ws, { a: '2' }, options), 'ERR_INVALID_NAME')
    assert.match(error.message, `"${label}"`)
    assert.is(picture(ws), before)
  }
})

test('every version that is logged becomes the latest, whatever aliases it gets', async () => {
  await using ws = await workspace()
  const aliases = async (ref: string) => [...(await ws.store.artifact(ref)).aliases].sort()
  await log(ws, { a: '1' }, { aliases: ['best', 'best'] })
  assert.equal(await aliases('bike:v0'), ['best', 'latest'])
  await log(ws, { a: '2' }, { aliases: ['latest'] })
  await log(ws, { a: '3' }, { aliases: [] })
  assert.equal(await aliases('bike:v0'), ['best'])
  assert.equal(await aliases('bike:v1'), [])
  assert.equal(await aliases('bike:v2'), ['latest'])
})

test('aliases are set, added and taken away, and an alias is on one version at a time', async () => {
  await using ws = await workspace()
  const first = await log(ws, { a: '1' })
  const second = await log(ws, { a: '2' })
  await first.update({ aliases: ['x', 'y'] })
  await first.update({ aliases: { add: ['z'], remove: ['x', 'never-there'] } })
  assert.equal([...first.aliases].sort(), ['y', 'z'])
  await second.update({ aliases: { add: ['y'] } })
  const now = async (ref: string) => [...(await ws.store.artifact(ref)).aliases].sort()
  assert.equal([await now('bike:v0'), await now('bike:v1')], [['z'], ['latest', 'y']])
  await second.update({ aliases: [] })
  assert.equal(await now('bike:v1'), ['latest'])
})

test('tags count once, in any script, and a list asks for all of them', async () => {
  await using ws = await workspace()
  const tags = [['a', 'b', 'a'], ['a'], ['b', 'größe 7'], ['-x_.y']]
  for (const [n, some] of tags.entries()) await log(ws, { a: String(n) }, { tags: some })
  const refs = async (...wanted: string[]): Promise<string[]> => {
    const found: string[] = []
    for await (const { ref } of ws.store.artifacts({ name: 'bike', tags: wanted })) found.push(ref)
    return found
  }
  assert.equal((await ws.store.artifact('bike:v0')).tags, ['a', 'b'])
  assert.equal(await refs('a', 'b'), ['bike:v0'])
  assert.equal(await refs('b'), ['bike:v2', 'bike:v0'])
  assert.equal(await refs('größe 7'), ['bike:v2'])
  assert.equal(await refs('a', 'größe 7'), [])
  const version = await ws.store.artifact('bike:v0')
  const before = picture(ws)
  await rejects(
    version.update({ tags: { add: ['ok', 'a/b'] }, description: 'x' }),
    'ERR_INVALID_NAME',
  )
  assert.is(picture(ws), before)
  assert.equal(version.tags, ['a', 'b'])
})

test('what is not applied to a version that was there already is told, aliases are applied', async () => {
  await using ws = await workspace()
  const notices: string[] = []
  using store = await Store.open({
    store: ws.store.root,
    onNotice: (text) => notices.push(text),
  })
  await log(ws, { a: '1' }, { tags: ['old'] })
  const again = async (options: LogOptions, artifact?: Artifact): Promise<ArtifactVersion> =>
    log({ ...ws, store }, { a: '1' }, options, artifact)
  await again({ aliases: ['x'], tags: ['old'] })
  assert.equal(notices, [])
  const version = await again({ tags: ['new'] }, draft({ description: 'd', metadata: { n: 1 } }))
  assert.equal([version.ref, version.tags, version.description], ['bike:v0', ['old'], undefined])
  assert.equal([...version.aliases].sort(), ['latest', 'x'])
  assert.is(notices.length, 1)
  assert.match(notices[0] ?? '', /"bike:v0".*description, metadata, tags/)
})

test('metadata is copied, and looked at once more when it is logged', async () => {
  await using ws = await workspace()
  const mine = { list: [1, [2, Number.NaN]], at: { deep: new Float32Array([1.5]) } }
  const artifact = draft({ metadata: mine as never })
  mine.list.push(99)
  const { metadata } = await log(ws, { a: '1' }, {}, artifact)
  assert.equal(metadata, { list: [1, [2, null]], at: { deep: [1.5] } })
  const before = picture(ws)
  for (const bad of [
    Number.POSITIVE_INFINITY,
    -Infinity,
    () => 1,
    Symbol('s'),
    1n,
    undefined,
    new Map(),
  ]) {
    throwsCode(() => draft({ metadata: { bad } as never }), 'ERR_USAGE')
    const edited = draft()
    ;(edited.metadata as Record<string, unknown>)['bad'] = bad
    const error = await rejects(log(ws, { a: '2' }, {}, edited), 'ERR_USAGE')
    assert.match(error.message, 'metadata.bad')
    assert.is(picture(ws), before)
    assert.not.ok(edited.finalized)
  }
  for (const bad of [null, [], 'text', 7]) {
    throwsCode(() => draft({ metadata: bad as never }), 'ERR_USAGE')
  }
})

test('a text with half a character is refused wherever it is given', async () => {
  await using ws = await workspace()
  const { store } = ws
  const half = 'ends with \ud83d'
  const version = await log(ws, { a: '1' })
  const run = await store.startRun()
  const before = picture(ws)
  for (const give of [
    () => log(ws, { a: '2' }, {}, draft({ description: half })),
    () => store.commit([ws.write('data', { a: '2' })], { name: 'n', description: half }),
    () => version.update({ description: half }),
    () => store.edit('bike', { description: half }),
    () => store.editArtifact('bike', { description: half }),
    () => store.startRun({ notes: half }),
    () => run.update({ notes: half }),
  ]) {
    await rejects(give(), 'ERR_USAGE')
  }
  await rejects(store.startRun({ name: half }), 'ERR_INVALID_NAME')
  assert.is(picture(ws), before)
  await version.update({ description: 'whole 😀' })
  assert.is((await store.artifact('bike')).description, 'whole 😀')
})

test('metadata may have any number of keys', async () => {
  await using ws = await workspace()
  const metadata = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`key ${n}`, n]))
  const version = await log(ws, { a: '1' }, {}, draft({ metadata }))
  assert.equal((await ws.store.artifact(version.ref)).metadata, metadata)
})

test('a time to live is inherited, endless or a positive number of seconds, and nothing else', async () => {
  await using ws = await workspace()
  const version: ArtifactVersion = await log(ws, { a: '1' })
  assert.equal(version.ttl, { kind: 'inherit' })
  const kept = async () => (await ws.store.artifact('bike:v0')).ttl
  await version.update({ ttl: 'never' })
  assert.equal(await kept(), { kind: 'never' })
  await version.update({ ttl: 90 })
  const expiresAt = new Date(version.createdAt.getTime() + 90_000)
  assert.equal(await kept(), { kind: 'after', seconds: 90, expiresAt })
  await version.update({ ttl: '2d' })
  assert.is(
    (await kept()).kind === 'after' && version.ttl.kind === 'after' && version.ttl.seconds,
    172_800,
  )
  const before = picture(ws)
  for (const ttl of [-1, 0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '0', '-3d', 'soon']) {
    await rejects(version.update({ ttl }), 'ERR_USAGE')
  }
  assert.is(picture(ws), before)
  await version.update({ ttl: 'inherit' })
  assert.equal(await kept(), { kind: 'inherit' })
})

test('no type is set aside for the store itself, and a name has one type', async () => {
  await using ws = await workspace()
  for (const type of ['wandb-history', 'job', 'code', 'run_table']) {
    const name = `of-${type}`
    const version = await log(ws, { a: '1' }, {}, new Artifact(name, { type }))
    assert.is(version.type, type)
  }
  const before = picture(ws)
  const other = new Artifact('of-job', { type: 'dataset' })
  const error = await rejects(log(ws, { a: '2' }, {}, other), 'ERR_TYPE_MISMATCH')
  assert.match(error.message, '"job"')
  assert.match(error.message, '"dataset"')
  assert.is(picture(ws), before)
})

test('the description and type of an artifact can be changed, its name and type not to what is none', async () => {
  await using ws = await workspace()
  const { store } = ws
  await log(ws, { a: '1' }, { aliases: ['best'] })
  await log(ws, { a: '2' }, { aliases: ['best'] })
  await store.editArtifact('bike', { description: 'rides', type: 'table' })
  assert.is((await store.artifact('bike:v0')).type, 'table')
  assert.is(store.artifacts()[0]?.description, 'rides')
  await store.editArtifact('bike', { description: '' })
  assert.is(store.artifacts()[0]?.description, undefined)
  for (const bad of ['', 'a b', 'a:b', '..', 'x'.repeat(129)]) {
    await rejects(store.rename('bike', bad), 'ERR_INVALID_NAME')
    await rejects(store.editArtifact('bike', { type: bad }), 'ERR_INVALID_NAME')
  }
  await store.rename('bike', 'ride')
  assert.is((await store.artifact('ride:best')).version, 'v1')
})

test.run()
