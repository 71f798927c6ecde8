/** A table is added to an artifact, and read back from the logged version, and from the run that used it. */
import { Artifact, Store, Table } from 'artifacts'

const { store } = await Store.init('.')

const logging = await store.startRun({ job: 'log' })
const artifact = new Artifact('my_dataset', { type: 'dataset' })
// table = wandb.Table(columns=["a", "b", "c"], data=[[i, i*2, 2**i]])
const data = [0, 1, 2].map((i) => [i, i * 2, 2 ** i])
await artifact.add('my_table', new Table({ columns: ['a', 'b', 'c'], data }))
await logging.logArtifact(artifact)

const reading = await store.startRun({ job: 'read' })
// artifact = r.use_artifact('my_dataset:latest'); table = artifact.get("my_table")
const version = await reading.useArtifact('my_dataset:latest')
const table = await version.get<Table>('my_table')
console.log(table?.columns)
// table = r.get('my_table')
const same = await reading.get<Table>('my_table')
for await (const row of same?.rows() ?? []) console.log(row)

// path = artifact.get_path('my_table.table.json'); path.download()
const entry = await version.entry('my_table.table.json')
console.log((await entry.download('copy')).endsWith('copy/my_table.table.json'))
await logging.finish()
await reading.finish()
store.close()

/* prints
[ 'a', 'b', 'c' ]
[ 0, 0, 1 ]
[ 1, 2, 2 ]
[ 2, 4, 4 ]
true
*/
