import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../src/index.ts'
import { layoutOf, operationPath } from '../src/store/layout.ts'
import type { Change } from '../src/store/log/change.ts'
import { encodeOperation } from '../src/store/log/operation.ts'
import { openStore } from '../src/store/open.ts'
import { noteStore } from '../src/sync/remote-notes.ts'
import type { ArtifactId, ObjectId } from '../src/types.ts'
import { sampleId, sampleObject, sampleVersion } from './store/log/samples.ts'
import { type Bikes, bikes, tip } from './stores.ts'
import { rejects, throwsCode } from './support/rejects.ts'

const test = suite('what a pull brought')

const THERE = sampleId('there').slice(0, 32)
const DAY_MS = 24 * 60 * 60 * 1000

/** The primary knows another version as v2: ours, which is `latest`, is v3 now. Returns the number of the operation. */
async function pull(bike: Bikes, at = Date.now(), more: readonly Change[] = []): Promise<number> {
  const root = join(bike.path, '.artifacts')
  const opened = await openStore({ root, tool: 'test/1' })
  try {
    const { state } = opened.index
    const artifact = state.artifactByName('default', 'bike')?.id as ArtifactId
    const version = state.versionByNumber(artifact, 2)?.id as ObjectId
    const n = tip(bike.store) + 1
    const { bytes } = encodeOperation({
      n,
      prev: state.operation(n - 1)?.hash ?? '',
      at: new Date(at).toISOString(),
      by: opened.by,
      tool: 'test/1',
      nonce: sampleId(n).slice(0, 32),
      packs: [],
      changes: [
        { kind: 'pull', store: THERE, n: 7 },
        { kind: 'version.renumber', artifact, version, number: 3, old: 2 },
        { ...sampleVersion(artifact, 2, sampleObject('theirs')), partial: true },
        ...more,
      ],
    })
    writeFileSync(operationPath(layoutOf(root), n), bytes)
    opened.index.refresh()
    return n
  } finally {
    opened.close()
  }
}

/** The store, opened anew, with what it says. */
async function listening(bike: Bikes, notices: string[]): Promise<Store> {
  return Store.open({
    store: join(bike.path, '.artifacts'),
    onNotice: (text) => notices.push(text),
  })
}

test('a number that meant another version until lately is said with both ids, once', async () => {
  await using bike = await bikes()
  const own = bike.store.version('bike:v2').id
  await pull(bike)
  const notices: string[] = []
  using store = await listening(bike, notices)
  const { id } = store.version('bike:v2')
  assert.is.not(id, own)
  assert.is(notices.length, 1)
  const [notice = ''] = notices
  assert.match(notice, `"bike:v2" is @${id.slice(0, 12)}; until 20`)
  assert.match(notice, `it was @${own.slice(0, 12)}, now "bike:v3".`)
  store.version('bike:v2')
  for (const ref of ['bike:v3', 'bike', 'bike:best', 'bike:v0', `bike@${id}`]) store.version(ref)
  assert.is(notices.length, 1)
  const version = await store.artifact('bike:v2')
  assert.equal([version.formerly?.id, version.formerly?.ref], [own, 'bike:v3'])
  assert.ok(version.isPartial)
  assert.is((await store.artifact('bike:v3')).formerly, undefined)
  assert.is(store.version('bike:latest').id, own)
})

test('after 30 days the number is what it is', async () => {
  for (const [days, count] of [
    [29, 1],
    [31, 0],
  ] as const) {
    await using bike = await bikes()
    await pull(bike, Date.now() - days * DAY_MS)
    const notices: string[] = []
    using store = await listening(bike, notices)
    const version = await store.artifact('bike:v2')
    assert.is(notices.length, count, `${days} days`)
    assert.is(version.formerly === undefined, count === 0)
  }
})

test('a number that nothing has any more leads to what had it', async () => {
  await using bike = await bikes()
  const { artifact, id } = await idsOf(bike)
  await pull(bike, Date.now(), [
    { kind: 'version.renumber', artifact, version: id, number: 5, old: 2 },
  ])
  using store = await listening(bike, [])
  const { hint } = throwsCode(() => store.version('bike:v2'), 'ERR_NOT_FOUND')
  assert.match(hint ?? '', /^It is "bike:v3" since a pull on 20/)
  const none = throwsCode(() => store.version('bike:v9'), 'ERR_NOT_FOUND')
  assert.match(none.hint ?? '', 'The highest is "bike:v5"')
})

test('a directory is of the version it holds, whatever number that has', async () => {
  await using bike = await bikes()
  const before = await bike.store.status()
  await pull(bike)
  const after = await bike.store.status()
  assert.equal([before[0]?.ref, after[0]?.ref], ['bike:v2', 'bike:v3'])
  assert.is(after[0]?.state, 'clean')
})

test('a pull is not undone, and what it changed is not blamed on anything else', async () => {
  await using bike = await bikes()
  const { store } = bike
  const best = tip(store) - 1
  const { artifact, id: theirs } = await idsOf(bike)
  const old = store.version('bike:best').id
  const n = await pull(bike, Date.now(), [
    { kind: 'alias.set', artifact, alias: 'best', version: theirs, old },
  ])
  const own = await rejects(store.undo(n), 'ERR_CONFLICT')
  assert.match(own.message, `Operation ${n} is a pull: what it brought is so in "store ${THERE}"`)
  const error = await rejects(store.undo(best), 'ERR_CONFLICT')
  assert.match(error.message, `operation ${n} (pull from store ${THERE}`)
  assert.match(error.hint ?? '', `Operation ${n} can't be undone`)
  const { undone, summary } = await store.undo()
  assert.equal([undone, summary], [n - 1, 'commit bike:v3'])
})

test('says of a pull from where it is, by name where that is known', async () => {
  await using bike = await bikes()
  const { store, path } = bike
  const n = await pull(bike)
  assert.is(
    store.operation(n).summary,
    `pull from store ${THERE}: commit bike:v2; renumber bike:v2 -> v3`,
  )
  const url = pathToFileURL(join(path, 'elsewhere')).href
  const opened = await openStore({ root: join(path, '.artifacts'), tool: 'test/1' })
  const remote = { name: url, url, isPrimary: false, isSingleWriter: false, isConfigured: false }
  noteStore(opened, remote, THERE)
  opened.close()
  assert.match(store.operation(n).summary, `pull from ${url}: commit`)
  store.settings.set('remote.origin.url', url)
  assert.match(store.operation(n).summary, 'pull from origin: commit')
  assert.equal(store.operation(n).words.slice(0, 2), [
    `operations up to 7 of origin (store ${THERE}) taken over`,
    `version bike:v2 -> v3: @${store.version('bike:v3').id.slice(0, 12)}`,
  ])
})

async function idsOf(bike: Bikes): Promise<{ artifact: ArtifactId; id: ObjectId }> {
  const opened = await openStore({ root: join(bike.path, '.artifacts'), tool: 'test/1' })
  const artifact = opened.index.state.artifactByName('default', 'bike')?.id as ArtifactId
  opened.close()
  return { artifact, id: sampleVersion(artifact, 2, sampleObject('theirs')).version }
}

test.run()
