/** A version of which a part lies elsewhere, and the site that has it. */
import { join } from 'node:path'
import { type Bikes, bikes } from './stores.ts'
import { writeTree } from './support/files.ts'
import { type Web, web } from './support/web.ts'

/** A store that trusts the site, with `mix:v0`: a stored file, one by ETag, one by SHA-256. */
export async function mixed(): Promise<Bikes & { readonly site: Web }> {
  const site = await web({
    '/tagged.bin': { body: 'tagged', headers: { etag: '"1"' } },
    '/plain.txt': { body: 'plain' },
  })
  const at = await bikes()
  at.store.settings.set('references.hosts', site.host)
  writeTree(join(at.path, 'data'), { 'stored.txt': 'stored' })
  await at.store.commit([join(at.path, 'data')], { name: 'mix' })
  for (const name of ['tagged.bin', 'plain.txt']) {
    const options = { name: 'mix', incremental: true, as: `far/${name}` }
    await at.store.commit([`${site.url}/${name}`], options)
  }
  site.asked.length = 0
  return {
    ...at,
    site,
    async [Symbol.asyncDispose]() {
      await at[Symbol.asyncDispose]()
      await site[Symbol.asyncDispose]()
    },
  }
}

/** All files of `mix:v0` as they are downloaded. */
export const WHOLE: Readonly<Record<string, string>> = {
  'far/plain.txt': 'plain',
  'far/tagged.bin': 'tagged',
  'stored.txt': 'stored',
}
