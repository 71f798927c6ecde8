import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pack } from 'tar-stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readAll } from '../../../src/sync/backend.ts'
import { limited } from '../../../src/sync/backends/limited.ts'
import { retrying } from '../../../src/sync/backends/retrying.ts'
import { TarBackend } from '../../../src/sync/backends/tar.ts'
import { throwsCode } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { tarOf, volumeFiles, writeBundle } from '../bundles.ts'
import { conformance, listAll, type Subject } from '../conformance.ts'

const test = suite('tar backend')
const FILES = { 'format.json': Buffer.from('{}'), 'packs/a.pack': randomBytes(3000) }

conformance(test, bundled('tar', 1))
conformance(test, bundled('tar, wrapped', 1, true))
conformance(test, bundled('tar, three volumes', 3))

test('a bundle that GNU tar unpacked and packed again is read as before', async () => {
  await using dir = await temporaryDirectory()
  const names: string[] = []
  for (const [name, bytes] of volumeFiles(FILES)) {
    mkdirSync(dirname(join(dir.path, name)), { recursive: true })
    writeFileSync(join(dir.path, name), bytes)
    names.push(name)
  }
  for (const format of ['ustar', 'gnu']) {
    const path = join(dir.path, `${format}.tar`)
    execFileSync('tar', ['-C', dir.path, `--format=${format}`, '-cf', path, ...names])
    await using backend = TarBackend.open([path])
    const bytes = await readAll(backend, 'packs/a.pack', { most: 1e6 })
    assert.ok(bytes.equals(FILES['packs/a.pack']))
  }
})

test('a tar that was cut anywhere is refused', async () => {
  await using dir = await temporaryDirectory()
  const whole = await tarOf(volumeFiles(FILES))
  const path = join(dir.path, 'cut.tar')
  for (let length = 0; length < whole.length; length += 256) {
    // Some programs do not write the zeros at the end, so one is cut with them and without.
    for (const bytes of [whole.subarray(0, length), closed(whole.subarray(0, length))]) {
      writeFileSync(path, bytes)
      if (bytes.subarray(0, whole.length).equals(whole)) continue
      throwsCode(() => TarBackend.open([path]), 'ERR_DAMAGED')
    }
  }
})

test('a bit that fell over in a header, in the checksums or in the end record is noticed', async () => {
  await using dir = await temporaryDirectory()
  const entries = volumeFiles(FILES)
  const whole = await tarOf(entries)
  const path = join(dir.path, 'bundle.tar')
  let at = 0
  for (const [name, bytes] of entries) {
    const places = [at, at + 60, at + 124, at + 130, at + 148, at + 156, at + 257, at + 345]
    if (name === 'SHA256SUMS') places.push(at + 512, at + 512 + 20)
    if (name === 'end.json') places.push(at + 512)
    for (const place of places) {
      const changed = Buffer.from(whole)
      changed[place] = (changed[place] ?? 0) ^ 0x01
      writeFileSync(path, changed)
      throwsCode(() => TarBackend.open([path]), 'ERR_DAMAGED')
    }
    at += 512 + Math.ceil(bytes.length / 512) * 512
  }
})

test('links, folders, names that lead elsewhere, repeated ones and what follows the end are refused', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'bundle.tar')
  const whole = volumeFiles(FILES)
  const end = whole.at(-1) ?? ['', Buffer.of()]
  const good = await tarOf(whole)
  const bad: Buffer[] = [
    Buffer.concat([good, Buffer.from('more')]),
    Buffer.concat([good, good]),
    Buffer.concat([good, Buffer.alloc(2 ** 20)]),
    await tarOf(whole.slice(1)),
    await tarOf([...whole, ['packs/b.pack', Buffer.of(1)]]),
    await tarOf([...whole.slice(0, -2), end]),
    Buffer.alloc(10_240),
    Buffer.alloc(0),
  ]
  for (const name of ['../x', '/etc/x', 'packs//x', 'a\\b', 'packs/a.pack', 'ä', 'x'.repeat(120)]) {
    bad.push(await tarOf([...whole.slice(0, -1), [name, Buffer.of(1)], end]))
  }
  for (const type of ['symlink', 'link', 'directory', 'fifo', 'character-device'] as const) {
    const archive = pack()
    archive.entry({ name: 'manifest.json', type, linkname: '/etc/passwd' })
    archive.finalize()
    const pieces: Buffer[] = []
    for await (const piece of archive) pieces.push(piece as Buffer)
    bad.push(Buffer.concat(pieces))
  }
  for (const bytes of bad) {
    writeFileSync(path, bytes)
    throwsCode(() => TarBackend.open([path]), 'ERR_DAMAGED')
  }
  writeFileSync(path, good)
  await TarBackend.open([path])[Symbol.asyncDispose]()
})

test('volumes of two bundles are not mixed', async () => {
  await using dir = await temporaryDirectory()
  const one = await writeBundle(join(dir.path, 'one.tar'), FILES)
  const other = await writeBundle(join(dir.path, 'other.tar'), FILES, { bundle: '1'.repeat(32) })
  const error = throwsCode(() => TarBackend.open([one, other]), 'ERR_DAMAGED')
  assert.match(error.message, `"${other}"`)
})

test('volumes may come in any order, and again', async () => {
  await using dir = await temporaryDirectory()
  const paths = await Promise.all(
    [1, 2, 3].map((volume) =>
      writeBundle(
        join(dir.path, `${volume}.tar`),
        { 'format.json': Buffer.from('{}'), [`packs/${volume}.pack`]: Buffer.of(volume) },
        { volume },
      ),
    ),
  )
  const [a = '', b = '', c = ''] = paths
  for (const order of [
    [a, b, c],
    [c, a, b, a],
  ] as const) {
    await using backend = TarBackend.open([...order])
    const listed = await listAll(backend, 'packs/')
    assert.equal(
      listed.map(({ name }) => name),
      ['packs/1.pack', 'packs/2.pack', 'packs/3.pack'],
    )
  }
})

test.run()

function bundled(name: string, volumes: number, wrapped = false): Subject {
  return {
    name,
    writes: false,
    async open(files) {
      const dir = await temporaryDirectory()
      const paths: string[] = []
      for (let volume = 1; volume <= volumes; volume++) {
        const own = Object.entries(files).filter((_, i) => i % volumes === volume - 1)
        const path = join(dir.path, `${volume}.tar`)
        paths.push(await writeBundle(path, Object.fromEntries(own), { volume }))
      }
      const inner = TarBackend.open(paths as [string, ...string[]])
      return {
        backend: wrapped ? limited(retrying(inner), 2) : inner,
        async [Symbol.asyncDispose]() {
          await inner[Symbol.asyncDispose]()
          await dir[Symbol.asyncDispose]()
        },
      }
    },
  }
}

/** With an end as tar programs write it. */
function closed(bytes: Buffer): Buffer {
  const blocks = Math.ceil(bytes.length / 512) * 512
  return Buffer.concat([bytes, Buffer.alloc(blocks - bytes.length + 1024)])
}
