import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { listBundle } from '../../../src/sync/bundle/list.ts'
import { verifyVolumes } from '../../../src/sync/bundle/verify.ts'
import { writeBundle } from '../../../src/sync/bundle/write-bundle.ts'
import { forEachCall } from '../../support/crash.ts'
import { rejects } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { IO, madeParts } from './made.ts'

const test = suite('writing bundles')
const PACKS = [[70_000, 30_000, 100], [200_000], [5_000, 64, 90_000], [150_000, 1]]

test('the same contents give the same bytes, elsewhere and later', async () => {
  await using dir = await temporaryDirectory()
  const parts = await madeParts(dir.path, { packs: PACKS })
  const copies: Buffer[] = []
  for (const name of ['a', 'b']) {
    const path = join(dir.path, name, 'out.tar')
    mkdirSync(join(dir.path, name))
    const { volumes } = await writeBundle(IO, path, { ...parts, packs: parts.packs.toReversed() })
    assert.equal(
      volumes.map((volume) => volume.path),
      [path],
    )
    copies.push(readFileSync(path))
  }
  assert.ok(copies[0]?.equals(copies[1] as Buffer))
  assert.is(copies[0]?.subarray(257, 265).toString('latin1'), 'ustar\x0000')
})

test('GNU tar and sha256sum read every volume', async () => {
  await using dir = await temporaryDirectory()
  const parts = await madeParts(dir.path, { packs: PACKS })
  const { volumes } = await writeBundle(IO, join(dir.path, 'out.tar'), parts, { maxSize: 250_000 })
  assert.ok(volumes.length >= 3)
  for (const [index, { path }] of volumes.entries()) {
    const into = join(dir.path, String(index))
    mkdirSync(into)
    execFileSync('tar', ['-xf', path, '-C', into])
    const said = execFileSync('sha256sum', ['-c', '--strict', 'SHA256SUMS'], { cwd: into })
    const listed = execFileSync('tar', ['-tf', path]).toString().trim().split('\n')
    // All but the list itself and the end record.
    assert.is(said.toString().trim().split('\n').length, listed.length - 2)
    const facts = execFileSync('tar', ['-tvf', path, '--numeric-owner', '--utc']).toString()
    for (const line of facts.trim().split('\n')) {
      assert.match(line, /^-rw-r--r-- 0\/0 +\d+ 1970-01-01 00:00 /)
    }
  }
})

test('no volume is larger than was asked, each pack is in one, and each volume is whole by itself', async () => {
  await using dir = await temporaryDirectory()
  const parts = await madeParts(dir.path, { packs: PACKS })
  for (const maxSize of [230_000, 300_000, 1_000_000]) {
    const path = join(dir.path, `${maxSize}.tar`)
    const { volumes } = await writeBundle(IO, path, parts, { maxSize })
    const listed = new Set<string>()
    for (const [index, volume] of volumes.entries()) {
      assert.ok(volume.bytes <= maxSize)
      const report = await verifyVolumes([volume.path])
      assert.ok(report.ok, report.volumes[0]?.problem)
      assert.is(report.volumes[0]?.volume, index + 1)
      assert.is(report.missing.length, volumes.length - 1)
      for (const id of report.manifest?.volumes[index] ?? []) {
        assert.not(listed.has(id))
        listed.add(id)
      }
    }
    assert.is(listed.size, PACKS.length)
    const all = await verifyVolumes(volumes.map((volume) => volume.path).toReversed())
    assert.equal([all.ok, all.missing], [true, []])
  }
})

test('volumes that are too small say how large they must be', async () => {
  await using dir = await temporaryDirectory()
  const parts = await madeParts(dir.path, { packs: PACKS })
  const path = join(dir.path, 'out.tar')
  const error = await rejects(
    writeBundle(IO, path, parts, { maxSize: 100_000 }),
    'ERR_INVALID_VALUE',
  )
  const { needed } = error.data
  const { volumes } = await writeBundle(IO, path, parts, { maxSize: needed as number })
  assert.ok(volumes.every(({ bytes }) => bytes <= (needed as number)))
  assert.ok(volumes.some(({ bytes }) => bytes > (needed as number) - 6_000))
})

test('a bundle replaces a bundle and no other file', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'out.tar')
  writeFileSync(path, 'my thesis, packed')
  const parts = await madeParts(dir.path, { packs: [[100]] })
  await rejects(writeBundle(IO, path, parts), 'ERR_EXISTS')
  assert.is(readFileSync(path, 'utf8'), 'my thesis, packed')
  await rejects(writeBundle(IO, join(dir.path, 'out'), parts), 'ERR_INVALID_VALUE')

  const other = join(dir.path, 'other.tar')
  await writeBundle(IO, other, parts)
  await writeBundle(IO, other, await madeParts(dir.path, { packs: [[200]], seed: 2 }))
  assert.is((await verifyVolumes([other])).volumes[0]?.objects, 1)
})

test('a bundle says what is in it', async () => {
  await using dir = await temporaryDirectory()
  const parts = await madeParts(dir.path, { packs: PACKS })
  const path = join(dir.path, 'out.tar')
  const { volumes } = await writeBundle(IO, path, parts, { maxSize: 300_000 })
  const listed = await listBundle([volumes[1]?.path ?? ''])
  assert.equal(
    listed.versions.map(({ ref, id }) => [ref, id]),
    parts.versions.map((id, number) => [`default/bike:v${number}`, id]),
  )
  assert.equal(listed.missing.includes(1), true)
  assert.equal(listed.from, parts.from)
})

test('wherever it is stopped, no volume under its name is half there, and writing again ends with the same bytes', async () => {
  let whole: Buffer[] = []
  const target = (directory: string): string => join(directory, 'out', 'bundle.tar')
  const volumesIn = (directory: string): string[] =>
    readdirSync(join(directory, 'out'))
      .filter((name) => name.endsWith('.tar'))
      .sort()
  const write = async (directory: string): Promise<void> => {
    const parts = await madeParts(join(directory, 'parts'), { packs: [[60_000], [50_000]] })
    await writeBundle(IO, target(directory), parts, { maxSize: 75_000 })
  }
  const { calls } = await forEachCall({
    async prepare(directory) {
      mkdirSync(join(directory, 'out'))
      mkdirSync(join(directory, 'parts'))
      mkdirSync(join(directory, 'whole'))
      mkdirSync(join(directory, 'whole', 'out'))
      mkdirSync(join(directory, 'whole', 'parts'))
      await write(join(directory, 'whole'))
      const made = join(directory, 'whole', 'out')
      whole = volumesIn(join(directory, 'whole')).map((name) => readFileSync(join(made, name)))
      assert.is(whole.length, 2)
    },
    run: write,
    async check(directory) {
      for (const name of volumesIn(directory)) {
        const bytes = readFileSync(join(directory, 'out', name))
        assert.ok(whole.some((volume) => volume.equals(bytes)))
      }
      for (const name of readdirSync(join(directory, 'parts'))) {
        execFileSync('rm', [join(directory, 'parts', name)])
      }
      await write(directory)
      const again = volumesIn(directory).map((name) => readFileSync(join(directory, 'out', name)))
      assert.ok(again.every((bytes, index) => whole[index]?.equals(bytes)))
      assert.not(existsSync(`${target(directory)}.partial`))
      assert.equal(
        readdirSync(join(directory, 'out')).filter((name) => /partial/.test(name)),
        [],
      )
    },
    faults: [
      { do: 'die', when: 'before' },
      { do: 'die', when: 'after' },
      { do: 'fail', code: 'ENOSPC' },
      { do: 'short', next: 'EIO' },
    ],
    sample: { points: process.env['ARTIFACTS_TEST_FULL'] === '1' ? 10_000 : 80, seed: 5 },
  })
  assert.ok(calls > 20)
})

test.run()
