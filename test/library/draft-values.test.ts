/** Values and references in drafts and versions. */
import fs from 'node:fs'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  Artifact,
  JoinedTable,
  Media,
  NdArray,
  PartitionedTable,
  Table,
  type TypedValue,
} from '../../src/index.ts'
import { readTree } from '../support/files.ts'
import { rejects } from '../support/rejects.ts'
import { workspace } from './workspace.ts'

const test = suite('draft-values')

function draft(): Artifact {
  return new Artifact('bike', { type: 'dataset' })
}

async function rowsOf(value: Table | PartitionedTable | undefined): Promise<unknown[]> {
  const rows: unknown[] = []
  if (value !== undefined) for await (const row of value.rows()) rows.push(row)
  return rows
}

test('a value is read back from the draft and from the version', async () => {
  await using ws = await workspace()
  const artifact = draft()
  const values: Record<string, TypedValue> = {
    config: { lr: 0.1, layers: [1, 2] },
    note: 'a text',
    weights: new Float32Array([1.5, -2]),
    bytes: new Uint8Array([1, 2, 3]),
    nothing: null,
  }
  for (const [path, value] of Object.entries(values)) await artifact.add(path, value)
  const table = new Table({
    columns: ['a', 'b'],
    data: [
      [1, 'x'],
      [2, 'y'],
    ],
  })
  const entry = await artifact.add('my_table', table)
  assert.is(entry.path, 'my_table.table.json')
  assert.is(await artifact.get('other'), undefined)
  const before = await artifact.get<Table>('my_table')
  assert.equal(await rowsOf(before), [
    [1, 'x'],
    [2, 'y'],
  ])
  const version = await ws.store.commit(artifact)
  for (const [path, value] of Object.entries(values)) {
    const read = await version.get(path)
    assert.equal(read instanceof NdArray ? read.data : plain(read), plain(value), path)
  }
  assert.equal(await rowsOf(await version.get<Table>('my_table')), [
    [1, 'x'],
    [2, 'y'],
  ])
  assert.is(await version.get('other'), undefined)
  // The draft still has it when it is a version.
  assert.equal(await artifact.get('config'), values['config'])
})

function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? [...value] : value
}

test('the same value again is no change, another needs "overwrite"', async () => {
  await using ws = await workspace()
  const artifact = draft()
  const value = { a: 1 }
  const adding = artifact.add('x', value)
  value.a = 2
  await adding
  await artifact.add('x', { a: 1 })
  await rejects(artifact.add('x', { a: 3 }), 'ERR_EXISTS')
  assert.equal(await artifact.get('x'), { a: 1 }, 'it is taken as it was at the call')
  await artifact.add('x', { a: 3 }, { overwrite: true })
  await rejects(artifact.add('y', { a: Number.NaN }), 'ERR_INVALID_VALUE')
  await rejects(artifact.add('../y', 1), 'ERR_INVALID_PATH')
  const version = await ws.store.commit(artifact)
  assert.equal(await version.get('x'), { a: 3 })
  assert.is(version.fileCount, 1)
  await rejects(artifact.add('z', 1), 'ERR_FINALIZED')
})

test('a value that is refused is told of when its turn comes, also behind a long one', async () => {
  await using ws = await workspace()
  ws.write('data', { 'film.mp4': Buffer.alloc(5_000_000) })
  const artifact = draft()
  const long = artifact.add('long', new Media('video', ws.at('data/film.mp4')))
  const refused = artifact.add('refused', { a: Number.NaN })
  await long
  await rejects(refused, 'ERR_INVALID_VALUE')
})

test('a folder of tables reads as one, and tables are joined', async () => {
  await using ws = await workspace()
  const artifact = draft()
  for (const part of [0, 1, 2]) {
    await artifact.add(`parts/table_${part}`, new Table({ columns: ['n'], data: [[part]] }))
  }
  await artifact.add('all', new PartitionedTable('parts'))
  const names = new Table({
    columns: ['n', 'name'],
    data: [
      [2, 'two'],
      [0, 'zero'],
    ],
  })
  const numbers = new Table({ columns: ['n'], data: [[0], [2]] })
  await artifact.add('joined', new JoinedTable(numbers, names, 'n'))
  const version = await ws.store.commit(artifact)
  assert.equal(await rowsOf(await version.get<PartitionedTable>('all')), [[0], [1], [2]])
  const joined: unknown[] = []
  const table = await version.get<JoinedTable>('joined')
  if (table !== undefined) for await (const row of table.rows()) joined.push(row)
  assert.equal(joined, [
    [[0], [0, 'zero']],
    [[2], [2, 'two']],
  ])
})

test('media keep their file beside what is said of them', async () => {
  await using ws = await workspace()
  ws.write('data', { 'cat.png': 'not really a picture' })
  const artifact = draft()
  const image = new Media('image', ws.at('data/cat.png'), {
    caption: 'a cat',
    boxes: { seen: [{ position: { minX: 0, minY: 0, maxX: 1, maxY: 1 }, classId: 1 }] },
    classes: [{ id: 1, name: 'cat' }],
  })
  await artifact.add('first', image)
  await artifact.add('second', image)
  const version = await ws.store.commit(artifact)
  fs.rmSync(ws.at('data'), { recursive: true })
  const read = await version.get<Media>('first')
  assert.is(Buffer.from((await read?.bytes()) ?? []).toString(), 'not really a picture')
  assert.is(read?.caption, 'a cat')
  const media: string[] = []
  for await (const { path } of version.files({ prefix: 'media/' })) media.push(path)
  assert.is(media.filter((path) => path.endsWith('.png')).length, 1, 'stored once')
})

test('an image that was added at a chosen path is not stored a second time by a table', async () => {
  await using ws = await workspace()
  const film = Buffer.alloc(5_000_000)
  ws.write('data', { 'cat.png': 'cat', 'dog.png': 'dog', 'cow.png': 'cow', 'film.mp4': film })
  const artifact = draft()
  await artifact.addFile(ws.at('data/cat.png'), { as: 'pictures/tom.png' })
  await artifact.addFile(ws.at('data/dog.png'))
  await artifact.addFile(ws.at('data/cow.png'))
  fs.writeFileSync(ws.at('data/cow.png'), 'COW')
  const image = (name: string): Media => new Media('image', ws.at(`data/${name}.png`))
  // It is still to be removed when the next call looks for it.
  const long = artifact.add('film', new Media('video', ws.at('data/film.mp4')))
  const removing = artifact.remove('dog.png')
  const table = new Table({ columns: ['image'], data: [[image('cat')]] })
  const adding = artifact.add('t', table)
  const again = artifact.add('dog', image('dog'))
  await artifact.add('cow', image('cow'))
  await Promise.all([long, removing, adding, again])
  await artifact.remove('cow.png')
  const version = await ws.store.commit(artifact)
  const paths: string[] = []
  for await (const { path } of version.files()) if (path.endsWith('.png')) paths.push(path)
  assert.is(paths.length, 3)
  assert.ok(paths.includes('pictures/tom.png'))
  assert.equal(
    paths
      .filter((path) => path.startsWith('media/'))
      .map((path) => path.split('/').at(-1))
      .sort(),
    ['cow.png', 'dog.png'],
  )
  const [[cat] = []] = ((await version.get('t')) as Table).data
  assert.is(String(await (cat as Media).bytes()), 'cat')
  assert.is(String(await ((await version.get('dog')) as Media).bytes()), 'dog')
  assert.is(String(await ((await version.get('cow')) as Media).bytes()), 'COW')
})

test("a table of another version's images refers to them, and they are read and downloaded whole", async () => {
  await using ws = await workspace()
  const source = draft()
  const images = ['one', 'two'].map((text) => [new Media('image', Buffer.from(text)), text])
  await source.add('t', new Table({ columns: ['image', 'name'], data: images }))
  const first = await ws.store.commit(source)
  const { data } = (await first.get<Table>('t')) as Table
  const artifact = ws.store.draft('again', { type: 'dataset' })
  await artifact.add('t2', new Table({ columns: ['image', 'name'], data }))
  const second = await ws.store.commit(artifact)
  const kinds: string[] = []
  for await (const { kind, path } of second.files()) if (path.endsWith('.png')) kinds.push(kind)
  assert.equal(kinds, ['reference', 'reference'])
  const again = (await second.get<Table>('t2')) as Table
  const texts = again.data.map(async ([image]) => String(await (image as Media).bytes()))
  assert.equal(await Promise.all(texts), ['one', 'two'])
  const dir = await second.download(ws.at('copy'))
  const found = fs.readdirSync(dir, { recursive: true, encoding: 'utf8' })
  const pngs = found.filter((name) => name.endsWith('.png')).map((name) => `${dir}/${name}`)
  assert.equal(pngs.map((file) => fs.readFileSync(file, 'utf8')).sort(), ['one', 'two'])
})

test('a value in a file that stays where it is is read, until that has changed', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { 'a.json': '{"a":1}' })
  const artifact = draft()
  await artifact.addReference(pathToFileURL(dir))
  assert.equal(await artifact.get('a'), { a: 1 })
  const version = await ws.store.commit(artifact)
  assert.equal(await version.get('a'), { a: 1 })
  fs.writeFileSync(`${dir}/a.json`, '{"a":2}')
  await rejects(version.get('a'), 'ERR_REMOTE_CHANGED')
})

test('an entry of another version is referred to by itself or by its URL', async () => {
  await using ws = await workspace()
  const source = draft()
  await source.addDir(ws.write('data', { 'a/1': 'one', 'a/2': 'two' }))
  const first = await ws.store.commit(source)
  const entry = await first.entry('a/1')
  const artifact = new Artifact('other', { type: 'result' })
  const [added] = await artifact.addReference(entry, { as: 'x/one' })
  assert.equal(added, { path: 'x/one', size: 3, localPath: undefined })
  await artifact.addReference(entry, { as: 'x/one' })
  // A draft that knows no store can't look into one.
  await rejects(artifact.addReference('artifacts://bike:v0/a'), 'ERR_USAGE')
  const known = ws.store.draft('third', { type: 'result' })
  await known.addReference('artifacts://bike:v0/a', { as: 'all' })
  const version = await ws.store.commit(artifact)
  const found = await version.entry('x/one')
  assert.is(found.kind, 'reference')
  assert.is(found.uri, entry.url)
  assert.equal(found.digest, entry.digest)
  const third = await ws.store.commit(known)
  assert.is(third.fileCount, 2)
  assert.is((await third.entry('all/2')).uri, (await first.entry('a/2')).url)
})

test('files are referred to where they are, by URI only', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { a: '1', 'b/c': '22' })
  const artifact = draft()
  const error = await rejects(artifact.addReference(`${dir}/a`), 'ERR_USAGE')
  assert.match(error.hint ?? '', pathToFileURL(`${dir}/a`).href)
  const found = await artifact.addReference(pathToFileURL(dir), { as: 'in' })
  assert.equal(
    found.map(({ path, size }) => [path, size]),
    [
      ['in/a', 1],
      ['in/b/c', 2],
    ],
  )
  await rejects(artifact.addReference(pathToFileURL(`${dir}/b/c`), { as: 'in/a' }), 'ERR_EXISTS')
  await rejects(artifact.addFile(`${dir}/a`, { as: 'in/a' }), 'ERR_EXISTS')
  await rejects(artifact.addReference('file:///nowhere/at/all'), 'ERR_NOT_FOUND')
  await artifact.addReference('ref://host/x', { as: 'other' })
  const version = await ws.store.commit(artifact)
  assert.is(version.size, 3)
  assert.is((await version.entry('other')).size, undefined)
  assert.is(await artifact.remove('x').catch(() => 'final'), 'final')
})

test('what a version refers to is downloaded with it, as entries or as whole versions', async () => {
  await using ws = await workspace()
  const put = async (name: string, add: (artifact: Artifact) => Promise<unknown>) => {
    const artifact = new Artifact(name, { type: 'dataset' })
    await add(artifact)
    return ws.store.commit(artifact)
  }
  const files = ws.write('data', { one: '1', two: '2' })
  const raw = await put('raw', (artifact) => artifact.addDir(files))
  const entry = await raw.entry('one')
  const middle = await put('middle', async (artifact) => {
    await artifact.addReference(entry, { as: 'x' })
    await artifact.add('y', 1)
  })
  const last = await put('last', async (artifact) => {
    await artifact.addReference(await middle.entry('y.json'))
  })
  const before = process.cwd()
  process.chdir(ws.path)
  try {
    assert.is(await last.download(), ws.at('artifacts/last-v0'))
    assert.equal(fs.readdirSync('artifacts'), ['last-v0'])
    await last.download(ws.at('other'), { recursive: true })
    assert.equal(readTree(ws.at('other')), { 'y.json': '1\n' })
    assert.equal(readTree('artifacts'), {
      'last-v0/y.json': '1\n',
      'middle-v0/x': '1',
      'middle-v0/y.json': '1\n',
      'raw-v0/one': '1',
      'raw-v0/two': '2',
    })
  } finally {
    process.chdir(before)
  }
})

test.run()
