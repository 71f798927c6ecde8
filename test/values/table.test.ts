import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Cell } from '../../src/values/cells.ts'
import { Media } from '../../src/values/media.ts'
import { Table } from '../../src/values/table.ts'
import { encodeValue } from '../../src/values/values.ts'
import { rejects, throwsCode } from '../support/rejects.ts'
import { all, MemoryFiles } from './memory.ts'

const test = suite('table')

const json = fc.jsonValue({ noUnicodeString: false }) as fc.Arbitrary<Cell>
const text = fc.string({ unit: 'binary' })
/** Cells that can stand in one column, and null among them. */
const COLUMNS: readonly fc.Arbitrary<Cell>[] = [
  fc.double({ noDefaultInfinity: false, noNaN: false }),
  fc.date({ noInvalidDate: true }),
  fc.bigInt(),
  text,
  json,
  fc.boolean(),
  fc.oneof(fc.integer(), text, json),
].map((cells: fc.Arbitrary<Cell>) => fc.option(cells, { nil: null }))

const tables: fc.Arbitrary<Table> = fc
  .uniqueArray(fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'a.b')), { maxLength: 5 })
  .chain((columns) =>
    fc
      .array(fc.constantFrom(...COLUMNS), { minLength: columns.length, maxLength: columns.length })
      .chain((cells) => fc.array(fc.tuple(...cells), { maxLength: 8 }))
      .map((data) => new Table({ columns, data: data as Cell[][] })),
  )

test('a table comes back as it was: numbers, dates, bigints, texts, JSON, and what is missing', async () => {
  await fc.assert(
    fc.asyncProperty(tables, async (table) => {
      const files = new MemoryFiles()
      await files.add('t', table)
      const found = (await files.get('t')) as Table
      assert.ok(found instanceof Table)
      assert.equal(found.columns, table.columns)
      assert.equal(found.data.map(shown), table.data.map(shown))
    }),
    { numRuns: 200 },
  )
})

test('a column of numbers holds those that JSON has none of, beside texts that look like them', async () => {
  const files = new MemoryFiles()
  const numbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, null, 1]
  const table = new Table({ columns: ['loss', 'text'], data: numbers.map((n) => [n, String(n)]) })
  await files.add('t', table)
  assert.equal(((await files.get('t')) as Table).data.map(shown), table.data.map(shown))
})

test("the table of W&B's example is stored as W&B stores it", async () => {
  const data = Array.from({ length: 3 }, (_, i) => [i, i * 2, 2 ** i])
  const [{ path, ...file }, ...others] = await encodeValue(
    'my_table',
    new Table({ columns: ['a', 'b', 'c'], data }),
  )
  assert.is(path, 'my_table.table.json')
  assert.equal(others, [])
  const number = { wb_type: 'number' }
  assert.equal(JSON.parse(String('bytes' in file && Buffer.from(file.bytes))), {
    _type: 'table',
    columns: ['a', 'b', 'c'],
    data: [
      [0, 0, 1],
      [1, 2, 2],
      [2, 4, 4],
    ],
    ncols: 3,
    nrows: 3,
    column_types: {
      wb_type: 'typedDict',
      params: { type_map: { a: number, b: number, c: number } },
    },
  })
})

test('a table that W&B wrote is read: times, missing cells, columns named by numbers', async () => {
  const files = new MemoryFiles()
  const optional = (name: string) => ({
    wb_type: 'union',
    params: { allowed_types: [{ wb_type: 'none' }, { wb_type: name }] },
  })
  const type_map = { at: optional('timestamp'), loss: optional('number'), '0': { wb_type: 'list' } }
  const document = {
    _type: 'table',
    column_types: { wb_type: 'typedDict', params: { type_map } },
    columns: ['at', 'loss', 0],
    data: [
      [1735689600000, 0.5, [1, 2]],
      [null, null, []],
    ],
    log_mode: 'IMMUTABLE',
    ncols: 3,
    nrows: 2,
  }
  files.put('t.table.json', JSON.stringify(document))
  const table = (await files.get('t')) as Table
  assert.equal(table.columns, ['at', 'loss', '0'])
  assert.equal(table.data, [
    [new Date('2025-01-01T00:00:00Z'), 0.5, [1, 2]],
    [null, null, []],
  ])
})

test('the table of a run, which says nothing but columns and data, is read', async () => {
  const files = new MemoryFiles()
  files.put('media/table/t.table.json', '{"columns":["a"],"data":[["x"],[1]]}')
  const table = (await files.get('media/table/t')) as Table
  assert.equal(table.data, [['x'], [1]])
})

test('cells are taken as they are when the table is stored', async () => {
  const cell = { a: [1] }
  const files = new MemoryFiles()
  const adding = files.add('t', new Table({ columns: ['x'], data: [[cell]] }))
  cell.a.push(2)
  await adding
  assert.equal(((await files.get('t')) as Table).data, [[{ a: [1] }]])
})

test('records become columns in the order in which they come up', async () => {
  const table = Table.fromRecords([
    { a: 1 },
    { b: 'x', a: undefined },
    JSON.parse('{"__proto__":2}'),
  ])
  assert.equal(table.columns, ['a', 'b', '__proto__'])
  assert.equal(table.data, [
    [1, null, null],
    [null, 'x', null],
    [null, null, 2],
  ])
  assert.is(table.rowCount, 3)
  const records = await all(table.records())
  assert.equal(Object.entries(records[2] ?? {}), [
    ['a', null],
    ['b', null],
    ['__proto__', 2],
  ])
  assert.equal(await all(table.rows()), table.data)
})

test('a row of another length and two columns of one name are refused', () => {
  const { message } = throwsCode(
    () => new Table({ columns: ['a', 'b'], data: [[1, 2], [3]] }),
    'ERR_INVALID_VALUE',
  )
  assert.match(message, 'row 1 has 1 cells')
  throwsCode(() => new Table({ columns: ['a', 'a'], data: [] }), 'ERR_INVALID_VALUE')
})

const REFUSED: Readonly<Record<string, readonly unknown[]>> = {
  'a date beside a number': [new Date(0), 1],
  'a bigint beside a number': [1n, 1],
  'media beside text': [new Media('image', Buffer.from('x')), 'x'],
  'NaN beside text': [Number.NaN, 'x'],
  'a date inside a list': [[new Date(0)]],
  'a date that is none': [new Date(Number.NaN)],
  'a bigint that would be long to read': [10n ** 20_000n],
  'a function': [() => 1],
  undefined: [undefined],
}

for (const [what, cells] of Object.entries(REFUSED)) {
  test(`${what} is refused by its column`, async () => {
    const table = new Table({ columns: ['odd one'], data: cells.map((cell) => [cell as Cell]) })
    const { message } = await rejects(encodeValue('t', table), 'ERR_INVALID_VALUE')
    assert.match(message, 't.table.json')
    assert.match(message, 'column odd one')
  })
}

const COLUMN_TYPES = (name: string): object => ({ params: { type_map: { a: { wb_type: name } } } })
const HOSTILE: Readonly<Record<string, unknown>> = {
  'of another type': { _type: 'image-file', columns: [], data: [] },
  'without columns': { data: [] },
  'without data': { columns: ['a'] },
  'whose data is no list': { columns: ['a'], data: { length: 1 } },
  'with a row that is no list': { columns: ['a'], data: [1] },
  'with a row that is too long': { columns: ['a'], data: [[1, 2]] },
  'with fewer rows than it says': { columns: ['a'], data: [[1]], nrows: 2 },
  'with fewer columns than it says': { columns: ['a'], data: [[1]], ncols: 2 },
  'with a text for a time': {
    columns: ['a'],
    data: [['x']],
    column_types: COLUMN_TYPES('timestamp'),
  },
  'with a time beyond all times': {
    columns: ['a'],
    data: [[9e15]],
    column_types: COLUMN_TYPES('timestamp'),
  },
  'with a text for a number': {
    columns: ['a'],
    data: [['1']],
    column_types: COLUMN_TYPES('number'),
  },
  'with a text for a bigint': { columns: ['a'], data: [['1x']], bigints: ['a'] },
  'with half a bigint': { columns: ['a'], data: [[0.5]], bigints: ['a'] },
  'with a bigint that is long to read': {
    columns: ['a'],
    data: [['1'.repeat(1e6)]],
    bigints: ['a'],
  },
  'with two columns of one name': { columns: ['a', 'a'], data: [] },
}

for (const [what, document] of Object.entries(HOSTILE)) {
  test(`a table ${what} is refused`, async () => {
    const files = new MemoryFiles()
    files.put('t.table.json', JSON.stringify(document))
    await rejects(files.get('t'), 'ERR_INVALID_VALUE')
  })
}

test('columns of NumPy arrays, which lie in another file, are not read as empty', async () => {
  const files = new MemoryFiles()
  const document = { columns: ['a'], data: [[null]], column_types: COLUMN_TYPES('ndarray') }
  files.put('t.table.json', JSON.stringify(document))
  await rejects(files.get('t'), 'ERR_UNSUPPORTED')
})

test('two hundred thousand rows take no more than some seconds', async () => {
  const data = Array.from({ length: 200_000 }, (_, i) => [i, `row ${i}`, i / 3])
  const files = new MemoryFiles()
  const began = performance.now()
  await files.add('t', new Table({ columns: ['i', 'text', 'part'], data }))
  const { rowCount } = (await files.get('t')) as Table
  assert.is(rowCount, 200_000)
  assert.ok(performance.now() - began < 20_000)
})

test.run()

/** Cells so that one comparison tells all that are different apart. */
function shown(row: readonly Cell[]): string[] {
  return row.map((cell) => {
    if (typeof cell === 'bigint') return `bigint ${cell}`
    if (cell instanceof Date) return `date ${cell.getTime()}`
    if (Object.is(cell, -0)) return 'number -0'
    return typeof cell === 'number' ? `number ${cell}` : `${typeof cell} ${JSON.stringify(cell)}`
  })
}
