/** Several who push to one server at once. */
import { suite } from 'uvu'
import { race } from './pushers.ts'
import { fileServer } from './sync/file-server.ts'

const test = suite('pushers')

test('of those who push at once none loses a version', async () => {
  await using server = await fileServer()
  await race({ address: server.url, env: {}, pushers: 4, pushes: 3 })
})

test('nor while somebody removes what nobody needs', async () => {
  await using server = await fileServer()
  await race({ address: server.url, env: {}, pushers: 4, pushes: 3, collects: true })
})

test.run()
