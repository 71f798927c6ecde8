/** Five processes add a table each to one artifact; the last run makes it a version and reads all tables as one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Artifact, PartitionedTable, Store, Table } from 'artifacts'

const GROUP = 'batch-12'
const [self] = process.argv.slice(2)

if (self === undefined) {
  const { store } = await Store.init('.')
  await Promise.all(['0', '1', '2', '3', '4'].map(startWriter))
  await finish(store)
  store.close()
} else {
  await write(Number(self))
}

async function startWriter(writer: string): Promise<void> {
  const program = fileURLToPath(import.meta.url)
  await once(spawn(process.execPath, [program, writer], { stdio: 'inherit' }), 'close')
}

/** What each of the processes does. */
async function write(writer: number): Promise<void> {
  await using store = await Store.open()
  await using run = await store.startRun({ group: GROUP })
  const table = new Table({ columns: ['n', 'square'], data: [[writer, writer ** 2]] })
  const artifact = new Artifact('distributed_dataset', { type: 'dataset' })
  await artifact.add(`parts/table_${writer}`, table)
  await run.upsertArtifact(artifact)
}

async function finish(store: Store): Promise<void> {
  const [draft] = store.drafts()
  const writers = new Set(draft?.parts.map((part) => part.writer))
  console.log(`${draft?.parts.length} parts by ${writers.size} runs`)

  await using run = await store.startRun({ group: GROUP })
  const artifact = new Artifact('distributed_dataset', { type: 'dataset' })
  await artifact.add('distributed_table', new PartitionedTable('parts'))
  const version = await run.finishArtifact(artifact)
  console.log(version.ref)

  const all = await version.get<PartitionedTable>('distributed_table')
  const squares: unknown[] = []
  if (all !== undefined) for await (const [, square] of all.rows()) squares.push(square)
  console.log(squares.join(', '))
}

/* prints
5 parts by 5 runs
distributed_dataset:v0
0, 1, 4, 9, 16
*/
