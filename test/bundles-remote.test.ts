/** Bundles, named where a remote can be read. */
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../src/index.ts'
import { newSite } from './bundle-sites.ts'
import { rejects } from './support/rejects.ts'

const test = suite('bundles as remotes')

test('a bundle can be cloned and pulled from, never pushed to', async () => {
  await using here = await newSite()
  await using there = await newSite()
  await here.commit('bike', { 'a.bin': 300_000, 'b.txt': 90 })
  await here.commit('car', { 'b.txt': 70 })
  await here.store.alias('bike:v0', ['best'])
  await here.store.createBundle(here.out('out.tar'))
  const { store, versions } = await Store.clone(here.out('out.tar'), { dir: here.out('clone') })
  assert.equal(versions, ['bike:v0', 'car:v0'])
  const clone = await Store.open({ store })
  assert.is(clone.version('bike:best').id, here.store.version('bike').id)
  assert.ok((await clone.verify('bike')).ok)
  clone.close()

  const pulled = await there.store.pull(['bike'], { remote: here.out('out.tar') })
  assert.equal(pulled.versions, ['bike:v0'])
  await rejects(there.store.push([], { remote: here.out('out.tar') }), 'ERR_READ_ONLY')
})

test('one volume stands for those of its set that lie beside it', async () => {
  await using here = await newSite()
  await here.commit('bike', { 'a.bin': 2_000_000 })
  const { volumes } = await here.store.createBundle(here.out('out.tar'), [], { maxSize: '1.2MB' })
  assert.ok(volumes.length > 1)
  await here.commit('bike', { 'b.txt': 7 })
  await here.store.createBundle(here.out('x.tar'))
  copyFileSync(here.out('x.tar'), here.out('out.009.tar'))
  const { versions } = await Store.clone(volumes[0]?.path ?? '', { dir: here.out('clone') })
  assert.equal(versions, ['bike:v0'])
  // Alone it says what is missing.
  mkdirSync(here.out('alone'))
  const alone = join(here.out('alone'), 'out.001.tar')
  copyFileSync(volumes[0]?.path ?? '', alone)
  await rejects(Store.clone(alone, { dir: here.out('other') }), 'ERR_DAMAGED')
})

test.run()
