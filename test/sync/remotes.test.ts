import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIo } from '../../src/store/io/io.ts'
import { layoutOf } from '../../src/store/layout.ts'
import { Settings } from '../../src/store/settings.ts'
import { openAddress, openRemote, remoteNamed, remotesOf } from '../../src/sync/remotes.ts'
import { rejects, throwsCode } from '../support/rejects.ts'
import { temporaryDirectory } from '../support/temp.ts'
import { fileServer } from './file-server.ts'

const test = suite('remotes')
const io = createIo({ durability: 'process' })

/** What a store has to say about remotes. */
async function withSettings<T>(
  values: Readonly<Record<string, string>>,
  use: (opened: { settings: Settings; io: typeof io }) => Promise<T>,
): Promise<T> {
  await using dir = await temporaryDirectory()
  const layout = layoutOf(join(dir.path, '.artifacts'))
  mkdirSync(layout.tmp, { recursive: true })
  return await use({ settings: new Settings(layout).change(values, io), io })
}

test('a remote is meant by its name, by being the primary, or by where it is', async () => {
  const values = {
    'remote.origin.url': 's3://bucket/x',
    'remote.usb.url': 'file:///media/usb',
    'remote.usb.single-writer': 'true',
    primary: 'origin',
  }
  await withSettings(values, async (opened) => {
    const origin = {
      name: 'origin',
      url: 's3://bucket/x',
      isPrimary: true,
      isSingleWriter: false,
      isConfigured: true,
    }
    const usb = {
      name: 'usb',
      url: 'file:///media/usb',
      isPrimary: false,
      isSingleWriter: true,
      isConfigured: true,
    }
    assert.equal(remotesOf(opened), [origin, usb])
    assert.equal(remoteNamed(opened), origin)
    assert.equal(remoteNamed(opened, 'usb'), usb)
    const bundle = remoteNamed(opened, 'x.tar', { from: '/here' })
    assert.is(bundle.url, 'file:///here/x.tar')
    const same = remoteNamed(opened, 's3://bucket/x/')
    assert.equal([same.url, same.isPrimary, same.isConfigured], [origin.url, false, false])
    const error = throwsCode(() => remoteNamed(opened, 'orign'), 'ERR_NOT_FOUND')
    assert.match(error.hint ?? '', 'origin, usb')
    throwsCode(() => remoteNamed(opened, 'ftp://x'), 'ERR_USAGE')
  })
})

test('without a primary there is no default', async () => {
  await withSettings({}, async (opened) => {
    const error = throwsCode(() => remoteNamed(opened), 'ERR_NOT_FOUND')
    assert.match(error.hint ?? '', 'artifacts remote add origin URL')
  })
  await withSettings({ 'remote.usb.url': 'file:///media/usb' }, async (opened) => {
    const error = throwsCode(() => remoteNamed(opened), 'ERR_NOT_FOUND')
    assert.match(error.hint ?? '', 'artifacts config set primary usb')
  })
})

test('ARTIFACTS_TOKEN goes to the server it is meant for, and to no other', async () => {
  await using ours = await fileServer({}, { token: 'secret' })
  await using theirs = await fileServer({}, { token: 'secret' })
  const env = { ARTIFACTS_TOKEN: 'secret', HOME: '/none' }
  const at = { env }
  const isLetIn = async (
    open: Promise<Awaited<ReturnType<typeof openRemote>>>,
  ): Promise<boolean> => {
    await using backend = await open
    try {
      await backend.head('format.json')
      return true
    } catch (error) {
      await rejects(Promise.reject(error), 'ERR_REMOTE_DENIED')
      return false
    }
  }
  assert.ok(await isLetIn(openAddress(ours.url, { ...at, io })))
  const two = { 'remote.a.url': ours.url, 'remote.b.url': theirs.url }
  await withSettings({ ...two, primary: 'a' }, async (opened) => {
    assert.ok(await isLetIn(openRemote(opened, remoteNamed(opened), at)))
    assert.not(await isLetIn(openRemote(opened, remoteNamed(opened, 'b'), at)))
    assert.not(await isLetIn(openRemote(opened, remoteNamed(opened, theirs.url), at)))
    const own = { env: { ...env, ARTIFACTS_TOKEN_B: 'secret' } }
    assert.ok(await isLetIn(openRemote(opened, remoteNamed(opened, 'b'), own)))
  })
  await withSettings(two, async (opened) => {
    for (const name of ['a', 'b']) {
      assert.not(await isLetIn(openRemote(opened, remoteNamed(opened, name), at)))
    }
  })
  const one = { 'remote.a.url': ours.url, 'remote.s.url': 's3://bucket', primary: 's' }
  await withSettings(one, async (opened) => {
    assert.ok(await isLetIn(openRemote(opened, remoteNamed(opened, 'a'), at)))
    assert.not(await isLetIn(openRemote(opened, remoteNamed(opened, theirs.url), at)))
  })
})

test('two names that share a variable, as settings written by hand may have, are sent nothing of it', async () => {
  await using server = await fileServer({}, { token: 'secret' })
  const values = { 'remote.a-b.url': server.url, 'remote.a.b.url': 'https://other.test/' }
  await withSettings(values, async (opened) => {
    const env = { ARTIFACTS_TOKEN_A_B: 'secret', HOME: '/none' }
    await using backend = await openRemote(opened, remoteNamed(opened, 'a-b'), { env })
    await rejects(backend.head('format.json'), 'ERR_REMOTE_DENIED')
  })
})

test.run()
