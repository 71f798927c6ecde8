/** Replaces a file under the plan it is given. */
import { createIo } from '../../../src/store/io/io.ts'
import { takeJob } from '../../support/child.ts'

const [path = '', content = ''] = takeJob()
const io = createIo({ durability: 'power' })
io.writeFileAtomic(path, Buffer.from(content), { tmp: `${path}.tmp`, durable: true })
