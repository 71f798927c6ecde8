/** A version's files: listed, read, downloaded, verified. */
import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readTree } from '../support/files.ts'
import { seededRandom } from '../support/random.ts'
import { rejects, throwsCode } from '../support/rejects.ts'
import { type Workspace, workspace } from './workspace.ts'

const test = suite('files')
const TREE = {
  'a.csv': 'a,b\n'.repeat(50),
  'images/1.jpg': seededRandom(1).bytes(70_000),
  'images/2.jpg': seededRandom(2).bytes(400_000),
  'images/notes.txt': 'notes',
  empty: null,
  link: { symlink: 'a.csv' },
}

async function committed(): Promise<Workspace & { readonly dir: string }> {
  const ws = await workspace()
  const dir = ws.write('data', TREE)
  await ws.store.commit([dir])
  return { ...ws, dir }
}

/** Overwrites what the largest pack holds, but not its table. */
function spoilLargestPack({ store }: Workspace): void {
  const folder = join(store.root, 'packs')
  const packs = fs.readdirSync(folder).map((name) => fs.readFileSync(join(folder, name)))
  const largest = packs.reduce((a, b) => (a.length > b.length ? a : b))
  const name = fs.readdirSync(folder)[packs.indexOf(largest)] as string
  fs.writeFileSync(join(folder, name), largest.fill(0, 8, largest.length - 10_000))
}

test('entries are listed in the order of their paths, all or those below a prefix', async () => {
  await using ws = await committed()
  const paths = (prefix?: string): string[] =>
    Array.from(ws.store.entries('data', prefix === undefined ? {} : { prefix }), ({ path }) => path)
  const all = ['a.csv', 'empty', 'images/1.jpg', 'images/2.jpg', 'images/notes.txt', 'link']
  assert.equal(paths(), all)
  assert.equal(paths('images/'), all.slice(2, 5))
  assert.equal(paths('images/2'), ['images/2.jpg'])
  assert.equal(paths('nothing'), [])
})

test('a file is read piece by piece, and nothing else is', async () => {
  await using ws = await committed()
  const { store } = ws
  for (const path of ['a.csv', 'images/1.jpg', 'images/2.jpg', 'images/notes.txt']) {
    const bytes = Buffer.concat([...store.read('data', path)])
    assert.ok(bytes.equals(fs.readFileSync(join(ws.dir, path))), path)
  }
  assert.ok([...store.read('data', 'images/2.jpg')].length > 1)
  for (const path of ['images', 'images/', 'A.csv', '', '../data/a.csv']) {
    throwsCode(() => [...store.read('data', path)], 'ERR_NOT_FOUND')
  }
  for (const path of ['link', 'empty']) {
    throwsCode(() => [...store.read('data', path)], 'ERR_UNSUPPORTED')
  }
})

test('a download adds what is asked for and leaves alone what is there', async () => {
  await using ws = await committed()
  const { store } = ws
  const cases = [
    [{}, Object.keys(readTree(ws.dir))],
    [{ prefix: ['images/1', 'a'] }, ['a.csv', 'images/1.jpg']],
    [{ include: ['*.jpg'] }, ['images/1.jpg', 'images/2.jpg']],
    [{ include: ['images'], exclude: ['*.jpg'] }, ['images/notes.txt']],
    [{ exclude: ['images', 'link', 'empty'] }, ['a.csv']],
  ] as const
  for (const [index, [options, expected]] of cases.entries()) {
    const to = ws.write(`out-${index}`, index % 2 === 0 ? {} : { mine: 'stays' })
    await store.download('data', to, options)
    assert.equal(
      Object.keys(readTree(to)).filter((path) => path !== 'mine'),
      [...expected],
    )
  }
  const to = ws.write('again', { mine: 'stays', 'images/mine': 'too' })
  const first = await store.download('data', to)
  assert.equal([first.written, first.unchanged, first.files], [6, 0, 5])
  const second = await store.download('data', to)
  assert.equal([second.written, second.unchanged], [0, 6])
  ws.write('again', { 'a.csv': 'changed' })
  await rejects(store.download('data', to), 'ERR_WOULD_OVERWRITE')
  assert.equal(readTree(to)['a.csv'], 'changed')
  assert.equal(readTree(to)['images/mine'], 'too')
})

test('a version of one file is downloaded as such', async () => {
  await using ws = await committed()
  const { store } = ws
  await store.commit([join(ws.dir, 'a.csv')], { name: 'one', as: 'sub/a.csv' })
  const path = await store.file('one', ws.at('out'))
  assert.is(path, ws.at('out/sub/a.csv'))
  assert.is(fs.readFileSync(path, 'utf8'), TREE['a.csv'])
  await rejects(store.file('data', ws.at('out')), 'ERR_USAGE')
  await store.commit([ws.write('linked', { a: { symlink: 'b' } })])
  assert.match((await rejects(store.file('linked', ws.at('out')), 'ERR_USAGE')).message, 'symlink')
  await store.commit([ws.write('with-folder', { a: null, b: 'file' })])
  assert.is(await store.file('with-folder', ws.at('out')), ws.at('out/b'))
})

test('verifying finds every file whose bytes are damaged, and goes on', async () => {
  await using ws = await committed()
  const { store } = ws
  // With so much content, trees lie in another pack.
  const dir = ws.write('more', { ...TREE, big: seededRandom(3).bytes(3 << 20) })
  await store.commit([dir], { jobs: 0, name: 'more' })
  ws.write('more', {
    'images/3.jpg': seededRandom(4).bytes(100),
    'copy-of-big': seededRandom(3).bytes(3 << 20),
  })
  await store.commit([dir])
  const whole = await store.verify('more')
  assert.equal([whole.ok, whole.files, whole.damaged], [true, 8, []])
  spoilLargestPack(ws)
  const { ok, damaged } = await store.verify('more')
  assert.not.ok(ok)
  assert.equal(
    damaged.map(({ path }) => path),
    ['big', 'copy-of-big'],
  )
  assert.ok((await store.verify('data')).ok)
})

test('a directory that is verified is told apart into missing, changed and extra', async () => {
  await using ws = await committed()
  const { store } = ws
  fs.rmSync(join(ws.dir, 'link'))
  ws.write('data', { 'a.csv': 'changed', extra: '', 'empty/not-any-more': 'x' })
  fs.chmodSync(join(ws.dir, 'images/notes.txt'), 0o755)
  const { ok, missing, changed, extra, damaged } = await store.verify('data', { dir: ws.dir })
  assert.not.ok(ok)
  assert.equal(missing, ['empty', 'link'])
  assert.equal(changed, ['a.csv', 'images/notes.txt'])
  assert.equal(extra, ['empty/not-any-more', 'extra'])
  assert.equal(damaged, [])
  await rejects(store.verify('data', { dir: ws.at('nowhere') }), 'ERR_NOT_FOUND')
})

test('differences can be asked for below a path, with and without renames', async () => {
  await using ws = await committed()
  const { store } = ws
  fs.renameSync(join(ws.dir, 'images/1.jpg'), join(ws.dir, 'first.jpg'))
  ws.write('data', { 'a.csv': 'changed', 'images/3.jpg': 'new' })
  await store.commit([ws.dir])
  const kinds = async (options: object): Promise<string[]> => {
    const { changes } = await store.diff({ ref: 'data:v0' }, { ref: 'data:v1' }, options)
    return changes.map(
      ({ kind, path, from }) => `${kind} ${from === undefined ? '' : `${from} to `}${path}`,
    )
  }
  assert.equal(await kinds({}), [
    'modified a.csv',
    'renamed images/1.jpg to first.jpg',
    'added images/3.jpg',
  ])
  assert.equal(await kinds({ renames: false }), [
    'modified a.csv',
    'added first.jpg',
    'removed images/1.jpg',
    'added images/3.jpg',
  ])
  for (const paths of [['images'], ['images/'], ['./images']]) {
    assert.equal(await kinds({ paths }), ['removed images/1.jpg', 'added images/3.jpg'])
  }
  assert.equal(await kinds({ paths: ['image'] }), [])
  assert.equal(await kinds({ paths: ['a.csv', 'first.jpg'] }), [
    'modified a.csv',
    'added first.jpg',
  ])
  const report = await store.diff({ ref: 'data:v0' }, { ref: 'data:v1' })
  const { added, removed, modified, renamed, mode, type, bytesAdded, bytesRemoved } = report
  assert.equal([added, removed, modified, renamed, mode, type], [1, 0, 1, 1, 0, 0])
  assert.equal([bytesAdded, bytesRemoved], [10, 200])
})

test.run()
