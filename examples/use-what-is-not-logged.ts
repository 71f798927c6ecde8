/** W&B: an artifact that was never logged can be used; it is made a version where there is none with the same content. */
import { Artifact, Store } from 'artifacts'

const { store } = await Store.init('.')
const run = await store.startRun({ job: 'evaluate' })

for (let i = 0; i < 3; i++) {
  const artifact = new Artifact('bike-model', { type: 'model' })
  await artifact.addFile('model.h5')
  // run.use_artifact(artifact)
  const version = await run.useArtifact(artifact)
  console.log(version.ref)
}
console.log(store.versions('bike-model').length)

const best = new Artifact('run-3nq3ctyy-bike-model', { type: 'model' })
await best.addFile('model.h5')
// run.log_artifact(artifact, aliases=['latest','best-ap50'])
const logged = await run.logArtifact(best, { aliases: ['latest', 'best-ap50'] })
console.log(logged.aliases)
await run.finish()
store.close()

/* prints
bike-model:v0
bike-model:v0
bike-model:v0
1
[ 'best-ap50', 'latest' ]
*/
