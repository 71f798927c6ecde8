/**
 * One command of a store in a process of its own, to be killed: `commit WORKSPACE DIR` or `checkout WORKSPACE REF`, then
 * the number of worker threads. Says `ready` when it begins.
 */
import { join } from 'node:path'
import { Store } from '../../../src/index.ts'
import { takeJob } from '../../support/child.ts'
import { NAME } from './commits.ts'

const [command, workspace = '', argument = '', jobs] = takeJob()
process.stdout.write('ready\n')
const store = await Store.open({ store: join(workspace, '.artifacts') })
if (command === 'commit') {
  await store.commit([argument], { name: NAME, type: 'dataset', jobs: Number(jobs) })
} else {
  await store.checkout(argument, join(workspace, 'out'), { jobs: Number(jobs) })
}
store.close()
