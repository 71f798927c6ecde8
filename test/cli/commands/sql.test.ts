import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sql } from '../../../src/cli/commands/sql.ts'
import { call, run } from '../call.ts'
import { assertFields, lines } from '../json.ts'
import { twoVersions } from '../workspace.ts'

const test = suite('sql')

test('prints rows under the names of their columns', async () => {
  const cwd = await twoVersions()
  const query = 'SELECT ref, files, description FROM versions ORDER BY ref'
  assert.is(
    await run(['sql', query], { cwd }),
    'ref      files  description\nbike:v0  4\nbike:v1  4\n',
  )
  assert.is(await run(['sql', '-q', query], { cwd }), 'bike:v0\t4\t\nbike:v1\t4\t\n')
  assert.is(await run(['sql', 'SELECT ref FROM versions WHERE 0'], { cwd }), 'ref\n')
})

test('a long answer is not held back', async () => {
  const cwd = await twoVersions()
  const query =
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2500) SELECT i FROM n'
  const rows = (await run(['sql', query], { cwd })).split('\n')
  assert.equal([rows.length, rows[1], rows[2500]], [2502, '1', '2500'])
})

test('--json has the documented fields; columns of one name stay apart', async () => {
  const cwd = await twoVersions()
  const rows = lines(await run(['sql', '--json', 'SELECT 1 AS a, 2 AS a, NULL AS b'], { cwd }))
  for (const row of rows) assertFields(row, sql.json['a line for each row'])
  assert.equal(rows, [{ type: 'row', values: { a: 1, a_2: 2, b: null } }])
})

test('what is no query ends with 2, and names the views', async () => {
  const cwd = await twoVersions()
  const { code, stdout, stderr } = await call(['sql', 'SELECT * FROM bikes'], { cwd })
  assert.equal([code, stdout], [2, ''])
  assert.match(stderr, "The query can't be run: no such table: bikes.")
  assert.match(stderr, 'docs/sql.md')
})

test.run()
