/** A process that adds one table to an artifact that others build with it. */
import { Artifact, Store, Table } from '../../src/index.ts'

const [root = '', group = '', part = ''] = process.argv.slice(2)
await using store = await Store.open({ store: root })
await using run = await store.startRun({ group })
const artifact = new Artifact('sweep', { type: 'dataset' })
const data = [[Number(part), Number(part) ** 2]]
await artifact.add(`parts/table_${part}`, new Table({ columns: ['n', 'square'], data }))
await run.upsertArtifact(artifact)
