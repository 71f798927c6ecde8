/**
 * References: bytes that stay where they are. The version records where, how many, and what tells them from others; a
 * download fetches them, and refuses what has changed.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { Artifact, ArtifactsError, Store } from 'artifacts'

/** "http://myserver.com/file.txt" */
let page = 'a page'
const server = createServer((_, response) => {
  response.writeHead(200, { etag: `"${page.length}"`, 'content-length': page.length }).end(page)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const host = `127.0.0.1:${(server.address() as AddressInfo).port}`

const { store } = await Store.init('.')
const artifact = new Artifact('references', { type: 'dataset' })
// artifact.add_reference("http://myserver.com/file.txt")
const [entry] = await artifact.addReference(`http://${host}/file.txt`)
console.log(entry?.path, entry?.size)
// artifact.add_reference("file:///mount/images", name="images")
const images = await artifact.addReference(pathToFileURL('images'), { as: 'images' })
console.log(images.map(({ path }) => path))
// Any other scheme is a pointer.
await artifact.addReference('hdfs://cluster/data/part-0.parquet', { as: 'pointers/part-0.parquet' })
const version = await store.commit(artifact)
for await (const { path, size, digest } of version.files())
  console.log(path, size, digest?.algorithm)

// What a version refers to may have been written by others: an address in a private network has to be trusted.
store.settings.set('references.hosts', host)
const dir = await version.download('copy', { exclude: ['pointers/'] })
console.log(readFileSync(`${dir}/file.txt`, 'utf8'), readFileSync(`${dir}/images/cat.png`, 'utf8'))

page = 'another page'
try {
  await version.download('again', { exclude: ['pointers/'] })
} catch (error) {
  if (!(error instanceof ArtifactsError)) throw error
  console.log(error.code)
}
writeFileSync('images/cat.png', 'dog')
const { changed } = await store.verify(version.ref, { references: true })
console.log(changed)
store.close()
server.close()

/* prints
file.txt 6
[ 'images/cat.png', 'images/dog.png' ]
file.txt 6 etag
images/cat.png 3 sha256
images/dog.png 3 sha256
pointers/part-0.parquet undefined uri
a page cat
ERR_REMOTE_CHANGED
[ 'file.txt', 'images/cat.png' ]
*/
