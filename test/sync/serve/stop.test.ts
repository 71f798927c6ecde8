import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../../src/index.ts'
import { createIo } from '../../../src/store/io/io.ts'
import { layoutOf } from '../../../src/store/layout.ts'
import { addToken } from '../../../src/sync/serve/tokens.ts'
import { ask, servedStore, sha256 } from './serving.ts'

const test = suite('serve, stopping')
const NAME = `probe/${'a'.repeat(32)}`

test('a server that stops answers what has begun, and takes nothing new', async () => {
  await using served = await servedStore()
  const { socket, came } = open(served.url)
  const body = 'x'.repeat(1000)
  socket.write(headOf(body))
  socket.write(body.slice(0, 500))
  await sleep(50)
  let isStopped = false
  const stopping = served.stop().then(() => {
    isStopped = true
  })
  await sleep(50)
  assert.not.ok(isStopped)
  assert.is(await ask(`${served.url}health`).catch(() => 'refused'), 'refused')
  socket.write(body.slice(500))
  await stopping
  assert.match(await came, /^HTTP\/1.1 201 /)
})

test('a server that stops does not wait for ever', async () => {
  await using served = await servedStore({ limits: { stop: 100 } })
  const { socket, came } = open(served.url)
  socket.write(headOf('x'.repeat(1000)))
  await sleep(50)
  const idle = open(served.url)
  await sleep(20)
  const begun = Date.now()
  await served.stop()
  assert.ok(Date.now() - begun < 5000)
  assert.is(await came, '')
  assert.is(await idle.came, '')
  assert.equal(served.errors, [])
})

test('a store with tokens is as whole as any', async () => {
  await using served = await servedStore()
  addToken(
    { io: createIo({ durability: 'process' }), layout: layoutOf(served.root) },
    'ci',
    'write',
  )
  await served.store.gc({ grace: '0' })
  const { problems } = await Store.fsck({ store: served.root }, { data: 1 })
  assert.equal(problems, [])
  assert.is((await ask(`${served.url}format.json`)).status, 401)
})

test.run()

function headOf(body: string): string {
  const hash = sha256(Buffer.from(body))
  return `PUT /${NAME} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\nX-Content-SHA256: ${hash}\r\n\r\n`
}

/** A connection, and all that comes on it. */
function open(url: string): { socket: Socket; came: Promise<string> } {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.on('data', (piece) => {
    text += piece
  })
  socket.on('error', () => {})
  return { socket, came: new Promise((resolve) => socket.on('close', () => resolve(text))) }
}
