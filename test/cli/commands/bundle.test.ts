import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bundle } from '../../../src/cli/commands/bundle.ts'
import { status } from '../../../src/cli/commands/status.ts'
import { writeBundle } from '../../../src/sync/bundle/write-bundle.ts'
import { seededRandom } from '../../support/random.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { IO, madeParts } from '../../sync/bundle/made.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { workspaceWith, write } from '../workspace.ts'

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

test('what is created is applied elsewhere, volume by volume, and a receipt comes back', async () => {
  const cwd = await workspaceWith({
    'bike/a.txt': 'a\n',
    'bike/b.txt': noise(700_000),
    'bike/c.txt': noise(600_000),
  })
  const other = await workspaceWith()
  await run(['commit', 'bike', '-n', 'bike', '-t', 'dataset', '-a', 'best'], { cwd })
  const create = ['bundle', 'create', 'out.tar', 'bike', '--max-size', '900kB']
  assert.match(
    await run(create, { cwd }),
    /^Wrote 1 version to .*out\.001\.tar and .*out\.002\.tar \(/,
  )
  const [one, two] = ['out.001.tar', 'out.002.tar'].map((name) => join(cwd, name))

  const first = await run(['bundle', 'apply', one as string], { cwd: other })
  assert.match(first, '1 version waits for volume 2: apply them too.')
  assert.match(await run(['status'], { cwd: other }), /waits for volume 2 of 2/)
  const said = JSON.parse(await run(['status', '--json'], { cwd: other }))
  assertFields(
    said.waiting[0],
    status.json['Each of `waiting`, bundles of which volumes are missing'],
  )
  const dry = await run(['bundle', 'apply', two as string, '--dry-run'], { cwd: other })
  assert.match(dry, 'Would take over default/bike:v0')
  const apply = ['bundle', 'apply', two as string, '--receipt', 'receipt.json']
  const second = await run(apply, { cwd: other })
  assert.match(second, /^Applied bike:v0 \(\d+ objects, /)
  assert.match(second, /The receipt is .*receipt\.json/)
  assert.is(await run(['cat', 'bike:best', 'a.txt'], { cwd: other }), 'a\n')
  assert.not.match(await run(['status'], { cwd: other }), 'waits for')

  const receipt = join(other, 'receipt.json')
  const nothing = ['bundle', 'create', 'next.tar', '--since', 'bike']
  assert.match(await run(nothing, { cwd }), 'nothing that the receiver lacks')
  write(cwd, { 'bike/a.txt': 'b\n' })
  await run(['commit'], { cwd })
  const next = JSON.parse(
    await run(['bundle', 'create', 'next.tar', '--since', receipt, '--json'], { cwd }),
  )
  assertFields(next, bundle.json['`create`'])
  assertFields(next.volumes[0], bundle.json['`create`, each of `volumes`'])
  assert.ok(next.bytes < 30_000)
  const applied = await run(['bundle', 'apply', join(cwd, 'next.tar'), '--json'], { cwd: other })
  assertFields(JSON.parse(applied), bundle.json['`apply`'])
  assert.equal(JSON.parse(applied).versions, ['bike:v1'])
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

function noise(length: number): string {
  return seededRandom(length).bytes(length).toString('base64').slice(0, length)
}
