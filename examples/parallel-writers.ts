/**
 * W&B's example of files from parallel runs: five writers, each a process and a run of the same group, add a table each to
 * one artifact; a last run finishes it, and the tables are read as one.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Artifact, PartitionedTable, Store, Table } from 'artifacts'

const GROUP = 'writer-group-1'
const PARTS = 'parts'
const [part] = process.argv.slice(2)
if (part === undefined) await launch()
else await write(Number(part))

/** @ray.remote def train(i) */
async function write(i: number): Promise<void> {
  await using store = await Store.open()
  await using run = await store.startRun({ group: GROUP })
  const artifact = new Artifact('parallel-artifact', { type: 'dataset' })
  const table = new Table({ columns: ['a', 'b', 'c'], data: [[i, i * 2, 2 ** i]] })
  await artifact.add(`${PARTS}/table_${i}`, table)
  // run.upsert_artifact(artifact)
  await run.upsertArtifact(artifact)
}

async function launch(): Promise<void> {
  const { store } = await Store.init('.')
  const self = fileURLToPath(import.meta.url)
  const writers = [0, 1, 2, 3, 4].map((i) => fork(self, [String(i)]))
  const ends = await Promise.all(writers.map((writer) => once(writer, 'exit')))
  console.log(
    'writers ended with',
    ends.flat().filter((code) => code !== null),
  )

  const run = await store.startRun({ group: GROUP })
  const artifact = new Artifact('parallel-artifact', { type: 'dataset' })
  await artifact.add('distributed_table', new PartitionedTable(PARTS))
  // run.finish_artifact(artifact)
  const version = await run.finishArtifact(artifact)
  console.log(version.ref, version.fileCount, 'files')

  const table = await version.get<PartitionedTable>('distributed_table')
  for await (const row of table?.rows() ?? []) console.log(row)
  let logged = 0
  for await (const _ of version.loggedBy({ all: true })) logged++
  console.log('logged by', logged, 'runs')
  await run.finish()
  store.close()
}

/* prints
writers ended with [ 0, 0, 0, 0, 0 ]
parallel-artifact:v0 6 files
[ 0, 0, 1 ]
[ 1, 2, 2 ]
[ 2, 4, 4 ]
[ 3, 6, 8 ]
[ 4, 8, 16 ]
logged by 6 runs
*/
