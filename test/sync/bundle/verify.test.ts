import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { canonicalJson } from '../../../src/store/log/canonical.ts'
import { openVolume, readVolumeFile } from '../../../src/sync/backends/tar-volume.ts'
import { bundleId, bundleStore, type Manifest } from '../../../src/sync/bundle/manifest.ts'
import { openBundle } from '../../../src/sync/bundle/open-bundle.ts'
import { readSigners, readSigningKey } from '../../../src/sync/bundle/signature.ts'
import { verifyVolumes } from '../../../src/sync/bundle/verify.ts'
import { writeBundle } from '../../../src/sync/bundle/write-bundle.ts'
import { rejects, throwsCode } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { tarOf } from '../bundles.ts'
import { IO, madeParts } from './made.ts'

const test = suite('verifying bundles')
const PACKS = [[3_000, 2_000], [700], [1_500, 64, 900]]

test('every bit of a bundle counts', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'out.tar')
  await writeBundle(IO, path, await madeParts(dir.path, { packs: PACKS }))
  const whole = readFileSync(path)
  const changed = join(dir.path, 'changed.tar')
  for (let at = 0; at < whole.length; at += 61) {
    const bytes = Buffer.from(whole)
    bytes[at] = (bytes[at] as number) ^ 0x10
    writeFileSync(changed, bytes)
    const { ok } = await verifyVolumes([changed])
    // Padding and the fields of a header that say nothing of a file are checked by none; the files behind are.
    if (ok) assert.ok(saysNothing(whole, at), `a changed byte at ${at} was not seen`)
  }
})

test('a bundle that was cut anywhere is refused', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'out.tar')
  await writeBundle(IO, path, await madeParts(dir.path, { packs: PACKS }))
  const whole = readFileSync(path)
  for (let length = 0; length < whole.length; length += 512) {
    for (const zeros of [0, 1024]) {
      const bytes = Buffer.concat([whole.subarray(0, length), Buffer.alloc(zeros)])
      // Zeros at the end are no part of what it says.
      if (bytes.subarray(0, whole.length).equals(whole)) continue
      writeFileSync(path, bytes)
      assert.not((await verifyVolumes([path])).ok)
    }
  }
})

test('one volume that is damaged does not hide that the others are whole', async () => {
  await using dir = await temporaryDirectory()
  const parts = await madeParts(dir.path, { packs: PACKS })
  const { volumes } = await writeBundle(IO, join(dir.path, 'out.tar'), parts, { maxSize: 15_000 })
  const paths = volumes.map(({ path }) => path)
  assert.ok(paths.length >= 2)
  const bytes = readFileSync(paths[0] as string)
  bytes.fill(0, bytes.length - 4096, bytes.length - 3000)
  writeFileSync(paths[0] as string, bytes)
  const report = await verifyVolumes(paths)
  assert.not(report.ok)
  assert.ok(report.volumes[0]?.problem?.includes(paths[0] as string))
  assert.equal(
    report.volumes.slice(1).map(({ problem }) => problem),
    paths.slice(1).map(() => undefined),
  )
})

test('volumes of two sets are not mixed, even where the sets hold the same', async () => {
  await using dir = await temporaryDirectory()
  const parts = await madeParts(dir.path, { packs: PACKS })
  const one = join(dir.path, 'one.tar')
  const { volumes } = await writeBundle(IO, join(dir.path, 'two.tar'), parts, { maxSize: 15_000 })
  await writeBundle(IO, one, parts)
  const paths = [one, volumes[0]?.path ?? ''] as const
  assert.equal(
    (await verifyVolumes(paths)).volumes.map(({ problem }) => problem === undefined),
    [true, false],
  )
  throwsCode(() => openBundle(paths), 'ERR_DAMAGED')
})

test('a signed bundle is taken from its signer, and from nobody else', async () => {
  await using dir = await temporaryDirectory()
  const parts = await madeParts(dir.path, { packs: PACKS })
  const mine = generateKeyPairSync('ed25519')
  const other = generateKeyPairSync('ed25519')
  const path = join(dir.path, 'out.tar')
  await writeBundle(IO, path, parts, { key: mine.privateKey })
  const [manifest, signature] = filesOf(path).slice(0, 2)
  assert.is(signature?.[0], 'manifest.sig')
  assert.is(signature?.[1].length, 64)
  const verify = async (...signers: readonly KeyObject[]): Promise<boolean> =>
    (await verifyVolumes([path], { signers })).ok
  assert.ok(await verify(mine.publicKey))
  assert.ok(await verify(other.publicKey, mine.publicKey))
  assert.ok((await verifyVolumes([path])).volumes[0]?.signed)
  assert.not(await verify(other.publicKey))
  throwsCode(() => openBundle([path], { signers: [other.publicKey] }), 'ERR_REMOTE_CHANGED')

  // Signing changes nothing else, and taking the signature away is seen.
  const stripped = join(dir.path, 'stripped.tar')
  await writeBundle(IO, stripped, parts)
  assert.ok(filesOf(stripped)[0]?.[1].equals(manifest?.[1] as Buffer))
  assert.ok((await verifyVolumes([stripped])).ok)
  throwsCode(() => openBundle([stripped], { signers: [mine.publicKey] }), 'ERR_REMOTE_CHANGED')

  // Written over an unsigned one it is signed, and once more it stays.
  await writeBundle(IO, stripped, parts, { key: mine.privateKey })
  assert.ok(readFileSync(stripped).equals(readFileSync(path)))
})

test('keys are PEM files of ed25519, and what is none is named', async () => {
  await using dir = await temporaryDirectory()
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const file = (name: string, text: string | Buffer): string => {
    writeFileSync(join(dir.path, name), text)
    return join(dir.path, name)
  }
  const pem = { type: 'pkcs8', format: 'pem' } as const
  const spki = { type: 'spki', format: 'pem' } as const
  const own = privateKey.export(pem)
  const secret = { cipher: 'aes-256-cbc', passphrase: 'x' } as const
  assert.is(readSigningKey(file('key.pem', own)).asymmetricKeyType, 'ed25519')
  const two = `${publicKey.export(spki)}\n${generateKeyPairSync('ed25519').publicKey.export(spki)}`
  assert.is(readSigners(file('signers.pem', two)).length, 2)
  for (const wrong of [
    '',
    'x',
    publicKey.export(spki),
    rsa.privateKey.export(pem),
    privateKey.export({ ...pem, ...secret }),
  ]) {
    const path = file('wrong.pem', wrong)
    assert.match(throwsCode(() => readSigningKey(path), 'ERR_INVALID_VALUE').message, path)
  }
  for (const wrong of [
    '',
    own,
    rsa.publicKey.export(spki),
    `${publicKey.export(spki)}${rsa.publicKey.export(spki)}`,
  ]) {
    throwsCode(() => readSigners(file('wrong.pem', wrong)), 'ERR_INVALID_VALUE')
  }
})

test('a forged manifest, log, list or order is refused, also where all checksums are right', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'out.tar')
  await writeBundle(IO, path, await madeParts(dir.path, { packs: PACKS }))
  const files = filesOf(path)
  const manifest = JSON.parse(files[0]?.[1].toString() ?? '') as Manifest
  const otherDirectory = join(dir.path, 'other')
  mkdirSync(otherDirectory)
  const other = join(dir.path, 'other.tar')
  await writeBundle(IO, other, await madeParts(otherDirectory, { packs: [[900]], seed: 2 }))
  const others = filesOf(other)
  const file = (name: string): [string, Buffer] =>
    others.find(([given]) => given === name) ?? ['', Buffer.of()]
  const without = (name: RegExp): [string, Buffer][] => files.filter(([given]) => !name.test(given))
  const withManifest = (changed: object): [string, Buffer][] => {
    const text = `${canonicalJson(changed)}\n`
    return files.map(([name, bytes]) => [
      name,
      name === 'manifest.json' ? Buffer.from(text) : bytes,
    ])
  }
  /** With the ids that it would have by right. */
  const claiming = (changed: Partial<Manifest>): [string, Buffer][] => {
    const all = { ...manifest, ...changed }
    return withManifest({ ...all, bundle: bundleId(all), store: bundleStore(all) })
  }
  const packs = files.filter(([name]) => name.startsWith('packs/'))
  const forged: Record<string, [string, Buffer][]> = {
    'more volumes': withManifest({ ...manifest, volume: { i: 1, of: 2 } }),
    'another prerequisite': withManifest({ ...manifest, prerequisites: ['0'.repeat(64)] }),
    'the same with its own id': claiming({ prerequisites: ['0'.repeat(64) as never] }),
    'no versions': claiming({ versions: [] }),
    'a log that ends before': claiming({ log: { ...manifest.log, n: 2 } }),
    'a log of a million': claiming({ log: { ...manifest.log, n: 1e12 } }),
    'another end': claiming({ log: { n: 1, hash: '0'.repeat(64) } }),
    'a field more': withManifest({ ...manifest, extra: 1 }),
    'the log of another': files.map((entry) =>
      /^log|^format/.test(entry[0]) ? file(entry[0]) : entry,
    ),
    'the operation of another': files.map((entry) =>
      /^log/.test(entry[0]) ? file(entry[0]) : entry,
    ),
    'no format': without(/^format/),
    'a pack less': files.filter((entry) => entry !== packs[0]),
    'another order': [...without(/^packs|^end/), ...packs.toReversed()],
    'a pack under the name of another': files.map((entry) => [
      entry[0],
      entry === packs[0] ? (packs[1]?.[1] as Buffer) : entry[1],
    ]),
    'a file more': [...files, ['packs/x', Buffer.of(1)]],
    'spaces in the manifest': files.map(([name, bytes]) => [
      name,
      name === 'manifest.json' ? Buffer.from(`${JSON.stringify(manifest)} \n`) : bytes,
    ]),
  }
  const forgery = join(dir.path, 'forgery.tar')
  writeFileSync(forgery, await volumeOf(files, manifest))
  assert.ok(
    (await verifyVolumes([forgery])).ok,
    'what is made here is right where nothing is forged',
  )
  for (const [what, entries] of Object.entries(forged)) {
    writeFileSync(forgery, await volumeOf(entries, manifest))
    assert.not((await verifyVolumes([forgery])).ok, what)
  }
})

test('a bundle of a later program is not called damaged', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'out.tar')
  await writeBundle(IO, path, await madeParts(dir.path, { packs: PACKS }))
  const files = filesOf(path)
  const manifest = JSON.parse(files[0]?.[1].toString() ?? '') as Manifest
  const later = Buffer.from(`${canonicalJson({ ...manifest, format: 2, news: true })}\n`)
  const entries = files.map(([name, bytes]): [string, Buffer] => [
    name,
    name === 'manifest.json' ? later : bytes,
  ])
  writeFileSync(path, await volumeOf(entries, manifest))
  await rejects(verifyVolumes([path]), 'ERR_UNSUPPORTED')
})

test('what is no file, or is not there, is no bundle', async () => {
  await using dir = await temporaryDirectory()
  assert.not((await verifyVolumes([dir.path])).ok)
  assert.not((await verifyVolumes(['/dev/zero'])).ok)
  const gone = verifyVolumes([join(dir.path, 'gone.tar')])
  assert.is(await gone.catch((error) => error.code), 'ENOENT')
})

test.run()

/** The files of a volume, but its list and its end. */
function filesOf(path: string): [string, Buffer][] {
  using volume = openVolume(path)
  const names = [...volume.files.keys()].filter((name) => !/SHA256SUMS|end.json/.test(name))
  return names.map((name) => [name, readVolumeFile(volume, name, 1e9)])
}

/** A volume with these files whose list and end are right. */
async function volumeOf(files: readonly [string, Buffer][], { bundle }: Manifest): Promise<Buffer> {
  const said = JSON.parse(files[0]?.[1].toString() ?? '') as Manifest
  const lines = files.map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`)
  const sums = Buffer.from(lines.join(''))
  const place = files.findIndex(([name]) => name.startsWith('packs/'))
  const end = {
    bundle: said.bundle ?? bundle,
    entries: files.length + 1,
    sums: sha256(sums),
    volume: 1,
  }
  return tarOf([
    ...files.slice(0, place),
    ['SHA256SUMS', sums],
    ...files.slice(place),
    ['end.json', Buffer.from(`${canonicalJson(end)}\n`)],
  ])
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Whether a byte is filling: between a file's end and the next block. */
function saysNothing(tar: Buffer, at: number): boolean {
  for (let header = 0; header + 512 <= tar.length; ) {
    const length = Number.parseInt(tar.toString('latin1', header + 124, header + 135), 8)
    const end = header + 512 + (Number.isNaN(length) ? 0 : length)
    const next = Math.ceil(end / 512) * 512
    if (at < next) return at >= end
    header = next
  }
  return false
}
