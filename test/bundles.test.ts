import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type BundleReport, listBundle, Store, verifyBundle } from '../src/index.ts'
import { readReceipt } from '../src/sync/bundle/receipt.ts'
import { commitFiles, newSite } from './bundle-sites.ts'
import { forEachCall } from './support/crash.ts'
import { rejects } from './support/rejects.ts'

const test = suite('bundles')

test('a bundle holds what was asked for, and each of its bytes is checked', async () => {
  await using site = await newSite()
  const { store, out } = site
  await site.commit('bike', { 'a.bin': 300_000, 'b.txt': 2_000 })
  await site.commit('bike', { 'a.bin': 300_000, 'c.txt': 100 })
  await site.commit('car', { 'x.bin': 80_000 })
  await store.alias('bike:v0', ['best'])
  const all = await store.createBundle(out('all.tar'))
  assert.equal(all.versions, ['bike:v0', 'bike:v1', 'car:v0'])
  assert.equal(all.prerequisites, [])
  await checkWhole(all)
  const listed = await listBundle(out('all.tar'))
  assert.equal(
    listed.versions.map(({ ref, aliases }) => [ref, aliases]),
    [
      ['default/bike:v0', ['best']],
      ['default/bike:v1', ['latest']],
      ['default/car:v0', ['latest']],
    ],
  )

  const one = await store.createBundle(out('one.tar'), ['bike:best'])
  assert.equal(one.versions, ['bike:v0'])
  await checkWhole(one)
  assert.equal(
    (await listBundle(out('one.tar'))).versions.map(({ ref, aliases }) => [ref, aliases]),
    [['default/bike:v0', ['best', 'latest']]],
  )
  assert.ok(one.bytes < all.bytes - 80_000)
  await rejects(store.createBundle(out('none.tar'), ['bik']), 'ERR_NOT_FOUND')
})

test('the same state gives the same bytes', async () => {
  await using site = await newSite()
  await site.commit('bike', { 'a.bin': 300_000, 'b.txt': 2_000 })
  await site.store.createBundle(site.out('one.tar'))
  await site.reopen()
  await site.store.createBundle(site.out('two.tar'))
  assert.ok(readFileSync(site.out('one.tar')).equals(readFileSync(site.out('two.tar'))))
})

test('what the receiver has is left out: by an operation, a version or a receipt', async () => {
  await using site = await newSite()
  const { store, out } = site
  await site.commit('bike', { 'a.bin': 3_000_000, 'b.txt': 2_000 })
  await site.commit('car', { 'x.bin': 200_000 })
  const n = store.operations({ limit: 1 })[Symbol.iterator]().next().value?.operation ?? 0
  await site.commit('bike', { 'c.bin': 10_000 })
  writeFileSync(
    out('receipt.json'),
    JSON.stringify({
      store: '0'.repeat(32),
      n: 1,
      hash: '0'.repeat(64),
      complete: [store.version('bike:v0').id, store.version('car').id, '0'.repeat(64)],
    }),
  )
  assert.is(readReceipt(out('receipt.json')).complete.length, 3)
  const since = [{ operation: n }, { ref: 'bike:v0' }, { receipt: out('receipt.json') }] as const
  for (const what of since) {
    const report = await store.createBundle(out('next.tar'), [], { since: what })
    assert.equal(report.versions, ['bike:v1'], JSON.stringify(what))
    assert.equal(report.prerequisites, ['bike:v0'])
    assert.ok(report.bytes < 40_000, `${report.bytes} bytes`)
    await checkWhole(report)
    const listed = await listBundle(out('next.tar'))
    assert.equal(
      listed.prerequisites.map(({ ref }) => ref),
      ['default/bike:v0'],
    )
    rmSync(out('next.tar'))
  }
  const nothing = await store.createBundle(out('next.tar'), [], { since: { ref: 'bike:v1' } })
  assert.equal([nothing.volumes, nothing.bundle], [[], undefined])
  assert.equal(readdirSync(out('.')), ['receipt.json'])
  await rejects(store.createBundle(out('x.tar'), [], { since: { operation: 99 } }), 'ERR_NOT_FOUND')
})

test('volumes keep to their size, and together hold everything', async () => {
  await using site = await newSite()
  await site.commit('bike', { 'a.bin': 3_000_000, 'b.bin': 900_000, 'c.txt': 20 })
  const report = await site.store.createBundle(site.out('out.tar'), [], { maxSize: '1.6MB' })
  assert.is(report.volumes.length, 3)
  assert.ok(report.volumes.every(({ bytes }) => bytes <= 1_600_000))
  assert.ok(report.volumes[0]?.path.endsWith('out.001.tar'))
  await checkWhole(report)
  // With more than one object to a pack there may be packs of one object that are larger than asked.
  await rejects(
    site.store.createBundle(site.out('o.tar'), [], { maxSize: 50_000 }),
    'ERR_INVALID_VALUE',
  )
  assert.equal(readdirSync(join(site.store.root, 'tmp')), [])
})

test('stopped at any call, it succeeds when it is run again, and the store is as it was', async () => {
  const out = (directory: string): string => join(directory, 'out.tar')
  let whole: Buffer = Buffer.of()
  const { calls } = await forEachCall({
    async prepare(directory) {
      const { store } = await Store.init(directory)
      await commitFiles(store, directory, 'bike', { 'a.bin': 90_000, 'b.txt': 300 }, 1)
      store.close()
    },
    async run(directory) {
      const store = await Store.open({ from: directory })
      try {
        await store.createBundle(out(directory), [], { maxSize: 300_000 })
      } finally {
        store.close()
      }
    },
    async check(directory) {
      const store = await Store.open({ from: directory })
      await store.createBundle(out(directory), [], { maxSize: 300_000 })
      const bytes = readFileSync(out(directory))
      store.close()
      if (whole.length === 0) whole = bytes
      assert.ok(bytes.equals(whole) || directory.endsWith('whole'))
      assert.ok((await Store.fsck({ from: directory })).ok)
    },
    faults: [
      { do: 'die', when: 'before' },
      { do: 'die', when: 'after' },
      { do: 'fail', code: 'ENOSPC' },
    ],
    sample: { points: process.env['ARTIFACTS_TEST_FULL'] === '1' ? 10_000 : 12, seed: 3 },
  })
  assert.ok(calls > 15)
})

test.run()

async function checkWhole({ volumes }: BundleReport): Promise<void> {
  const report = await verifyBundle(volumes.map(({ path }) => path))
  assert.ok(report.ok, report.volumes.map(({ problem }) => problem).join())
  assert.equal(report.missing, [])
}
