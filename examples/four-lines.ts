/**
 * W&B's "four lines of code": a run, an artifact, a directory, a version. It is used by another run afterwards, which
 * answers "what version of my dataset was this model trained on".
 */
import { readdirSync } from 'node:fs'
import { Artifact, Store } from 'artifacts'

const { store } = await Store.init('.')

// run = wandb.init(project="artifacts-example", job_type="add-dataset")
const run = await store.startRun({ project: 'artifacts-example', job: 'add-dataset' })
// artifact = wandb.Artifact(name="my_data", type="dataset")
const artifact = new Artifact('my_data', { type: 'dataset' })
// artifact.add_dir(local_path="./dataset")
await artifact.addDir('./dataset')
// run.log_artifact(artifact)
const version = await run.logArtifact(artifact)
await run.finish()
console.log(version.ref)

// run = wandb.init(job_type='train')
const train = await store.startRun({ project: 'artifacts-example', job: 'train' })
// artifact = run.use_artifact('my_data:latest', type='dataset'); artifact_dir = artifact.download()
const dataset = await train.useArtifact('my_data:latest', { type: 'dataset' })
const directory = await dataset.download()
console.log(readdirSync(directory))
await train.log('weights', new Float32Array([0.5, 1.5]), { type: 'model' })
await train.finish()

const model = await store.artifact('artifacts-example/weights')
const trainedBy = await model.loggedBy()
for await (const used of trainedBy?.usedArtifacts() ?? []) {
  console.log(`${model.ref} was trained on ${used.ref}`)
}
store.close()

/* prints
artifacts-example/my_data:v0
[ 'bikes.csv', 'notes.txt' ]
artifacts-example/weights:v0 was trained on artifacts-example/my_data:v0
*/
