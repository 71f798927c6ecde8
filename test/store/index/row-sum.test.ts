import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { IndexDamageError } from '../../../src/store/index/connection.ts'
import type { StateView } from '../../../src/store/index/state.ts'
import { sampleArtifact, sampleObject } from '../log/samples.ts'
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
  version: (state) => state.versions(BIKE),
  alias: (state) => state.aliases(BIKE),
  tag: (state) => state.versions(BIKE).map(({ id }) => state.tagsOf(id)),
  operation: (state) => [1, 2].map((n) => state.operation(n)),
}

for (const [table, read] of Object.entries(READS)) {
  test(`a value that is another in the table "${table}" is damage`, () => {
    const { connection } = labelled()
    const columns = connection
      .all<{ name: string }>(`PRAGMA table_info(${table})`)
      .map(({ name }) => name)
    assert.is(columns.at(-1), 'sum')
    for (const column of columns) {
      // A row is found by its key: another key is another row.
      if (/^(n|artifact|version)$/.test(column)) continue
      const { connection, state } = labelled()
      read(state)
      connection.run(`UPDATE ${table} SET ${column} = CASE typeof(${column})
        WHEN 'integer' THEN ${column} + 7 WHEN 'text' THEN ${column} || 'x' ELSE 'x' END`)
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

function isDamage(error: unknown): boolean {
  return error instanceof IndexDamageError
}

test.run()
