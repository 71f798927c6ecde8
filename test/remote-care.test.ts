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

test('a remote that has everything is sound, read or not', async () => {
  await using one = await bikes()
  await using server = await fileServer()
  await one.store.remotes.add('origin', server.url)
  await commitLarge(one, 'large')
  await one.store.push([])
  assert.equal((await one.store.fsckRemote('origin')).problems, [])
  const read = await one.store.fsckRemote('origin', { data: true })
  assert.equal(read.problems, [])
  assert.ok((read.steps.find(({ name }) => name === 'packs')?.counts['bytesRead'] ?? 0) > 300_000)
})

test('what is lost or damaged at a remote is named, with the versions that need it', async () => {
  await using one = await bikes()
  await using server = await fileServer()
  await one.store.remotes.add('origin', server.url)
  await one.store.push([])
  await commitLarge(one, 'large')
  await one.store.push([])
  const name = largestPack(server.files)
  const pack = server.files.get(name) as Buffer

  const flipped = Buffer.from(pack)
  flipped[1000] = (flipped[1000] ?? 0) ^ 1
  server.files.set(name, flipped)
  assert.ok((await one.store.fsckRemote('origin')).ok, 'sizes alone do not tell')
  const [flip] = (await one.store.fsckRemote('origin', { data: true })).problems
  assert.is(flip?.file, name)
  assert.equal(flip?.affected.first, ['large:v0'])

  server.files.set(name, pack.subarray(0, 1000))
  assert.match((await one.store.fsckRemote('origin')).problems[0]?.message ?? '', '1000 bytes')

  server.files.delete(name)
  const [lost] = (await one.store.fsckRemote('origin')).problems
  assert.is(lost?.file, name)
  assert.equal(lost?.affected.first, ['large:v0'])
})

test('a log that went back or was changed is named', async () => {
  await using one = await bikes()
  await using server = await fileServer()
  await one.store.remotes.add('origin', server.url)
  await one.store.push([])
  await commitLarge(one, 'large')
  await one.store.push([])
  const last = server.files.get('log/000000000002.json') as Buffer
  server.files.delete('log/000000000002.json')
  assert.is((await one.store.fsckRemote('origin')).problems[0]?.step, 'log')
  const flipped = Buffer.from(last)
  flipped[20] = (flipped[20] ?? 0) ^ 1
  server.files.set('log/000000000002.json', flipped)
  assert.is((await one.store.fsckRemote('origin')).problems[0]?.step, 'log')
})

function largestPack(files: ReadonlyMap<string, Buffer>): string {
  const packs = [...files].filter(([name]) => name.startsWith('packs/'))
  return packs.sort(([, a], [, b]) => b.length - a.length)[0]?.[0] ?? ''
}

test.run()
