/**
 * Ten versions logged in a loop. W&B warns that v0 is not sure to have index 0; here the numbers follow the order of the
 * calls, although none of them is awaited.
 */
import { Artifact, type ArtifactVersion, Store } from 'artifacts'

const { store } = await Store.init('.')
const run = await store.startRun({ job: 'race' })

const logged: Promise<ArtifactVersion>[] = []
for (let i = 0; i < 10; i++) {
  const artifact = new Artifact('race', { type: 'dataset', metadata: { index: i } })
  await artifact.add('index.json', { index: i })
  logged.push(run.logArtifact(artifact))
}
for (const { ref, metadata } of await Promise.all(logged)) console.log(ref, metadata['index'])
await run.finish()
store.close()

/* prints
race:v0 0
race:v1 1
race:v2 2
race:v3 3
race:v4 4
race:v5 5
race:v6 6
race:v7 7
race:v8 8
race:v9 9
*/
