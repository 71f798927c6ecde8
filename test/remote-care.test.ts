/** Space of a remote: what no version there needs goes, and nothing else. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../src/index.ts'
import { type Bikes, bikes } from './stores.ts'
import { temporaryDirectory } from './support/temp.ts'
import { fileServer } from './sync/file-server.ts'

const test = suite('care of remotes')

/** Commits bytes that nothing else has, so that they lie in packs of their own. */
async function commitLarge({ store, path }: Bikes, name: string): Promise<void> {
  const folder = join(path, name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'large.bin'), randomBytes(300_000))
  await store.commit([folder], { name, jobs: 0 })
}

test('packs that only deleted versions needed go, and what stays can be cloned', async () => {
  await using one = await bikes()
  await using server = await fileServer()
  await using directory = await temporaryDirectory()
  await one.store.remotes.add('origin', server.url)
  await commitLarge(one, 'large')
  await one.store.push([])
  await commitLarge(one, 'other')
  await one.store.push([])
  await one.store.remove(['large:v0'])
  await one.store.push([])

  const early = await one.store.gcRemote('origin')
  assert.equal(early.packs, { dropped: 0, leftover: 0 })
  assert.is(early.operation, undefined)

  const would = await one.store.gcRemote('origin', { grace: '0', dryRun: true })
  const before = [...server.files.keys()].filter((name) => name.startsWith('packs/')).length
  const done = await one.store.gcRemote('origin', { grace: '0' })
  // The first push had all in one pack: the bikes stay, and with them what lies beside them.
  assert.equal(would.packs, done.packs)
  const after = [...server.files.keys()].filter((name) => name.startsWith('packs/')).length
  assert.is(before - after, done.packs.dropped)
  const report = await Store.clone(server.url, { dir: join(directory.path, 'clone') })
  await using clone = await Store.open({ store: report.store })
  assert.equal(
    clone.artifacts().map(({ name }) => name),
    ['bike', 'other'],
  )
  for (const ref of ['bike', 'other']) assert.ok((await clone.verify(ref)).ok)
})

test('what a push that was cut has left goes when it is older than grace', async () => {
  await using one = await bikes()
  await using server = await fileServer()
  await one.store.remotes.add('origin', server.url)
  await one.store.push([])
  const stray = `packs/${'ab'.repeat(32)}.pack`
  server.files.set(stray, Buffer.from('cut'))
  assert.is((await one.store.gcRemote('origin')).packs.leftover, 0)
  assert.ok(server.files.has(stray))
  const done = await one.store.gcRemote('origin', { grace: '0' })
  assert.is(done.packs.leftover, 1)
  assert.is(done.freedBytes, 3)
  assert.not.ok(server.files.has(stray))
})

test('a pack whose versions are all deleted is dropped, its versions purged, and its file removed', async () => {
  await using one = await bikes()
  await using server = await fileServer()
  await one.store.remotes.add('origin', server.url)
  await one.store.push([])
  await commitLarge(one, 'large')
  await one.store.push([])
  await one.store.remove(['large:v0'])
  await one.store.push([])
  const done = await one.store.gcRemote('origin', { grace: '0' })
  assert.equal(done.purged, ['large:v0'])
  assert.ok(done.freedBytes > 300_000)
  assert.equal(done.kept, [])
  assert.is((await one.store.gcRemote('origin', { grace: '0' })).operation, undefined)
})

test.run()
