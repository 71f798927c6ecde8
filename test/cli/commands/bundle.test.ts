import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bundle } from '../../../src/cli/commands/bundle.ts'
import { writeBundle } from '../../../src/sync/bundle/write-bundle.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { IO, madeParts } from '../../sync/bundle/made.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'

const test = suite('bundle')
const PACKS = [[60_000, 200], [50_000]]

test('verify and ls work where there is no store', async () => {
  await using dir = await temporaryDirectory()
  const cwd = dir.path
  const parts = await madeParts(cwd, { packs: PACKS })
  await writeBundle(IO, join(cwd, 'out.tar'), parts, { maxSize: 75_000 })

  const said = await run(['bundle', 'verify', 'out.001.tar'], { cwd })
  assert.match(said, /out\.001\.tar +volume 1 of 2 +whole: [^,]+, 1 pack, [12] objects?\n/)
  assert.match(said, 'Every byte is as it was written. Volume 2 was not given.')
  const both = ['out.002.tar', 'out.001.tar']
  assert.match(await run(['bundle', 'verify', ...both], { cwd }), /as it was written\.\n$/)
  assert.is(await run(['bundle', 'verify', '-q', ...both], { cwd }), '')

  const listed = await run(['bundle', 'ls', 'out.002.tar'], { cwd })
  assert.match(listed, 'not signed, 2 volumes')
  assert.match(listed, 'The receiver needs nothing.')
  assert.match(listed, /default\/bike:v1 +[0-9a-f]{12} +1 file, 1 B/)
  assert.is(
    await run(['bundle', 'ls', '-q', 'out.001.tar'], { cwd }),
    'default/bike:v0\ndefault/bike:v1\n',
  )
})

test('a damaged bundle ends verify with 1 and ls with 13', async () => {
  await using dir = await temporaryDirectory()
  const cwd = dir.path
  const path = join(cwd, 'out.tar')
  await writeBundle(IO, path, await madeParts(cwd, { packs: PACKS }))
  writeFileSync(path, readFileSync(path).subarray(0, 20_000))
  const verified = await call(['bundle', 'verify', 'out.tar'], { cwd })
  assert.is(verified.code, 1)
  assert.match(verified.stdout, 'Do not use it')
  const listed = await call(['bundle', 'ls', 'out.tar'], { cwd })
  assert.is(listed.code, 13)
  assert.match(listed.stderr, path)
})

test('a signature is asked for where a signer is named', async () => {
  await using dir = await temporaryDirectory()
  const cwd = dir.path
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const parts = await madeParts(cwd, { packs: PACKS })
  writeFileSync(join(cwd, 'signer.pem'), publicKey.export({ type: 'spki', format: 'pem' }))
  await writeBundle(IO, join(cwd, 'signed.tar'), parts, { key: privateKey })
  await writeBundle(IO, join(cwd, 'plain.tar'), parts)
  const verify = (file: string): Promise<{ code: number; stdout: string }> =>
    call(['bundle', 'verify', file, '--signer', 'signer.pem'], { cwd })
  assert.is((await verify('signed.tar')).code, 0)
  const plain = await verify('plain.tar')
  assert.is(plain.code, 1)
  assert.match(plain.stdout, 'is not signed')
})

test('--json has the documented fields', async () => {
  await using dir = await temporaryDirectory()
  const cwd = dir.path
  await writeBundle(IO, join(cwd, 'out.tar'), await madeParts(cwd, { packs: PACKS }))
  const verified = JSON.parse(await run(['bundle', 'verify', 'out.tar', '--json'], { cwd }))
  assertFields(verified, bundle.json['`verify`'])
  assertFields(verified.volumes[0], bundle.json['`verify`, each of `volumes`'])
  const listed = JSON.parse(await run(['bundle', 'ls', 'out.tar', '--json'], { cwd }))
  assertFields(listed, bundle.json['`ls`'])
  assertFields(listed.versions[0], bundle.json['`ls`, each of `versions`'])
})

test('half a command is refused', async () => {
  for (const words of [['bundle'], ['bundle', 'ls'], ['bundle', 'look', 'x.tar']]) {
    assert.is((await call(words, { cwd: '/' })).code, 2)
  }
})

test.run()
