/** The examples at the head of W&B's reference of `Artifact`: facts, updating, walking the graph, deleting. */
import { Artifact, ArtifactsError, Store } from 'artifacts'

const { store } = await Store.init('.')

const artifact = new Artifact('artifact', {
  type: 'dataset',
  metadata: { oldKey: 'old value', index: 1 },
})
await artifact.addFile('model.h5')
const producer = await store.startRun({ job: 'prepare' })
await producer.logArtifact(artifact, { aliases: ['alias'] })
const consumer = await store.startRun({ job: 'train' })
await consumer.useArtifact('artifact:alias')

// artifact = api.artifact('project/artifact:alias')
const version = await store.artifact('default/artifact:alias')
console.log(version.digest.length, version.aliases)

// Several changes are one operation: there is no save() to forget.
await version.update({
  description: 'My new description',
  metadata: { set: { oldKey: 'new value' } },
  aliases: { add: ['best'], remove: ['latest'] },
})
console.log(version.description, version.metadata, version.aliases)

// artifact.metadata = {"newKey": "new value"}; artifact.aliases = ['replaced']; artifact.save()
await version.update({ metadata: { replace: { newKey: 'new value' } }, aliases: ['replaced'] })
console.log(version.metadata, version.aliases)

// producer_run = artifact.logged_by(); consumer_runs = artifact.used_by()
console.log('logged by', (await version.loggedBy())?.job)
for await (const run of version.usedBy()) console.log('used by', run.job)
for await (const logged of producer.loggedArtifacts()) console.log('logged', logged.ref)
for await (const used of consumer.usedArtifacts()) console.log('used', used.ref)

// artifact.delete() is refused while aliases name it, delete_aliases=True takes them along.
try {
  await version.delete()
} catch (error) {
  if (!(error instanceof ArtifactsError)) throw error
  console.log(error.code)
}
await version.delete({ aliases: true })
console.log(version.state)

// Deleting is soft until gc has removed the bytes.
await store.restore([`@${version.id}`])
console.log((await store.artifact('artifact:v0')).state)
await producer.finish()
await consumer.finish()
store.close()

/* prints
64 [ 'alias', 'latest' ]
My new description { index: 1, oldKey: 'new value' } [ 'alias', 'best' ]
{ newKey: 'new value' } [ 'replaced' ]
logged by prepare
used by train
logged artifact:v0
used artifact:v0
ERR_IN_USE
deleted
committed
*/
