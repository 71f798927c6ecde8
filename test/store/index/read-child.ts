/** Opens a store and prints what its index holds: run as a process of its own, under another user. */

import { loadHashes } from '../../../src/store/object/checksum.ts'
import { contentOf, storeIn } from './temporary-store.ts'

const [root = '', cacheDir] = process.argv.slice(2)
await loadHashes()
const store = storeIn(root)
using index = store.open({ cacheDir })
const content = JSON.stringify(contentOf(index))
process.stdout.write(JSON.stringify({ content, notices: store.notices }))
