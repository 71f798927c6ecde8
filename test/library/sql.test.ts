/** docs/sql.md is what the views are. */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Connection } from '../../src/store/index/connection.ts'
import { runQuery } from '../../src/store/index/query.ts'
import { SCHEMA } from '../../src/store/index/schema.ts'
import type { StoreIndex } from '../../src/store/index/store-index.ts'
import { viewDefinitions } from '../../src/store/index/views.ts'
import { bikes } from '../stores.ts'
import { rejects } from '../support/rejects.ts'

const test = suite('sql')
const DOCUMENT = readFileSync('docs/sql.md', 'utf8')

test('every view has the columns that are documented, and every view is', async () => {
  await using bike = await bikes()
  const documented = new Map<string, string[]>()
  for (const part of DOCUMENT.split(/^### /m).slice(1)) {
    const [view = ''] = part.split('\n', 1)
    documented.set(
      view,
      Array.from(part.matchAll(/^\| `(\w+)` \|/gm), ([, column = '']) => column),
    )
  }
  assert.equal([...documented.keys()].sort(), [...viewDefinitions('default').keys()].sort())
  for (const [view, columns] of documented) {
    const { columns: found } = await bike.store.sql(`SELECT * FROM ${view}`)
    assert.equal(found, columns, view)
  }
})

test('the documented queries run', async () => {
  await using bike = await bikes()
  const queries = Array.from(DOCUMENT.matchAll(/^artifacts sql "(.*)"$/gm), ([, query = '']) =>
    query.replaceAll('\\"', '"'),
  )
  assert.ok(queries.length > 4)
  for (const query of queries) Array.from((await bike.store.sql(query)).rows)
})

test('views say what the library says', async () => {
  await using bike = await bikes()
  const { store } = bike
  await store.edit('bike:v1', { metadata: { acc: 0.5, deep: { n: [1, 2] } }, description: 'two' })
  await store.tag('bike:v1', ['prod', 'a tag'])
  await store.alias('bike:v0', ['best'])
  await store.remove(['bike:v2'])
  const rows = async (query: string): Promise<unknown[]> => [...(await store.sql(query)).rows]
  const [version] = store.versions('bike')
  assert.equal(
    await rows(
      'SELECT ref, id, digest, bytes, aliases, tags, description FROM versions WHERE number = 1',
    ),
    [
      [
        'bike:v1',
        version?.id,
        version?.digest,
        version?.bytes,
        '["latest"]',
        '["a tag","prod"]',
        'two',
      ],
    ],
  )
  assert.equal(await rows("SELECT metadata -> '$.deep.n' FROM versions WHERE number = 1"), [
    ['[1,2]'],
  ])
  assert.equal(await rows('SELECT ref FROM deleted_versions WHERE purged_by IS NULL'), [
    ['bike:v2'],
  ])
  assert.equal(await rows('SELECT alias, ref FROM aliases ORDER BY alias'), [
    ['best', 'bike:v0'],
    ['latest', 'bike:v1'],
  ])
  assert.equal(
    await rows(`SELECT "from", "to" FROM alias_history WHERE alias = 'best' ORDER BY operation`),
    [
      [null, 'bike:v1'],
      ['bike:v1', 'bike:v0'],
    ],
  )
  assert.equal(await rows('SELECT artifact, versions, latest FROM artifacts'), [['bike', 2, 1]])
  assert.equal(await rows('SELECT max(operation) FROM operations'), [
    [[...store.operations()][0]?.operation],
  ])
})

test('refs name the project where it is not the own one', async () => {
  await using bike = await bikes()
  const { store, commit } = bike
  await commit('zoo/car')
  const refs = async (): Promise<unknown[]> =>
    [...(await store.sql('SELECT ref FROM versions ORDER BY ref')).rows].flat()
  assert.equal(await refs(), ['bike:v0', 'bike:v1', 'bike:v2', 'zoo/car:v0'])
})

test('values stand for question marks', async () => {
  await using bike = await bikes()
  const { rows } = await bike.store.sql('SELECT ? || ?, ?', ["a'", 'b', null])
  assert.equal([...rows], [["a'b", null]])
})

test('large numbers and bytes survive as text', async () => {
  await using bike = await bikes()
  const { columns, rows } = await bike.store.sql(
    "SELECT 9007199254740993 AS n, x'00ff' AS n, 1.5, NULL",
  )
  assert.equal(
    [columns.slice(0, 2), ...rows],
    [
      ['n', 'n'],
      ['9007199254740993', '00ff', 1.5, null],
    ],
  )
})

test('nothing but one reading query is taken, and nothing is changed', async () => {
  await using bike = await bikes()
  const { store } = bike
  const before = bike.picture()
  for (const query of [
    '',
    'nonsense',
    'SELECT * FROM nowhere',
    'SELECT 1; SELECT 2',
    'SELECT ?',
    'DELETE FROM main.version',
    'UPDATE main.alias SET alias = 1',
    'INSERT INTO main.tag VALUES (1, 2, 3)',
    'DELETE FROM main.tag RETURNING *',
    'DROP TABLE main.version',
    'CREATE TABLE main.mine (x)',
    "ATTACH '/tmp/other.db' AS other",
    "VACUUM INTO '/tmp/copy.db'",
    'PRAGMA query_only = OFF',
    'BEGIN',
  ]) {
    const asked = store.sql(query).then(({ rows }) => [...rows])
    const { message } = await rejects(asked, 'ERR_USAGE')
    assert.match(message, 'The query ')
  }
  assert.is(bike.picture(), before)
})

test('an index that is kept in memory is asked like any other', () => {
  using index = new InMemory()
  const { rows } = runQuery(index as unknown as StoreIndex, 'default', 'SELECT * FROM edges')
  assert.equal([...rows], [['r', 'input', 's', 'else:v1', 'x', 0, 3]])
})

class InMemory implements Disposable {
  readonly connection: Connection = new Connection(':memory:')

  constructor() {
    this.connection.execute(SCHEMA)
    const insert = "INSERT INTO edge VALUES (1, 'r', 'input', 's', 'x', 'else:v1', 0, 3, 0)"
    this.connection.execute(insert)
  }

  read<T>(query: (connection: Connection) => T): T {
    return query(this.connection)
  }

  [Symbol.dispose](): void {
    this.connection.close()
  }
}

test.run()
