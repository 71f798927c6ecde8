/** What is committed and under which names: directories, files, several paths, standard input. */
import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../support/random.ts'
import { rejects } from '../support/rejects.ts'
import { pathsOf, settled, storedFiles, workspace } from './workspace.ts'

const test = suite('commit-sources')

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

test('the content of one directory goes to the root, under its name as the artifact', async () => {
  await using ws = await workspace()
  const dir = ws.write('bike-data', { 'a/b': '1', c: '2', e: null })
  const report = await ws.store.commit([dir])
  assert.is(report.ref, 'bike-data:v0')
  assert.is(report.type, 'dataset')
  assert.is(report.files, 2)
  assert.is(report.bytes, 2)
  assert.equal(pathsOf(ws.store, 'bike-data'), ['a/b', 'c', 'e'])
  assert.equal(report.bound, { path: 'bike-data' })
})

test('"as" puts a directory below a path, and gives a file its path or its folder', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { a: '1', 'b/c': '2' })
  const { store } = ws
  const cases = [
    [dir, 'x/y', ['x/y/a', 'x/y/b/c']],
    [dir, 'x/', ['x/a', 'x/b/c']],
    [`${dir}/a`, 'x/y', ['x/y']],
    [`${dir}/a`, 'x/y/', ['x/y/a']],
    [`${dir}/b/c`, undefined, ['c']],
  ] as const
  for (const [index, [path, as, expected]] of cases.entries()) {
    const name = `n${index}`
    const report = await store.commit([path], as === undefined ? { name } : { name, as })
    assert.equal(pathsOf(store, name), expected)
    assert.is(report.bound, undefined)
  }
})

test('several paths each keep their own name, and need one for the artifact', async () => {
  await using ws = await workspace()
  const dir = ws.write('in/data', { a: '1' })
  const file = `${ws.write('in', { 'f.txt': '2' })}/f.txt`
  await rejects(ws.store.commit([dir, file]), 'ERR_USAGE')
  await rejects(ws.store.commit([dir, file], { name: 'n', as: 'x' }), 'ERR_USAGE')
  const report = await ws.store.commit([dir, file], { name: 'n' })
  assert.equal(pathsOf(ws.store, 'n'), ['data/a', 'f.txt'])
  assert.is(report.bound, undefined)
})

test('paths that would take each other’s place are refused, naming it', async () => {
  await using ws = await workspace()
  ws.write('.', { 'x/data/a': '1', 'y/data/a': '2', 'z/data': '3', 'w/data': '4' })
  const clashes = [
    ['x/data', 'y/data'],
    ['x/data', 'x/data'],
    ['z/data', 'w/data'],
    ['x/data', 'z/data'],
  ]
  for (const clash of clashes) {
    const error = await rejects(
      ws.store.commit(clash.map(ws.at), { name: 'n' }),
      'ERR_INVALID_PATH',
    )
    assert.match(error.message, 'data')
  }
  assert.equal(ws.store.artifacts(), [])
})

test('relative paths are relative to the given folder', async () => {
  await using ws = await workspace()
  ws.write('here/data', { a: '1' })
  const { ref } = await ws.store.commit(['data'], { cwd: ws.at('here') })
  assert.is(ref, 'data:v0')
  ws.write('here/data', { a: '2' })
  assert.is((await ws.store.commit(['.'], { cwd: ws.at('here/data') })).ref, 'data:v1')
})

test('standard input is one file, and needs its path and a name', async () => {
  await using ws = await workspace()
  const { store } = ws
  await rejects(store.commit(['-'], { name: 'n' }), 'ERR_USAGE')
  await rejects(store.commit(['-'], { name: 'n', stdin: pieces('x') }), 'ERR_USAGE')
  await rejects(store.commit(['-'], { name: 'n', stdin: pieces('x'), as: 'dir/' }), 'ERR_USAGE')
  await rejects(store.commit(['-'], { stdin: pieces('x'), as: 'a' }), 'ERR_USAGE')
  const others = { name: 'n', as: 'a', stdin: pieces('x') }
  await rejects(store.commit(['-', ws.at('missing')], others), 'ERR_USAGE')
  const long = seededRandom(1).text(300_000)
  const stdin = pieces('', long.slice(0, 1000), long.slice(1000))
  const report = await store.commit(['-'], { name: 'n', as: 'sub/a.csv', stdin })
  assert.is(report.bytes, 300_000)
  assert.equal(Buffer.concat([...store.read('n', 'sub/a.csv')]).toString(), long)
  await store.commit(['-'], { name: 'empty', as: 'a', stdin: pieces() })
  assert.is(Buffer.concat([...store.read('empty', 'a')]).length, 0)
  assert.equal(
    Object.keys(storedFiles(ws)).filter((path) => path.startsWith('tmp/')),
    [],
  )
})

test('standard input that breaks off commits nothing and leaves nothing', async () => {
  await using ws = await workspace()
  const before = storedFiles(ws)
  const broken = new Error('the pipe broke')
  async function* stdin(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half')
    throw broken
  }
  try {
    await ws.store.commit(['-'], { name: 'n', as: 'a', stdin: stdin() })
    assert.unreachable()
  } catch (error) {
    assert.is(error, broken)
  }
  assert.equal(storedFiles(ws), before)
})

test('a path that is a link is followed; a link inside a directory is kept', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { a: '1'.repeat(1000), to: { symlink: 'a' } })
  ws.write('links', { dir: { symlink: '../data' }, file: { symlink: '../data/to' } })
  const { store } = ws
  for (const round of [0, 1]) {
    if (round === 1) await settled()
    assert.is((await store.commit([ws.at('links/dir')], { name: 'dir' })).version, 'v0')
    assert.is((await store.commit([ws.at('links/file')], { name: 'file' })).version, 'v0')
  }
  assert.equal(pathsOf(store, 'dir'), ['a', 'to'])
  const [entry] = store.entries('file')
  assert.is(entry?.kind, 'file')
  assert.is(entry?.path, 'file')
  assert.is(Buffer.concat([...store.read('file', 'file')]).length, 1000)
  fs.writeFileSync(`${dir}/a`, '2'.repeat(1000))
  assert.is((await store.commit([ws.at('links/file')], { name: 'file' })).version, 'v1')
  const { outwardLinks } = await store.commit([ws.at('links')], { name: 'links' })
  assert.is(outwardLinks, 2)
})

test('what is not there, and what is neither file nor directory, is named', async () => {
  await using ws = await workspace()
  ws.write('data', { a: '1', dangling: { symlink: 'nowhere' } })
  for (const missing of ['missing', 'data/a/b', 'data/dangling']) {
    const error = await rejects(ws.store.commit([ws.at(missing)], { name: 'n' }), 'ERR_NOT_FOUND')
    assert.match(error.message, missing)
  }
  await rejects(ws.store.commit(['/dev/null'], { name: 'n' }), 'ERR_USAGE')
  assert.equal(ws.store.artifacts(), [])
})

test('a path that no version can hold is refused before anything is read', async () => {
  await using ws = await workspace()
  const file = `${ws.write('data', { a: '1' })}/a`
  for (const as of ['/abs', '../up', 'a//b', '.git/x', 'x/.artifacts', 'nul\0', '', '/']) {
    await rejects(ws.store.commit([file], { name: 'n', as }), 'ERR_INVALID_PATH')
  }
  assert.equal(ws.store.artifacts(), [])
})

test('a directory whose name is no artifact’s needs one', async () => {
  await using ws = await workspace()
  const dir = ws.write('my data', { a: '1' })
  assert.match((await rejects(ws.store.commit([dir]), 'ERR_INVALID_NAME')).message, '"my data"')
  for (const name of ['a:v0', 'a~1', 'a b', '', '@123456', 'other/p/a']) {
    await rejects(ws.store.commit([dir], { name }), 'ERR_INVALID_NAME')
  }
  assert.is((await ws.store.commit([dir], { name: 'p/a' })).ref, 'p/a:v0')
})

test('an empty directory makes an empty version', async () => {
  await using ws = await workspace()
  const report = await ws.store.commit([ws.write('data', {})])
  assert.is(report.files, 0)
  assert.ok(report.created)
  assert.equal(pathsOf(ws.store, 'data'), [])
  await ws.store.checkout('data', ws.at('copy'))
  assert.equal(fs.readdirSync(ws.at('copy')), [])
})

test.run()
