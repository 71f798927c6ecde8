import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { JoinedTable } from '../../src/values/joined-table.ts'
import { PartitionedTable } from '../../src/values/partitioned-table.ts'
import { Table } from '../../src/values/table.ts'
import { encodeValue } from '../../src/values/values.ts'
import { rejects } from '../support/rejects.ts'
import { all, MemoryFiles } from './memory.ts'

const test = suite('joined-table and partitioned-table')

const people = new Table({
  columns: ['id', 'name'],
  data: [
    [1, 'Ada'],
    [2, 'Bo'],
    [3, 'Cy'],
    [null, 'nobody'],
  ],
})
const marks = new Table({
  columns: ['id', 'mark'],
  data: [
    [2, 'b'],
    [1, 'a'],
    [2, 'B'],
    [null, '-'],
    [9, 'z'],
  ],
})

test('a folder of tables is read as one, in the order of their paths', async () => {
  const files = new MemoryFiles()
  for (const i of [10, 2, 1]) {
    await files.add(`parts/table_${i}`, new Table({ columns: ['a', 'b'], data: [[i, i * 2]] }))
  }
  files.put('parts/readme.txt', 'no table')
  await files.add('parts-of-others/t', new Table({ columns: ['x'], data: [[0]] }))
  const path = await files.add('distributed_table', new PartitionedTable('parts/'))
  assert.is(path, 'distributed_table.partitioned-table.json')
  const table = (await files.get('distributed_table')) as PartitionedTable
  assert.is(table.partsPath, 'parts')
  assert.equal(await all(table.rows()), [
    [1, 2],
    [10, 20],
    [2, 4],
  ])
  assert.equal(
    (await all(table.parts())).map((part) => part.path),
    ['parts/table_1.table.json', 'parts/table_10.table.json', 'parts/table_2.table.json'],
  )
})

test('parts with other columns are named', async () => {
  const files = new MemoryFiles()
  await files.add('parts/1', new Table({ columns: ['a'], data: [] }))
  await files.add('parts/2', new Table({ columns: ['b'], data: [] }))
  await files.add('whole', new PartitionedTable('parts'))
  const table = (await files.get('whole')) as PartitionedTable
  const { message } = await rejects(all(table.rows()), 'ERR_INVALID_VALUE')
  assert.match(message, '"parts/2.table.json"')
  assert.match(message, '"parts/1.table.json"')
})

test('a table without files, or not read from an artifact, has no rows yet', async () => {
  const files = new MemoryFiles()
  await files.add('none', new PartitionedTable('nowhere'))
  assert.equal(await all(((await files.get('none')) as PartitionedTable).rows()), [])
  await rejects(all(new PartitionedTable('parts').rows()), 'ERR_USAGE')
  await rejects(all(new JoinedTable('a', 'b', 'id').rows()), 'ERR_USAGE')
})

const ADA = [
  [1, 'Ada'],
  [1, 'a'],
]
const PAIRS = [
  ADA,
  [
    [2, 'Bo'],
    [2, 'b'],
  ],
  [
    [2, 'Bo'],
    [2, 'B'],
  ],
]

test('two tables of an artifact are joined where their keys are equal; null equals nothing', async () => {
  const files = new MemoryFiles()
  await files.add('people', people)
  await files.add('marks', marks)
  const path = await files.add('joined', new JoinedTable('people', 'marks', 'id'))
  assert.equal(JSON.parse(String(files.files.get(path))), {
    _type: 'joined-table',
    table1: 'people.table.json',
    table2: 'marks.table.json',
    join_key: 'id',
  })
  const joined = (await files.get('joined')) as JoinedTable
  assert.equal(await all(joined.rows()), PAIRS)
})

test('tables that are given whole are stored with it, and the same table once', async () => {
  const files = new MemoryFiles()
  await files.add('joined', new JoinedTable(people, marks, 'id'))
  const joined = (await files.get('joined')) as JoinedTable
  assert.equal(await all(joined.rows()), PAIRS)
  assert.is(files.files.size, 3)
  await files.add('self', new JoinedTable(people, people, ['id', 'id']))
  assert.is(files.files.size, 4)
  assert.equal(await all(new JoinedTable(people, marks, 'id').rows()), PAIRS)
})

test('each table has its own key; one of them may be in parts', async () => {
  const files = new MemoryFiles()
  await files.add('people', people)
  await files.add('parts/1', new Table({ columns: ['who', 'mark'], data: [[1n, 'a']] }))
  await files.add('parts/2', new Table({ columns: ['who', 'mark'], data: [[7n, 'a']] }))
  await files.add('marks', new PartitionedTable('parts'))
  await files.add(
    'joined',
    new JoinedTable('people', 'marks.partitioned-table.json', ['id', 'who']),
  )
  const joined = (await files.get('joined')) as JoinedTable
  assert.equal(await all(joined.rows()), [
    [
      [1, 'Ada'],
      [1n, 'a'],
    ],
  ])
})

test('numbers, texts and truths that look alike are not equal', async () => {
  const one = new Table({
    columns: ['k'],
    data: [[1], ['1'], [true], ['true'], [Number.NaN], [[1]]].slice(0, 4),
  })
  const pairs = await all(new JoinedTable(one, one, 'k').rows())
  assert.equal(
    pairs,
    [1, '1', true, 'true'].map((key) => [[key], [key]]),
  )
})

test('the entry of another version becomes a reference', async () => {
  const files = new MemoryFiles()
  const url = `artifacts://${'b'.repeat(64)}/people.table.json`
  await files.add('joined', new JoinedTable({ url }, marks, 'id'))
  assert.equal([...files.urls.values()], [url])
})

test('a column or a table that is not there is named', async () => {
  const files = new MemoryFiles()
  await files.add('people', people)
  await files.add('a', new JoinedTable('people', 'people', 'age'))
  const noColumn = await rejects(
    all(((await files.get('a')) as JoinedTable).rows()),
    'ERR_INVALID_VALUE',
  )
  assert.match(noColumn.message, '"age"')
  await files.add('b', new JoinedTable('people', 'gone', 'id'))
  const noTable = await rejects(
    all(((await files.get('b')) as JoinedTable).rows()),
    'ERR_NOT_FOUND',
  )
  assert.match(noTable.message, '"gone.table.json"')
  const whole = new JoinedTable(people, new PartitionedTable('p'), 'id')
  await rejects(encodeValue('c', whole), 'ERR_INVALID_VALUE')
})

test.run()
