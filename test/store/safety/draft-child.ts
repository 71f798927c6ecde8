/** One of several processes that add to a draft while another one finishes it again and again. */
import { Artifact, Store } from '../../../src/index.ts'

const [workspace = '', self = '', parts = ''] = process.argv.slice(2)
await using store = await Store.open({ from: workspace })
await using run = await store.startRun({ group: 'all' })
for (let part = 0; part < Number(parts); part++) {
  const artifact = new Artifact('sweep', { type: 'dataset' })
  await using file = artifact.newFile(`${self}/${part}`)
  file.write(`part ${part} of ${self} `.repeat(100))
  await file.close()
  await run.upsertArtifact(artifact)
}
