/**
 * ClearML's example "Using Artifacts": one script makes two tasks of the project `examples`; the first one uploads a data
 * file as the artifact `data file`, the second one finds the first by its name and reads the file.
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Store } from 'artifacts'

const { store } = await Store.init('.')

// Task.init(project_name='examples', task_name='create artifact')
const task1 = await store.startRun({ project: 'examples', name: 'create artifact' })
// task1.upload_artifact(name='data file', artifact_object='data_samples/sample.json')
await task1.log('data file', 'data_samples/sample.json')
// task1.close()
await task1.finish()

const task2 = await store.startRun({
  project: 'examples',
  name: 'use artifact from other task',
})
// preprocess_task = Task.get_task(task_name='create artifact', project_name='examples')
const preprocessTask = await store.findRun({ name: 'create artifact', project: 'examples' })
// local_json = preprocess_task.artifacts['data file'].get_local_copy()
const dataFile = await preprocessTask.artifact('data file')
const localJson = await dataFile.localPath()
// What ClearML does not record: that the second task depends on the first.
await task2.useArtifact(dataFile)

console.log(basename(localJson))
console.log(readFileSync(localJson, 'utf8').trim())

// "Artifact details (location and size)"
for (const { slot, ref, bytes } of preprocessTask.edges())
  console.log(`${slot}: ${ref}, ${bytes} bytes`)

await task2.finish()
store.close()

/* prints
sample.json
{"bikes":["red","green"]}
data file: examples/data-file:v0, 26 bytes
*/
