/**
 * W&B: "Delete all the model artifacts a run has logged", for all runs of a project; and the files of one run, which
 * they list with `Files(api.client, run)`.
 */
import { Store } from 'artifacts'

const { store } = await Store.init('.')
for (const job of ['first', 'second']) {
  await using run = await store.startRun({ project: 'my_project', job })
  await run.logModel('model.h5', { name: `${job}-model`, aliases: ['best'] })
  await run.log('images', 'images', { type: 'dataset' })
}

// for file in Files(api.client, run): file.name, file.url
const second = await store.findRun({ project: 'my_project' })
for await (const { path, size, url } of second.files()) {
  console.log(path, size, url.replace(/[0-9a-f]{64}/, '<version id>'))
}

// runs = api.runs(path="my_entity/my_project")
for await (const run of store.runs({ path: 'my_project' })) {
  for await (const version of run.loggedArtifacts()) {
    if (version.type === 'model') await version.delete({ aliases: true })
  }
}
console.log((await store.find([])).map(({ ref }) => ref))
store.close()

/* prints
model.h5 7 artifacts://<version id>/model.h5
cat.png 3 artifacts://<version id>/cat.png
dog.png 3 artifacts://<version id>/dog.png
[ 'my_project/images:v0' ]
*/
