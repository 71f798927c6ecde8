import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rejects } from '../support/rejects.ts'
import { pathsOf, settled, storedFiles, workspace } from './workspace.ts'

const test = suite('secrets')
const KEY = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEpAIBAAKCAQEA\n'.repeat(20)}`

test('the first version refuses what looks like a secret, naming each file, and commits nothing', async () => {
  await using ws = await workspace()
  const data = ws.write('data', { '.env': 'A=b', 'sub/.env': '', 'sub/id_rsa': KEY, public: 'x' })
  const before = storedFiles(ws)
  const error = await rejects(ws.store.commit([data]), 'ERR_SECRETS')
  for (const path of ['.env', 'sub/.env', 'sub/id_rsa']) assert.match(error.message, `"${path}"`)
  assert.not.match(error.message, 'public')
  assert.equal(storedFiles(ws), before)
  assert.equal(ws.store.artifacts(), [])
})

test('a file becomes a secret by the name it is given, too', async () => {
  await using ws = await workspace()
  const file = join(ws.write('data', { plain: 'A=b' }), 'plain')
  const error = await rejects(ws.store.commit([file], { as: 'conf/.env' }), 'ERR_SECRETS')
  assert.match(error.message, '"conf/.env"')
})

test('it is asked once: not when allowed, nor about a later version', async () => {
  await using ws = await workspace()
  const data = ws.write('data', { '.env': 'A=b' })
  const { version } = await ws.store.commit([data], { allowSecrets: true })
  assert.is(version, 'v0')
  ws.write('data', { key: KEY, 'more/.env': '' })
  assert.is((await ws.store.commit([data])).version, 'v1')
  assert.equal(pathsOf(ws.store, 'data'), ['.env', 'key', 'more/.env'])
})

test('it is asked again for another artifact, also about files that are known already', async () => {
  await using ws = await workspace()
  const data = ws.write('data', { key: KEY, short: '-----BEGIN PRIVATE KEY-----' })
  await settled()
  await ws.store.commit([data], { name: 'one', allowSecrets: true })
  const error = await rejects(ws.store.commit([data], { name: 'two' }), 'ERR_SECRETS')
  assert.match(error.message, '"key"')
  assert.match(error.message, '"short"')
})

test('it is asked although a comparison has read the files before', async () => {
  await using ws = await workspace()
  const data = ws.write('data', { key: KEY })
  await ws.store.commit([ws.write('other', { a: 'b' })])
  await settled()
  await ws.store.diff({ ref: 'other' }, { dir: data })
  await rejects(ws.store.commit([data]), 'ERR_SECRETS')
})

test('it is asked about an artifact that begins with the content of another', async () => {
  await using ws = await workspace()
  await ws.store.commit([ws.write('other', { a: 'b' })])
  const key = ws.write('data', { key: KEY })
  await rejects(ws.store.commit([key], { name: 'new', base: 'other' }), 'ERR_SECRETS')
})

test('a key at the head of a file too large for one read is found too', async () => {
  await using ws = await workspace()
  const data = ws.write('data', { bundle: KEY + 'x'.repeat(5 << 20) })
  assert.match((await rejects(ws.store.commit([data]), 'ERR_SECRETS')).message, '"bundle"')
})

test('what is left out is not asked about', async () => {
  await using ws = await workspace()
  const data = ws.write('data', { '.env': 'A=b', key: KEY, a: 'a' })
  await ws.store.commit([data], { exclude: ['.env', 'key'] })
  assert.equal(pathsOf(ws.store, 'data'), ['a'])
})

test('a dry run asks as well', async () => {
  await using ws = await workspace()
  const data = ws.write('data', { '.env': 'A=b' })
  await rejects(ws.store.commit([data], { dryRun: true }), 'ERR_SECRETS')
})

test.run()
