import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { IndexDamageError } from '../../../src/store/index/connection.ts'
import type { StateView } from '../../../src/store/index/state.ts'
import type { Change } from '../../../src/store/log/change.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import { sampleArtifact, sampleObject, sampleVersion } from '../log/samples.ts'
import { type MemoryState, memoryState } from './memory-state.ts'

const test = suite('row-sum')

const BIKE = sampleArtifact('bike')

function labelled(): MemoryState {
  const memory = memoryState()
  const labels = { tags: ['t'], description: 'd', metadata: { a: 1 } }
  memory.commit('bike', sampleObject(0), labels)
  memory.commit('bike', sampleObject(1), { aliases: ['best'] })
  return memory
}

/** Everything that reads rows of a table. */
const READS: Readonly<Record<string, (state: StateView) => unknown>> = {
  artifact: (state) => [state.artifacts(), state.nextNumber(BIKE)],
  version: (state) => state.everyVersion(BIKE),
  alias: (state) => state.aliases(BIKE),
  tag: (state) => state.everyVersion(BIKE).map(({ id }) => state.tagsOf(id)),
  operation: (state) => [1, 2].map((n) => state.operation(n)),
}

for (const [table, read] of Object.entries(READS)) {
  test(`a value that is another in the table "${table}" is damage`, () => {
    const { connection } = labelled()
    const columns = connection.all<{ name: string; type: string }>(`PRAGMA table_info(${table})`)
    assert.is(columns.at(-1)?.name, 'sum')
    for (const { name: column, type } of columns) {
      // A row is found by its key: another key is another row.
      if (/^(n|artifact|version)$/.test(column)) continue
      const { connection, state } = labelled()
      read(state)
      const other = type === 'INTEGER' ? `ifnull(${column}, 0) + 7` : `ifnull(${column}, '') || 'x'`
      connection.run(`UPDATE ${table} SET ${column} = ${other}`)
      assert.throws(() => read(state), isDamage, `${table}.${column}`)
    }
  })
}

test('a name that nothing finds is looked for in every row, and a row that is damaged ends that', () => {
  const { connection, state } = labelled()
  assert.is(state.artifactByName('default', 'car'), undefined)
  connection.run("UPDATE artifact SET name = 'boke'")
  assert.throws(() => state.artifactByName('default', 'bike'), isDamage)
})

test('an artifact that is not found gets no number for a version', () => {
  assert.throws(() => labelled().state.nextNumber(sampleArtifact('car')), isDamage)
})

test('a row that is damaged is not sealed by a change of it', () => {
  const { connection, apply } = labelled()
  const version = versionId(sampleObject(1))
  connection.run("UPDATE version SET description = 'damaged'")
  const change = {
    kind: 'version.edit',
    artifact: BIKE,
    version,
    set: { ttl: 5 },
    old: { ttl: null },
  }
  assert.throws(() => apply(change as Change), isDamage)
  connection.run('UPDATE artifact SET next = 0')
  assert.throws(() => apply(sampleVersion(BIKE, 2, sampleObject(2))), isDamage)
})

function isDamage(error: unknown): boolean {
  return error instanceof IndexDamageError
}

test.run()
