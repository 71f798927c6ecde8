/** Mistakes that were found in other trackers, each shown not to be made here. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Artifact, Store, Table } from '../../src/index.ts'
import { type Workspace, workspace } from '../library/workspace.ts'
import { readTree } from '../support/files.ts'
import { seededRandom } from '../support/random.ts'
import { rejects } from '../support/rejects.ts'
import { web } from '../support/web.ts'
import { draft, log, pathsOf, picture } from './logging.ts'

const test = suite('behaviours: traps')

const refs = ({ store }: Workspace): string[] => store.versions('bike').map(({ ref }) => ref)

test('what was captured is kept when logging fails, and can be logged without its source', async () => {
  await using ws = await workspace()
  const { store } = ws
  const file = `${ws.write('data', { a: 'captured' })}/a`
  const artifact: Artifact = store.draft('bike', { type: 'dataset' })
  await artifact.addFile(file)
  await artifact.addFile(`${ws.write('more', { '.env': 'TOKEN=1' })}/.env`)
  fs.rmSync(ws.at('data'), { recursive: true })
  fs.rmSync(ws.at('more'), { recursive: true })
  await rejects(store.commit(artifact, { aliases: ['v1'] }), 'ERR_INVALID_NAME')
  await rejects(store.commit(artifact), 'ERR_SECRETS')
  const reason = new Error('stopped')
  const signal = AbortSignal.abort(reason)
  assert.is(await store.commit(artifact, { signal }).catch((error: unknown) => error), reason)
  const version = await store.commit(artifact, { allowSecrets: true })
  assert.equal(await pathsOf(version), ['.env', 'a'])
})

test('links are kept and not followed, also those that lead round in circles; so are empty folders and modes', async () => {
  await using ws = await workspace()
  const tree = {
    'run.sh': { content: '#!/bin/sh\n', mode: 0o755 },
    'sub/up': { symlink: '..' },
    'sub/self': { symlink: 'self' },
    'sub/gone': { symlink: 'not/there' },
    empty: null,
  }
  const version = await log(ws, tree)
  assert.equal(readTree(await version.download(ws.at('out'))), readTree(ws.write('same', tree)))
})

test('latest falls back when its version goes, and old content logged again is the latest', async () => {
  await using ws = await workspace()
  for (const text of ['A', 'B', 'A']) await log(ws, { text })
  assert.equal(refs(ws), ['bike:v2', 'bike:v1', 'bike:v0'])
  assert.is((await ws.store.artifact('bike')).version, 'v2')
  await (await ws.store.artifact('bike')).delete()
  assert.is((await ws.store.artifact('bike:latest')).version, 'v1')
  await log(ws, { text: 'C' })
  assert.equal(refs(ws), ['bike:v3', 'bike:v1', 'bike:v0'], 'a number is given once')
})

test('of several deletions all are done or none', async () => {
  await using ws = await workspace()
  const { store } = ws
  await log(ws, { a: '1' }, { aliases: ['kept'] })
  await log(ws, { a: '2' })
  const before = picture(ws)
  await rejects(store.remove(['bike:v1', 'bike:v9']), 'ERR_NOT_FOUND')
  await rejects(store.remove(['bike:v1', 'bike:v0']), 'ERR_IN_USE')
  assert.is(picture(ws), before)
})

test('a version needs none of those that it was made from', async () => {
  await using ws = await workspace()
  const { store } = ws
  const random = seededRandom(9)
  const first = await log(ws, { large: random.bytes(600_000), small: 's' })
  const next = first.newDraft()
  await next.add('note', 'changed')
  const second = await store.commit(next)
  const expected = readTree(await second.download(ws.at('before')))
  await first.delete()
  await store.gc({ grace: '0' })
  assert.equal(readTree(await second.download(ws.at('after'))), expected)
  assert.ok((await second.verify()).ok)
  assert.ok((await Store.fsck({ store: store.root }, { data: 1 })).ok)
})

test('a value whose bytes are damaged is an error, never a value, a path or nothing', async () => {
  await using ws = await workspace()
  const { store } = ws
  const artifact = draft()
  const data = Array.from({ length: 20_000 }, (_, n) => [n, `row ${n}`])
  await artifact.add('t', new Table({ columns: ['n', 'text'], data }))
  const version = await store.commit(artifact)
  const packs = join(store.root, 'packs')
  for (const name of fs.readdirSync(packs)) {
    const bytes = fs.readFileSync(join(packs, name))
    const at = Math.min(30_000, bytes.length >> 1)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    fs.chmodSync(join(packs, name), 0o644)
    fs.writeFileSync(join(packs, name), bytes)
  }
  await rejects(version.get('t'), 'ERR_DAMAGED')
  await rejects(version.download(ws.at('out')), 'ERR_DAMAGED')
  await rejects(version.localPath(), 'ERR_DAMAGED')
  assert.not.ok(fs.existsSync(ws.at('out/t.table.json')))
})

test('a local copy of what a URL leads to is by its content, not by the URL', async () => {
  await using ws = await workspace()
  const { store } = ws
  await using site = await web({ '/a.txt': { body: 'old', headers: { etag: '"1"' } } })
  store.settings.set('references.hosts', site.host)
  const logged = async () => {
    const artifact = draft()
    await artifact.addReference(`${site.url}/a.txt`)
    return store.commit(artifact)
  }
  const first = await logged()
  const old = await first.localPath()
  site.pages.set('/a.txt', { body: 'new', headers: { etag: '"2"' } })
  const second = await logged()
  assert.is(second.version, 'v1')
  assert.is(fs.readFileSync(await second.localPath(), 'utf8'), 'new')
  assert.is(fs.readFileSync(old, 'utf8'), 'old')
})

test('a run that was killed is not finished, and what it was logging is not there', async () => {
  await using ws = await workspace()
  const script = `
    import { Store } from ${JSON.stringify(new URL('../../src/index.js', import.meta.url))}
    const store = await Store.open({ from: ${JSON.stringify(ws.path)} })
    const run = await store.startRun({ id: 'killed' })
    await run.log('done', { n: 1 })
    void run.log('half', ${JSON.stringify(ws.write('data', { a: seededRandom(1).bytes(5_000_000) }))})
    process.kill(process.pid, 'SIGKILL')
  `
  const args = ['--input-type=module', '--eval', script]
  const { signal, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.is(signal, 'SIGKILL', stderr)
  const run = await ws.store.run('killed')
  assert.is(run.state, 'crashed')
  assert.equal(
    run.edges().map(({ slot }) => slot),
    ['done'],
  )
  assert.not.ok(await ws.store.artifactExists('half'))
})

test('paths are in the order of their bytes, also beyond the basic plane, where W&B has its digest', async () => {
  await using ws = await workspace()
  const version = await log(ws, { '\u{1F600}.txt': 'b', '\uFFFD.txt': 'a' })
  assert.equal(await pathsOf(version), ['\uFFFD.txt', '\u{1F600}.txt'])
  assert.is(await ws.store.wandbDigest(version.ref), '01c4178f2fff130f5762bdb6e1ffc648')
})

test('no name in the store is made of anything but digits, letters and dashes', async () => {
  await using ws = await workspace()
  await log(ws, { 'a/+=': '1', 'b c': '2' })
  await ws.store.localPath('bike')
  const names = fs.readdirSync(ws.store.root, { recursive: true }) as string[]
  const [copy = ''] = names.filter((name) => name.endsWith('+='))
  for (const name of names) {
    if (!name.startsWith('cache/')) assert.match(name, /^[\w./-]+$/, name)
  }
  assert.ok(copy.startsWith('cache/'), 'but in copies for people')
})

test('what is stored and what is referred to are never taken for each other', async () => {
  await using ws = await workspace()
  fs.writeFileSync(ws.at('a'), 'text')
  const stored = draft()
  await stored.addFile(ws.at('a'))
  const referred = draft()
  await referred.addReference(pathToFileURL(ws.at('a')))
  const [first, second] = [await ws.store.commit(stored), await ws.store.commit(referred)]
  assert.equal([first.version, second.version], ['v0', 'v1'])
  assert.is.not(first.digest, second.digest)
  // W&B does take them for the same.
  const digests = [first, second].map(({ ref }) => ws.store.wandbDigest(ref))
  assert.is(await digests[0], await digests[1])
})

test('a size that no number can hold is not rounded', async () => {
  await using site = await web({
    '/huge': { headers: { etag: '"1"', 'content-length': '9007199254740993' } },
  })
  const found = await draft()
    .addReference(`${site.url}/huge`)
    .then(
      ([entry]) => entry?.size,
      (error: { code: string }) => error.code,
    )
  assert.ok(found === undefined || typeof found === 'string', `${found}`)
})

test.run()
