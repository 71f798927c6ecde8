/** What goes into a draft, under which path, and what is refused at the call. */
import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact, type ArtifactVersion } from '../../src/index.ts'
import { rejects, throwsCode } from '../support/rejects.ts'
import { settled, type Workspace, workspace } from './workspace.ts'

const test = suite('artifact')

const TREE = {
  'model.h5': 'weights',
  'checkpoints/model.h5': 'checkpoint',
  'images/cat.png': 'cat',
  'images/empty': null,
  'images/sub/dog.png': 'dog',
}

function draft(): Artifact {
  return new Artifact('bike', { type: 'dataset' })
}

async function contents(version: ArtifactVersion): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for await (const entry of version.manifest()) {
    let text = ''
    if (entry.kind === 'file') for await (const bytes of entry.read()) text += bytes
    found[entry.path] = entry.kind === 'file' ? text : entry.kind
  }
  return found
}

/** The paths that the version has which is made of a draft. */
async function pathsOf(
  ws: Workspace,
  add: (draft: Artifact, at: (name: string) => string) => Promise<unknown>,
): Promise<string[]> {
  const artifact = draft()
  await add(artifact, (name) => ws.at(`data/${name}`))
  const version = await ws.store.commit(artifact, { reuse: 'never', jobs: 0 })
  return Object.keys(await contents(version))
}

test('a file is called by its basename, or by the whole path that is given', async () => {
  await using ws = await workspace()
  ws.write('data', TREE)
  assert.equal(await pathsOf(ws, (a, at) => a.addFile(at('model.h5'))), ['model.h5'])
  assert.equal(await pathsOf(ws, (a, at) => a.addFile(at('checkpoints/model.h5'))), ['model.h5'])
  const as = 'models/mymodel.h5'
  assert.equal(await pathsOf(ws, (a, at) => a.addFile(at('model.h5'), { as })), [as])
  assert.equal(await pathsOf(ws, (a, at) => a.addFile(at('model.h5'), { as: 'models/' })), [
    'models/model.h5',
  ])
})

test('a directory goes to the root, or under the name that is given', async () => {
  await using ws = await workspace()
  ws.write('data', TREE)
  const inside = ['cat.png', 'empty', 'sub/dog.png']
  assert.equal(await pathsOf(ws, (a, at) => a.addDir(at('images'))), inside)
  assert.equal(await pathsOf(ws, (a, at) => a.addDir(`${at('images')}/`)), inside)
  assert.equal(
    await pathsOf(ws, (a, at) => a.addDir(at('images'), { as: 'pictures/' })),
    inside.map((path) => `pictures/${path}`),
  )
  assert.equal(
    await pathsOf(ws, (a, at) => a.addDir(at('images'), { include: ['*.png'], exclude: ['cat*'] })),
    ['sub/dog.png'],
  )
})

test('adders return their entries', async () => {
  await using ws = await workspace()
  ws.write('data', TREE)
  const artifact = draft()
  assert.equal(await artifact.addFile(ws.at('data/model.h5'), { as: 'a' }), {
    path: 'a',
    size: 7,
    localPath: ws.at('data/model.h5'),
  })
  const added = await artifact.addDir(ws.at('data/images'))
  assert.equal(
    added.map(({ path, size }) => [path, size]),
    [
      ['cat.png', 3],
      ['empty', 0],
      ['sub/dog.png', 3],
    ],
  )
  assert.is(artifact.pathOf(ws.at('data/images/sub/dog.png')), 'sub/dog.png')
  assert.is(artifact.pathOf(ws.at('data/other')), undefined)
})

test('a temporary file is called by its digest', async () => {
  await using ws = await workspace()
  ws.write('data', { 'tmp1.json': '1', 'tmp2.json': '2', 'same.json': '1' })
  const artifact = draft()
  for (const name of ['tmp1.json', 'tmp2.json', 'same.json']) {
    await artifact.addFile(ws.at(`data/${name}`), { isTmp: true, as: 'parts/x.json' })
  }
  const version = await ws.store.commit(artifact)
  assert.equal(await contents(version), {
    'parts/6b86b273ff34fce19d6b.json': '1',
    'parts/d4735e3a265e16eee03f.json': '2',
  })
})

test('what is not there or of the wrong kind is refused at the call, with the right adder named', async () => {
  await using ws = await workspace()
  ws.write('data', TREE)
  const artifact = draft()
  const missing = await rejects(artifact.addFile(ws.at('data/nothing')), 'ERR_NOT_FOUND')
  assert.match(missing.message, 'nothing"')
  await rejects(artifact.addDir(ws.at('data/nothing')), 'ERR_NOT_FOUND')
  const file = await rejects(artifact.addDir(ws.at('data/model.h5')), 'ERR_USAGE')
  assert.match(file.hint ?? '', 'addFile(')
  const directory = await rejects(artifact.addFile(ws.at('data/images')), 'ERR_USAGE')
  assert.match(directory.hint ?? '', 'addDir(')
  await rejects(artifact.addFile('/dev/null'), 'ERR_USAGE')
  for (const as of ['', '.', '..', 'a/../b', '/x', '//server/x', 'a//b', 'x/.git/y', 'a\0b']) {
    await rejects(artifact.addFile(ws.at('data/model.h5'), { as }), 'ERR_INVALID_PATH')
    throwsCode(() => artifact.newFile(as), 'ERR_INVALID_PATH')
  }
  assert.equal(await contents(await ws.store.commit(artifact)), {})
})

test('the same bytes again are no change, others need "overwrite"', async () => {
  await using ws = await workspace()
  ws.write('data', { a: 'one', copy: 'one', b: 'two' })
  const artifact = draft()
  await artifact.addFile(ws.at('data/a'))
  await artifact.addFile(ws.at('data/a'))
  await artifact.addFile(ws.at('data/copy'), { as: 'a' })
  const error = await rejects(artifact.addFile(ws.at('data/b'), { as: 'a' }), 'ERR_EXISTS')
  assert.match(error.message, '"a"')
  fs.writeFileSync(ws.at('data/a'), 'three')
  await rejects(artifact.addFile(ws.at('data/a')), 'ERR_EXISTS')
  await artifact.addFile(ws.at('data/a'), { overwrite: true })
  const version = await ws.store.commit(artifact)
  assert.equal(await contents(version), { a: 'three' })
  assert.is(version.fileCount, 1)
  assert.is(version.size, 5)
})

test('a directory is added again with "merge": what changed and came is taken, what went stays', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { a: '1', b: '2' })
  const artifact = draft()
  await artifact.addDir(dir)
  await artifact.addDir(dir)
  ws.write('data', { a: 'changed', c: '3' })
  fs.rmSync(ws.at('data/b'))
  await rejects(artifact.addDir(dir), 'ERR_EXISTS')
  // Nothing of a directory is added where one file can't be.
  await rejects(ws.store.commit(artifact), 'ERR_FILE_CHANGED')
  ws.write('data', { b: '2' })
  fs.rmSync(ws.at('data/b'))
  await artifact.remove('b')
  await artifact.addDir(dir, { merge: true })
  assert.equal(await contents(await ws.store.commit(artifact)), { a: 'changed', c: '3' })
})

test('nothing lies below a file', async () => {
  await using ws = await workspace()
  ws.write('data', TREE)
  const artifact = draft()
  const add = (as: string) => artifact.addFile(ws.at('data/model.h5'), { as })
  await add('a/b')
  const below = await rejects(add('a/b/c'), 'ERR_INVALID_PATH')
  assert.match(below.message, '"a/b"')
  await rejects(add('a'), 'ERR_INVALID_PATH')
  throwsCode(() => artifact.newFile('a/b/c/d'), 'ERR_INVALID_PATH')
  await rejects(artifact.addDir(ws.at('data/images'), { as: 'a/b' }), 'ERR_INVALID_PATH')
  assert.equal(Object.keys(await contents(await ws.store.commit(artifact))), ['a/b'])
})

test('an empty directory gives way to what is put in it', async () => {
  await using ws = await workspace()
  ws.write('data', TREE)
  const artifact = draft()
  await artifact.addDir(ws.at('data/images'))
  await artifact.addFile(ws.at('data/model.h5'), { as: 'empty/model.h5' })
  await artifact.addDir(ws.at('data/images'))
  assert.equal(Object.keys(await contents(await ws.store.commit(artifact))), [
    'cat.png',
    'empty/model.h5',
    'sub/dog.png',
  ])
})

test('what is taken away is one entry or all below a folder', async () => {
  await using ws = await workspace()
  const artifact = draft()
  await artifact.addDir(ws.write('data', TREE))
  assert.is(await artifact.remove('images/'), 3)
  assert.is(await artifact.remove('model.h5'), 1)
  await rejects(artifact.remove('model.h5'), 'ERR_NOT_FOUND')
  await rejects(artifact.remove('check'), 'ERR_NOT_FOUND')
  const entry = await artifact.addFile(ws.at('data/model.h5'), { as: 'x' })
  assert.is(await artifact.remove(entry), 1)
  assert.equal(Object.keys(await contents(await ws.store.commit(artifact))), [
    'checkpoints/model.h5',
  ])
})

test('a file that changed since it was added is named, and can be added again', async () => {
  await using ws = await workspace()
  const large = 'x'.repeat(300_000)
  const edits: Record<string, () => void> = {
    'another text': () => fs.writeFileSync(ws.at('data/a'), 'after!'),
    'the same size at once': () => fs.writeFileSync(ws.at('data/a'), 'later'),
    gone: () => fs.rmSync(ws.at('data/a')),
    'a directory': () => {
      fs.rmSync(ws.at('data/a'))
      fs.mkdirSync(ws.at('data/a'))
    },
  }
  for (const [what, edit] of Object.entries(edits)) {
    for (const before of ['early', large, 'x'.repeat(2_000_000)]) {
      ws.write('data', { a: before, b: 'b' })
      const artifact = draft()
      await artifact.addDir(ws.at('data'))
      edit()
      const error = await rejects(ws.store.commit(artifact, { jobs: 0 }), 'ERR_FILE_CHANGED')
      assert.match(error.message, ws.at('data/a'), what)
      assert.not.ok(artifact.finalized, 'the draft is as before')
      fs.rmSync(ws.at('data'), { recursive: true })
      ws.write('data', { a: 'again', b: 'b' })
      await artifact.addDir(ws.at('data'), { merge: true })
      assert.equal(await contents(await ws.store.commit(artifact)), { a: 'again', b: 'b' })
      fs.rmSync(ws.at('data'), { recursive: true })
    }
  }
})

test('a file that was touched and has the same bytes is the same file, if it was new', async () => {
  await using ws = await workspace()
  ws.write('data', { a: 'text' })
  const artifact = draft()
  await artifact.addFile(ws.at('data/a'))
  fs.writeFileSync(ws.at('data/a'), 'text')
  assert.equal(await contents(await ws.store.commit(artifact)), { a: 'text' })
})

test('a draft of a store keeps what files hold when they are added', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { a: 'before', b: 'b'.repeat(100_000), 'run.sh': '#!' })
  fs.chmodSync(`${dir}/run.sh`, 0o755)
  await settled()
  const artifact = ws.store.draft('bike', { type: 'dataset' })
  await artifact.addFile(`${dir}/a`)
  await artifact.addDir(dir, { as: 'all' })
  fs.rmSync(dir, { recursive: true })
  const version = await ws.store.commit(artifact)
  const found = await contents(version)
  assert.equal(Object.keys(found), ['a', 'all/a', 'all/b', 'all/run.sh'])
  assert.is(found['all/a'], 'before')
  assert.is((await version.entry('all/run.sh')).executable, true)
  assert.is((await version.entry('all/a')).executable, false)
  assert.equal(fs.readdirSync(`${ws.store.root}/tmp`), [])
})

test('nothing can be added to a draft that was logged, whatever the arguments', async () => {
  await using ws = await workspace()
  ws.write('data', TREE)
  const artifact = draft()
  assert.not.ok(artifact.finalized)
  const commit = ws.store.commit(artifact)
  await rejects(artifact.addFile(ws.at('data/model.h5')), 'ERR_FINALIZED')
  await commit
  assert.ok(artifact.finalized)
  await rejects(artifact.addFile('/nowhere'), 'ERR_FINALIZED')
  await rejects(artifact.addDir('/nowhere'), 'ERR_FINALIZED')
  await rejects(artifact.remove('nothing'), 'ERR_FINALIZED')
  throwsCode(() => artifact.newFile('..'), 'ERR_FINALIZED')
  const other = draft()
  other.finalize()
  await rejects(other.addFile(ws.at('data/model.h5')), 'ERR_FINALIZED')
  assert.is((await ws.store.commit(other)).version, 'v0')
})

test('adders that run at once are taken one after the other, and logging waits for them', async () => {
  await using ws = await workspace()
  ws.write('data', TREE)
  const artifact = draft()
  const adding = Array.from({ length: 8 }, () => artifact.addFile(ws.at('data/model.h5')))
  const other = artifact.addDir(ws.at('data/images'))
  const version = await ws.store.commit(artifact)
  await Promise.all([...adding, other])
  assert.is(version.fileCount, 3)
})

test('names and types are checked when a draft is made', () => {
  for (const name of ['', 'a b', 'a/b', 'a:b', '..', 'x'.repeat(129)]) {
    throwsCode(() => new Artifact(name, { type: 'dataset' }), 'ERR_INVALID_NAME')
    throwsCode(() => new Artifact('bike', { type: name }), 'ERR_INVALID_NAME')
    throwsCode(() => new Artifact('bike', { type: 't', project: name }), 'ERR_INVALID_NAME')
  }
})

test.run()
