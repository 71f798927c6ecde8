/** Putting files into a draft: what is captured when, which paths can be, and what stays behind. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Artifact } from '../../src/index.ts'
import { workspace } from '../library/workspace.ts'
import { readTree } from '../support/files.ts'
import { rejects, throwsCode } from '../support/rejects.ts'
import { draft, log, textsOf } from './logging.ts'

const test = suite('behaviours: adding')

test('eight adders of one file make one entry', async () => {
  await using ws = await workspace()
  const file = `${ws.write('data', { a: 'x'.repeat(100_000) })}/a`
  for (const artifact of [draft(), ws.store.draft('bike', { type: 'dataset' })]) {
    const added = await Promise.all(Array.from({ length: 8 }, () => artifact.addFile(file)))
    assert.equal(new Set(added.map(({ path, size }) => `${path} ${size}`)), new Set(['a 100000']))
    const { fileCount, size } = await ws.store.commit(artifact, { reuse: 'never' })
    assert.equal([fileCount, size], [1, 100_000])
  }
})

test('what is written to a file after it was added never gets in unnoticed', async () => {
  await using ws = await workspace()
  const file = `${ws.write('data', { a: 'before' })}/a`
  const inPlace = draft()
  const captured = ws.store.draft('bike', { type: 'dataset' })
  await inPlace.addFile(file)
  await captured.addFile(file)
  fs.appendFileSync(file, ' and after')
  const error = await rejects(ws.store.commit(inPlace), 'ERR_FILE_CHANGED')
  assert.match(error.message, file)
  assert.equal(await textsOf(await ws.store.commit(captured)), { a: 'before' })
  assert.is(fs.readFileSync(file, 'utf8'), 'before and after')
})

test('the copy of a captured file can be written by nobody else', async () => {
  await using ws = await workspace()
  const artifact = ws.store.draft('bike', { type: 'dataset' })
  await artifact.addFile(`${ws.write('data', { a: 'a' })}/a`)
  const tmp = `${ws.store.root}/tmp`
  const copies = fs.readdirSync(tmp)
  assert.is(copies.length, 1)
  for (const name of copies) assert.is(fs.statSync(`${tmp}/${name}`).mode & 0o077, 0)
  await ws.store.commit(artifact)
  assert.equal(fs.readdirSync(tmp), [])
})

test('a copy that is not logged yet survives every cleaning, and its file may go', async () => {
  await using ws = await workspace()
  const { store } = ws
  await log(ws, { a: 'a' })
  const artifact = store.draft('bike', { type: 'dataset' })
  const dir = ws.write('data', { a: 'x'.repeat(50_000) })
  await artifact.addFile(`${dir}/a`)
  await store.gc({ grace: '0' })
  assert.is((await store.cache.clean('0')).freedBytes, 0)
  fs.rmSync(dir, { recursive: true })
  const version = await store.commit(artifact)
  assert.equal(await textsOf(version), { a: 'x'.repeat(50_000) })
  assert.is((await store.localPath(version.ref)).files, 1)
})

test('a draft that is never logged leaves nothing behind when its program ends', async () => {
  await using ws = await workspace()
  const tmp = ws.write('tmp', { keep: 'k' })
  const script = `
    import { readdirSync } from 'node:fs'
    import { Artifact, Store } from ${JSON.stringify(new URL('../../src/index.js', import.meta.url))}
    const store = await Store.open({ from: ${JSON.stringify(ws.path)} })
    const captured = store.draft('bike', { type: 'dataset' })
    await captured.addFile(${JSON.stringify(`${tmp}/keep`)})
    const file = new Artifact('bike', { type: 'dataset' }).newFile('a')
    file.write('a')
    await file.close()
    process.stdout.write(String(readdirSync(${JSON.stringify(tmp)}).length))
  `
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', script],
    { encoding: 'utf8', env: { ...process.env, TMPDIR: tmp } },
  )
  assert.is(stdout, '2', stderr)
  assert.equal(fs.readdirSync(tmp), ['keep'])
  assert.equal(fs.readdirSync(`${ws.store.root}/tmp`), [])
})

test('a program that logs drafts one after the other leaves no trace in its process', async () => {
  await using ws = await workspace()
  const listeners = (): number => process.listenerCount('exit')
  const log = async (text: string): Promise<void> => {
    const artifact = draft()
    await artifact.add('text', text)
    await ws.store.commit(artifact)
  }
  await log('first')
  const before = listeners()
  for (let n = 0; n < 5; n++) await log(String(n))
  assert.is(listeners(), before)
})

/** What means something to another system, or once did, is a name like any other here. */
const ODD = ['\\x', '\\\\server\\share', 'C:x', 'C:\\x', 'a:b', 'con', ' ', '...', '~', '-rf', 'ü']

test('a path that leads nowhere else is a name, and one that could is refused by every adder', async () => {
  await using ws = await workspace()
  const file = `${ws.write('data', { a: 'a' })}/a`
  const artifact = draft()
  for (const as of ODD) await artifact.addFile(file, { as })
  const adders: Readonly<Record<string, (as: string) => Promise<unknown>>> = {
    addFile: (as) => artifact.addFile(file, { as }),
    addDir: (as) => artifact.addDir(ws.at('data'), { as }),
    newFile: async (as) => artifact.newFile(as),
    commit: (as) => ws.store.commit([file], { name: 'n', as }),
  }
  for (const [name, add] of Object.entries(adders)) {
    for (const as of ['.', '..', 'a/..', 'a/../b', '../b', '/b', '//server/b', './b', 'b//c']) {
      const error = await rejects(add(as), 'ERR_INVALID_PATH')
      assert.match(error.message, '"', `${name} ${as}`)
    }
  }
  const version = await ws.store.commit(artifact)
  const dir = await version.download(ws.at('out'))
  assert.equal(new Set(Object.keys(readTree(dir))), new Set(ODD))
  assert.not.ok(fs.existsSync(ws.at('b')))
})

test('a name that would lead out of the folder of downloads is no name', async () => {
  await using ws = await workspace()
  await log(ws, { a: 'a' })
  for (const ref of ['bike:../evil', 'bike:..', '../bike', 'bike:/etc', '..:v0', 'bike:a/b']) {
    await rejects(ws.store.download(ref), 'ERR_INVALID_NAME')
    await rejects(ws.store.artifact(ref), 'ERR_INVALID_NAME')
  }
  throwsCode(() => draft({ type: '../x' }), 'ERR_INVALID_NAME')
})

test('text that its encoding does not have is an error, and leaves no entry', async () => {
  await using ws = await workspace()
  const artifact = draft()
  const bad = artifact.newFile('nested/name.txt', { encoding: 'latin1' })
  bad.write('Ж')
  await rejects(bad.close(), 'ERR_USAGE')
  const good = artifact.newFile('nested/name.txt', { encoding: 'utf8' })
  good.write('Ж')
  await good.close()
  assert.equal(await textsOf(await ws.store.commit(artifact)), { 'nested/name.txt': 'Ж' })
})

test('where nothing temporary can be written, the error names the folder', async () => {
  await using ws = await workspace()
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = `${ws.write('data', { a: 'a' })}/a`
  try {
    const error = attempt(() => draft().newFile('x')) as Error
    assert.match(error.message, `${ws.at('data/a')}`)
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
})

test('a draft is whole again after every failure of logging it', async () => {
  await using ws = await workspace()
  const artifact: Artifact = draft()
  await artifact.addDir(ws.write('data', { a: '1', b: '2' }))
  fs.rmSync(ws.at('data/b'))
  await rejects(ws.store.commit(artifact), 'ERR_FILE_CHANGED')
  await artifact.remove('b')
  assert.equal(await textsOf(await ws.store.commit(artifact)), { a: '1' })
})

function attempt(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}

test.run()
