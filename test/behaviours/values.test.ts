/** Tables, media and other values: added through a draft, they are equal when they are read, and stored once. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Artifact,
  type Cell,
  JoinedTable,
  Media,
  type MediaOptions,
  PartitionedTable,
  Table,
  type TypedValue,
} from '../../src/index.ts'
import { workspace } from '../library/workspace.ts'
import { seededRandom } from '../support/random.ts'
import { rejects } from '../support/rejects.ts'
import { draft, pathsOf } from './logging.ts'

const test = suite('behaviours: values')

const PIXELS = seededRandom(5).bytes(3000)

/** Adds the value to a draft, and reads it from the version that this becomes. */
async function back<T extends TypedValue>(value: T): Promise<T> {
  await using ws = await workspace()
  const artifact = draft()
  await artifact.add('it', value)
  const found = await (await ws.store.commit(artifact)).get<T>('it')
  if (found === undefined) throw new Error('nothing was read')
  if (found instanceof Media) await found.bytes()
  return found
}

test('a table is read as it was: times with their instant, big numbers, and what is missing', async () => {
  const columns = ['at', 'count', 'score', 'text', 'json']
  const data: Cell[][] = [
    [new Date('2026-05-01T12:00:00+05:30'), 2n ** 60n, 0.1, 'ä', { a: [1, null] }],
    [null, 1n, Number.NaN, '', []],
    [new Date(-1), -(2n ** 63n), Number.NEGATIVE_INFINITY, '\n', 'x'],
  ]
  const table = await back(new Table({ columns, data }))
  assert.equal(table.columns, columns)
  assert.equal(table.data, data)
})

test('a table that is made of records has a cell for each, and none where one is missing', async () => {
  const table = await back(Table.fromRecords([{ a: 1, b: 'x' }, { b: 'y' }, { c: true }]))
  assert.equal(table.columns, ['a', 'b', 'c'])
  assert.equal(table.data, [
    [1, 'x', null],
    [null, 'y', null],
    [null, null, true],
  ])
})

const EVERYTHING: Readonly<Record<string, readonly [Media['kind'], string, MediaOptions]>> = {
  'an image with a caption': ['image', 'png', { caption: 'a cat' }],
  'an image with classes and boxes': [
    'image',
    'jpg',
    {
      classes: [
        { id: 0, name: 'cat' },
        { id: 7, name: 'dog' },
      ],
      boxes: {
        truth: [
          {
            position: { minX: 0.1, minY: 0.2, maxX: 0.3, maxY: 0.4 },
            domain: 'pixel',
            classId: 7,
            caption: 'here',
            scores: { sure: 0.9 },
          },
          // Without a domain it is in parts of the image.
          { position: { minX: 0, minY: 0, maxX: 1, maxY: 1 }, classId: 0 },
        ],
        none: [],
      },
    },
  ],
  'an image with masks': [
    'image',
    'png',
    {
      classes: [{ id: 1, name: 'road' }],
      masks: { road: { source: PIXELS.subarray(0, 500), classes: [{ id: 1, name: 'road' }] } },
    },
  ],
  'a sound': ['audio', 'wav', { caption: 'a bark' }],
  'a film': ['video', 'mp4', {}],
  'a page': ['html', 'html', {}],
  'a body': ['object3d', 'glb', {}],
  'a plot': ['bokeh', 'json', {}],
}

for (const [what, [kind, format, options]] of Object.entries(EVERYTHING)) {
  test(`${what} is read as it was`, async () => {
    await using ws = await workspace()
    const bytes = kind === 'bokeh' ? Buffer.from('{"roots":[]}') : PIXELS
    const media = new Media(kind, bytes, { format, ...options })
    const artifact = draft()
    await artifact.add('it', media)
    const version = await ws.store.commit(artifact)
    const found = await version.get<Media>('it')
    if (found === undefined) throw new Error('nothing was read')
    assert.equal([found.kind, found.format, found.caption], [kind, format, options.caption])
    assert.equal(Buffer.from(await found.bytes()), Buffer.from(bytes))
    assert.equal(found.classes, options.classes)
    assert.equal(found.boxes ?? {}, options.boxes ?? {})
    for (const [name, mask] of Object.entries(options.masks ?? {})) {
      assert.equal(
        Buffer.from((await found.maskBytes(name)) ?? []),
        Buffer.from(mask.source as Buffer),
      )
    }
  })
}

test('tables are joined and read in parts, each row once', async () => {
  await using ws = await workspace()
  const artifact = draft()
  const part = (...ids: number[]) =>
    new Table({ columns: ['id', 'n'], data: ids.map((id) => [id, id * id]) })
  await artifact.add('parts/0', part(1, 2))
  await artifact.add('parts/1', part(3))
  await artifact.add(
    'names',
    new Table({
      columns: ['id', 'name'],
      data: [
        [3, 'three'],
        [1, 'one'],
      ],
    }),
  )
  await artifact.add('all', new PartitionedTable('parts'))
  await artifact.add('joined', new JoinedTable('all.partitioned-table.json', 'names', 'id'))
  const version = await ws.store.commit(artifact)
  const rows: unknown[] = []
  for await (const row of (await version.get<PartitionedTable>('all'))?.rows() ?? []) rows.push(row)
  for await (const row of (await version.get<JoinedTable>('joined'))?.rows() ?? []) rows.push(row)
  assert.equal(rows, [
    [1, 1],
    [2, 4],
    [3, 9],
    [
      [1, 1],
      [1, 'one'],
    ],
    [
      [3, 9],
      [3, 'three'],
    ],
  ])
})

test('the same picture is stored once, whatever it was made of and wherever it is used', async () => {
  await using ws = await workspace()
  const file = `${ws.write('data', { 'cat.png': PIXELS })}/cat.png`
  const artifact: Artifact = draft()
  const image = new Media('image', PIXELS, { format: 'png' })
  await artifact.add('one', image)
  await artifact.add('two', image)
  await artifact.add('three', new Media('image', Buffer.from(PIXELS), { format: 'png' }))
  const data = [[image], [new Media('image', PIXELS, { format: 'png' })]]
  await artifact.add('table', new Table({ columns: ['image'], data }))
  const pictures = (paths: readonly string[]) => paths.filter((path) => path.endsWith('.png'))
  const version = await ws.store.commit(artifact)
  assert.is(pictures(await pathsOf(version)).length, 1, (await pathsOf(version)).join(' '))
  // As a file of its own name it is another entry with the same content.
  const next = version.newDraft()
  await next.addFile(file, { as: 'cat.png' })
  const { digest } = await (await ws.store.commit(next)).entry('cat.png')
  const [path = ''] = pictures(await pathsOf(version))
  assert.equal(digest, (await version.entry(path)).digest)
})

test('the same value again is no change, and another is refused or takes its place', async () => {
  await using ws = await workspace()
  const artifact = draft()
  const first = await artifact.add('t', new Table({ columns: ['a'], data: [[1]] }))
  assert.equal(await artifact.add('t', new Table({ columns: ['a'], data: [[1]] })), {
    ...first,
  })
  await rejects(artifact.add('t', new Table({ columns: ['a'], data: [[2]] })), 'ERR_EXISTS')
  await artifact.add('t', new Table({ columns: ['a'], data: [[3]] }), { overwrite: true })
  const version = await ws.store.commit(artifact)
  assert.equal((await version.get<Table>('t'))?.data, [[3]])
  assert.is(version.fileCount, 1)
})

test('what is read runs nothing, and what cannot be stored is refused at the call', async () => {
  await using ws = await workspace()
  const artifact = draft()
  for (const value of [
    Number.NaN,
    { a: Number.POSITIVE_INFINITY },
    { a: undefined },
    () => 1,
    new Map(),
    10n,
  ]) {
    await rejects(artifact.add('bad', value as never), 'ERR_INVALID_VALUE')
  }
  await artifact.add('text', 'import os; os.system("true")')
  assert.equal(await pathsOf(await ws.store.commit(artifact)), ['text.txt'])
})

test.run()
