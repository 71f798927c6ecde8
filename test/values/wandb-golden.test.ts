/**
 * Files that W&B's own program (0.30.0) wrote: an artifact with tables, an image with everything that images have, a page,
 * and the manifest and digest that it gave to them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { JoinedTable, Media, PartitionedTable, Table, TypedValue } from '../../src/index.ts'
import { workspace } from '../library/workspace.ts'
import { all, MemoryFiles } from './memory.ts'

const test = suite('wandb-golden')
const GOLDEN = join(import.meta.dirname, '../../../test/golden/wandb')
const FILES = join(GOLDEN, 'files')

test('its digest and manifest are the same here', async () => {
  const { digest, manifest } = JSON.parse(readFileSync(join(GOLDEN, 'manifest.json'), 'utf8'))
  await using ws = await workspace()
  await ws.store.commit([FILES], { name: 'golden' })
  assert.is(await ws.store.wandbDigest('golden'), digest)
  const pieces = await all(ws.store.wandbManifest('golden'))
  assert.equal(JSON.parse(pieces.join('')), manifest)
})

test('a table: times with zones as the same moments, texts, lists, what is missing', async () => {
  const table = await golden<Table>('my_table')
  assert.equal(table.columns, ['n', 'text', 'at', 'cell'])
  assert.equal(table.data, [
    [1, 'x', new Date('2025-01-01T00:00:00Z'), null],
    [2, null, new Date('2025-01-02T03:04:05.678+05:30'), [1, 2]],
  ])
})

test('infinite numbers, which are no JSON, are read as such, and texts that look like them as texts', async () => {
  const table = await golden<Table>('losses')
  assert.equal(table.data, [
    [1.5, 'NaN, "Infinity"'],
    [null, '-Infinity'],
    [Number.POSITIVE_INFINITY, 'x'],
    [Number.NEGATIVE_INFINITY, '\\'],
  ])
})

test('an image with classes, a mask, and boxes by corners and by their middle', async () => {
  await assertStreet(await golden<Media>('street'))
})

test('a table of images', async () => {
  const { data } = await golden<Table>('streets')
  assert.is(data.length, 2)
  await assertStreet(data[0]?.[0] as Media)
  assert.is(data[1]?.[0], null)
})

test('a table in parts, joined tables, and a page', async () => {
  assert.equal(await all((await golden<PartitionedTable>('whole')).rows()), [[0], [1]])
  assert.equal(await all((await golden<JoinedTable>('joined')).rows()), [[[0], [0]]])
  const page = await golden<Media>('page')
  assert.is(page.kind, 'html')
  assert.match(String(await page.bytes()), '<b>x</b>')
})

test('a long text beside an infinite number is read in time that grows with it', async () => {
  const files = new MemoryFiles()
  const text = '\\"Infinity'.repeat(1_000_000)
  files.put('t.table.json', `{"columns":["a","b"],"data":[["${text}", Infinity]]}`)
  const { data } = (await files.get('t')) as Table
  const [[long, infinite] = []] = data
  assert.is(String(long).length, 9_000_000)
  assert.is(infinite, Number.POSITIVE_INFINITY)
})

test.run()

async function golden<Value extends TypedValue>(path: string): Promise<Value> {
  const files = new MemoryFiles()
  for (const entry of readdirSync(FILES, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    files.put(file.slice(FILES.length + 1), readFileSync(file))
  }
  return (await files.get(path)) as Value
}

async function assertStreet(street: Media): Promise<void> {
  assert.is(street.kind, 'image')
  assert.is(street.caption, 'a car')
  assert.equal(street.size, { width: 6, height: 4 })
  assert.equal(street.classes, [{ id: 1, name: 'car' }])
  assert.equal(street.boxes, {
    p: [
      {
        position: { minX: 0.1, minY: 0.3, maxX: 0.2, maxY: 0.4 },
        classId: 1,
        caption: 'c',
        scores: { s: 0.5 },
      },
      { position: { minX: 8, minY: 17, maxX: 12, maxY: 23 }, domain: 'pixel', classId: 1 },
    ],
  })
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47])
  assert.equal(Buffer.from(await street.bytes()).subarray(0, 4), magic)
  assert.equal(Buffer.from((await street.maskBytes('m')) ?? []).subarray(0, 4), magic)
}
