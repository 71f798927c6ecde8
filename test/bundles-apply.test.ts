import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ArtifactsError, Store } from '../src/index.ts'
import { readReceipt } from '../src/sync/bundle/receipt.ts'
import { commitFiles, newSite, type Site } from './bundle-sites.ts'
import { forEachCall } from './support/crash.ts'
import { seededRandom } from './support/random.ts'
import { rejects } from './support/rejects.ts'

const test = suite('applying bundles')

test('what was bundled is here, with labels, aliases and runs, and every byte as it was', async () => {
  await using here = await newSite()
  await using there = await newSite()
  await here.commit('bike', { 'a.bin': 400_000, 'b.txt': 2_000 })
  await here.commit('bike', { 'c.txt': 50 })
  await here.store.alias('bike:v0', ['best'])
  await here.store.tag('bike:v0', ['clean'])
  await here.store.edit('bike:v1', { description: 'second', metadata: { lr: 0.1 } })
  const run = await here.store.startRun({ name: 'train', project: 'default' })
  await run.useArtifact('bike:v0')
  await run.finish()
  await here.store.createBundle(here.out('out.tar'))

  const dry = await there.store.applyBundle(here.out('out.tar'), { dryRun: true })
  assert.equal(dry.versions, ['default/bike:v0', 'default/bike:v1'])
  assert.equal(there.store.artifacts(), [])
  const before = readdirSync(there.store.root)

  const applied = await there.store.applyBundle(here.out('out.tar'))
  assert.equal(applied.versions, ['bike:v0', 'bike:v1'])
  assert.equal([applied.waiting, applied.missing, applied.remarks], [[], [], []])
  assert.equal(there.store.version('bike:best').tags, ['clean'])
  assert.is(there.store.version('bike:latest').description, 'second')
  assert.equal(there.store.version('bike:v1').metadata, { lr: 0.1 })
  assert.is((await there.store.findRun({ name: 'train' })).id, run.id)
  await same(here, there, 'bike:v0', 'bike:v1')
  await sound(there)
  assert.not(before.includes('quarantine'))

  const again = await there.store.applyBundle(here.out('out.tar'))
  assert.equal([again.versions, again.operation, again.packs], [[], undefined, 0])
})

test('volumes come one at a time, in any order, and again; each version as soon as it is whole', async () => {
  await using here = await newSite()
  await here.commit('bike', { 'a.bin': 2_500_000 })
  await here.commit('car', { 'b.bin': 1_800_000 })
  await here.commit('dog', { 'c.bin': 3_000 })
  const { volumes } = await here.store.createBundle(here.out('out.tar'), [], { maxSize: '1.9MB' })
  const paths = volumes.map(({ path }) => path)
  assert.is(paths.length, 3)
  const random = seededRandom(7)
  for (let round = 0; round < 3; round++) {
    await using there = await newSite()
    const order = random.shuffle([...paths, random.pick(paths)])
    const came: string[] = []
    const seen = new Set<string>()
    for (const path of order) {
      seen.add(path)
      const report = await there.store.applyBundle(path)
      came.push(...report.versions)
      assert.is(
        report.missing.length,
        seen.size === 3 && came.length === 3 ? 0 : report.missing.length,
      )
      const waiting = await there.store.waitingBundles()
      assert.is(waiting.length, seen.size === 3 ? 0 : 1)
      if (waiting[0] !== undefined) {
        assert.equal(waiting[0].missing.length, 3 - seen.size)
        assert.is(waiting[0].of, 3)
      }
      await sound(there)
      if (seen.size === 3) break
    }
    assert.equal(came.sort(), ['bike:v0', 'car:v0', 'dog:v0'])
    await same(here, there, 'bike:v0', 'car:v0', 'dog:v0')
    assert.equal(leftIn(there), [])
  }
})

test('gc keeps what waits, and removes it after thirty days', async () => {
  await using here = await newSite()
  await using there = await newSite()
  await here.commit('bike', { 'a.bin': 2_500_000 })
  const { volumes } = await here.store.createBundle(here.out('out.tar'), [], { maxSize: '1.9MB' })
  await there.store.applyBundle(volumes[0]?.path ?? '')
  await there.store.gc({ grace: '0s' })
  const [waiting] = await there.store.waitingBundles()
  assert.equal(waiting?.missing, [2])
  const rest = await there.store.applyBundle(volumes[1]?.path ?? '')
  assert.equal(rest.versions, ['bike:v0'])
  await same(here, there, 'bike:v0')
})

test('a receipt makes the next bundle small, and what it relies on is named where it is missing', async () => {
  await using here = await newSite()
  await using there = await newSite()
  await using stranger = await newSite()
  await here.commit('bike', { 'a.bin': 3_000_000, 'b.txt': 900 })
  await here.store.createBundle(here.out('one.tar'))
  const receipt = here.out('receipt.json')
  await there.store.applyBundle(here.out('one.tar'), { receipt })
  assert.equal(readReceipt(receipt).complete, [here.store.version('bike:v0').id])
  assert.is(readReceipt(receipt).store, there.store.id)

  await here.commit('bike', { 'b.txt': 1_000 })
  await here.store.alias('bike:v0', ['best'])
  const next = await here.store.createBundle(here.out('two.tar'), [], { since: { receipt } })
  assert.equal([next.versions, next.prerequisites], [['bike:v1'], ['bike:v0']])
  assert.ok(next.bytes < 40_000)
  const error = await rejects(stranger.store.applyBundle(here.out('two.tar')), 'ERR_NOT_FOUND')
  assert.match(error.message, '"default/bike:v0"')
  assert.equal(error.data['missing'], [here.store.version('bike:v0').id])
  assert.not(existsSync(join(stranger.store.root, 'quarantine', 'bundle')))
  assert.equal(stranger.store.artifacts(), [])

  const applied = await there.store.applyBundle(here.out('two.tar'), { receipt })
  assert.equal(applied.versions, ['bike:v1'])
  assert.is(there.store.version('bike:best').id, here.store.version('bike:v0').id)
  assert.is(readReceipt(receipt).complete.length, 2)
  await same(here, there, 'bike:v0', 'bike:v1')

  const labels = await here.store.createBundle(here.out('three.tar'), [], { since: { receipt } })
  assert.equal([labels.versions, labels.packs], [[], 0])
  assert.equal((await there.store.applyBundle(here.out('three.tar'))).versions, [])
  await sound(there)
})

test('labels merge three ways: what only one side has changed stands, and deletes are carried', async () => {
  await using here = await newSite()
  await using there = await newSite()
  await here.commit('bike', { 'a.txt': 100 })
  await here.commit('bike', { 'a.txt': 200 })
  await here.store.alias('bike:v0', ['prod', 'old'])
  await here.store.edit('bike:v0', { description: 'first' })
  await here.store.createBundle(here.out('one.tar'))
  await there.store.applyBundle(here.out('one.tar'), { receipt: here.out('r.json') })

  // Over there: a description and a tag. Here: prod moves, old goes, v0 is deleted.
  await there.store.edit('bike:v1', { description: 'theirs' })
  await there.store.tag('bike:v1', ['seen'])
  await here.store.alias('bike:v1', ['prod'])
  await here.store.alias('bike:v0', ['old'], { mode: 'remove' })
  await here.store.remove(['bike:v0'])
  await here.commit('bike', { 'a.txt': 300 })
  const since = { receipt: here.out('r.json') }
  await here.store.createBundle(here.out('two.tar'), [], { since })
  const applied = await there.store.applyBundle(here.out('two.tar'))
  assert.equal([applied.versions, applied.remarks], [['bike:v2'], []])
  assert.is(there.store.version('bike:prod').ref, 'bike:v1')
  assert.is(there.store.version('bike:v1').description, 'theirs')
  assert.equal(there.store.version('bike:v1').tags, ['seen'])
  assert.throws(() => there.store.version('bike:old'))
  assert.throws(
    () => there.store.version('bike:v0'),
    (error: ArtifactsError) => /deleted/.test(error.message),
  )
  await sound(there)
})

test('an older bundle is refused where something is lacking, and changes nothing where nothing is', async () => {
  await using here = await newSite()
  await using there = await newSite()
  await using late = await newSite()
  await here.commit('bike', { 'a.txt': 100 })
  await here.store.edit('bike:v0', { description: 'old' })
  await here.store.createBundle(here.out('one.tar'))
  await here.store.edit('bike:v0', { description: 'new' })
  await here.commit('bike', { 'a.txt': 200 })
  await here.store.createBundle(here.out('two.tar'))
  await there.store.applyBundle(here.out('two.tar'))
  const again = await there.store.applyBundle(here.out('one.tar'))
  assert.is(again.operation, undefined)
  assert.is(there.store.version('bike:v0').description, 'new')

  await here.store.createBundle(here.out('only.tar'), ['bike:v1'])
  await late.store.applyBundle(here.out('only.tar'))
  const error = await rejects(late.store.applyBundle(here.out('one.tar')), 'ERR_REMOTE_CHANGED')
  assert.match(error.message, 'later bundle')
  await rejects(here.store.applyBundle(here.out('one.tar')), 'ERR_CONFLICT')
})

test('a bundle must be signed where a signer is named or set', async () => {
  await using here = await newSite()
  await using there = await newSite()
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const key = here.out('key.pem')
  const signer = here.out('signer.pem')
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(signer, publicKey.export({ type: 'spki', format: 'pem' }))
  await here.commit('bike', { 'a.txt': 100 })
  await here.store.createBundle(here.out('plain.tar'))
  const { signed } = await here.store.createBundle(here.out('signed.tar'), [], { sign: key })
  assert.ok(signed)
  const apply = (file: string, options: object): Promise<unknown> =>
    there.store.applyBundle(here.out(file), options)
  await rejects(apply('plain.tar', { signer }), 'ERR_REMOTE_CHANGED')
  await rejects(apply('signed.tar', { requireSignature: true }), 'ERR_USAGE')
  there.store.settings.set('bundle.signer', signer)
  await there.reopen()
  await rejects(apply('plain.tar', {}), 'ERR_REMOTE_CHANGED')
  assert.equal(there.store.artifacts(), [])
  await apply('signed.tar', { requireSignature: true })
  assert.is(there.store.version('bike').ref, 'bike:v0')
})

test('damage is noticed wherever it is, and the store stays as it was', async () => {
  await using here = await newSite()
  await using there = await newSite()
  await here.commit('bike', { 'a.bin': 60_000, 'b.txt': 900 })
  await here.store.createBundle(here.out('out.tar'))
  const whole = readFileSync(here.out('out.tar'))
  const random = seededRandom(9)
  for (let round = 0; round < 25; round++) {
    const bytes = Buffer.from(whole)
    const at = random.integer(0, bytes.length - 2048)
    bytes[at] = (bytes[at] as number) ^ 0x04
    writeFileSync(here.out('bad.tar'), bytes)
    const failure = await there.store.applyBundle(here.out('bad.tar')).catch((error) => error.code)
    // A byte between files says nothing; then all came.
    if (failure !== 'ERR_DAMAGED') {
      await same(here, there, 'bike:v0')
      break
    }
    assert.equal(there.store.artifacts(), [], `byte ${at}`)
  }
})

test('stopped at any call, it succeeds when it is run again', async () => {
  await using here = await newSite()
  await here.commit('bike', { 'a.bin': 120_000, 'b.txt': 300 })
  await here.commit('car', { 'a.bin': 70_000 })
  const { volumes } = await here.store.createBundle(here.out('out.tar'), [], { maxSize: 150_000 })
  assert.ok(volumes.length >= 2)
  const apply = async (directory: string): Promise<void> => {
    const store = await Store.open({ from: directory })
    try {
      for (const { path } of volumes) await store.applyBundle(path)
    } finally {
      store.close()
    }
  }
  const { calls } = await forEachCall({
    async prepare(directory) {
      const { store } = await Store.init(directory)
      await commitFiles(store, directory, 'own', { 'x.txt': 10 }, 99)
      store.close()
    },
    run: apply,
    async check(directory) {
      await apply(directory)
      const store = await Store.open({ from: directory })
      assert.equal(
        store.artifacts().map(({ name }) => name),
        ['bike', 'car', 'own'],
      )
      assert.ok((await store.verify('bike')).ok && (await store.verify('car')).ok)
      assert.equal(await store.waitingBundles(), [])
      store.close()
      const report = await Store.fsck({ from: directory })
      assert.ok(report.ok, JSON.stringify(report.problems))
    },
    faults: [
      { do: 'die', when: 'before' },
      { do: 'die', when: 'after' },
      { do: 'fail', code: 'ENOSPC' },
    ],
    untracked: (path) => path.includes('.db'),
    sample: { points: process.env['ARTIFACTS_TEST_FULL'] === '1' ? 10_000 : 14, seed: 4 },
  })
  assert.ok(calls > 30)
})

test.run()

async function same(here: Site, there: Site, ...refs: readonly string[]): Promise<void> {
  for (const ref of refs) {
    const [one, other] = [here.store.version(ref), there.store.version(ref)]
    assert.equal([other.id, other.digest], [one.id, one.digest])
    assert.ok((await there.store.verify(ref)).ok)
  }
}

async function sound({ store }: Site): Promise<void> {
  const report = await Store.fsck({ store: store.root }, { data: 1 })
  assert.ok(report.ok, JSON.stringify(report.problems))
}

function leftIn({ store }: Site): string[] {
  const quarantine = join(store.root, 'quarantine')
  return existsSync(quarantine) ? readdirSync(quarantine) : []
}
