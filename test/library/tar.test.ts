/** Tars in and out: as other programs write and read them, and hostile ones. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ErrorCode } from '../../src/errors.ts'
import { openAgain } from '../stores.ts'
import { readTree, writeTree } from '../support/files.ts'
import { seededRandom } from '../support/random.ts'
import { rejects } from '../support/rejects.ts'
import { BSDTAR } from '../tar/bsdtar.ts'
import { tarPrograms } from '../tar/programs.ts'
import { END, pax, rawEntry, tarOf } from '../tar/raw.ts'
import { growTree, WILD_NAMES } from './random-trees.ts'
import { runs } from './runs.ts'
import { pathsOf, storedFiles, type Workspace, workspace } from './workspace.ts'

const test = suite('tar')

/** What every format can hold. */
const PLAIN = {
  'a.txt': 'a',
  'run.sh': { content: '#!/bin/sh\n', mode: 0o755 },
  empty: null,
  'sub/deep/big.bin': seededRandom(1).bytes(700_000),
  'sub/é\u{1f600}': '',
  link: { symlink: 'sub/deep' },
}
/** What takes long names. */
const LONG = {
  [`${'d'.repeat(150)}/${'f'.repeat(200)}`]: 'long',
  ['p'.repeat(99)]: 'ninety-nine',
  ['p'.repeat(100)]: 'a hundred',
  ['p'.repeat(101)]: 'a hundred and one',
  'to far away': { symlink: `${'t/'.repeat(120)}é` },
}

async function exported({ store }: Workspace, ref: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  const { content } = await store.exportTar(ref)
  for await (const piece of content) pieces.push(Uint8Array.from(piece))
  return Buffer.concat(pieces)
}

async function* piecesOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}

for (const { name, pack } of tarPrograms()) {
  test(`what ${name} packs becomes the version that the directory is`, async () => {
    await using ws = await workspace()
    const dir = ws.write('dir', /ustar|v7/i.test(name) ? PLAIN : { ...PLAIN, ...LONG })
    pack(dir, ws.at('x.tar'))
    const { digest, files } = await ws.store.importTar(ws.at('x.tar'), { name: 'imported' })
    assert.is(digest, (await ws.store.commit([dir], { name: 'dir', jobs: 0 })).digest)
    assert.is(files, Object.keys(readTree(dir)).length - 1)
  })
}

for (const [format, packed] of Object.entries(BSDTAR)) {
  test(`what bsdtar packed once, ${format}, is read`, async () => {
    await using ws = await workspace()
    const bytes = Buffer.from(packed, 'base64')
    const { ref } = await ws.store.importTar(piecesOf(bytes), { name: 'x' })
    await ws.store.download(ref, ws.at('out'))
    assert.equal(readTree(ws.at('out')), {
      'a.txt': 'one\n',
      [`${'d'.repeat(120)}/é`]: 'long\n',
      empty: null,
      link: { symlink: 'a.txt' },
      'run.sh': { content: '#!/bin/sh\n', mode: 0o755 },
    })
  })
}

const seen = new Set<string>()
for (const { name, unpack } of tarPrograms()) {
  const [program = ''] = name.split(',')
  if (seen.has(program)) continue
  seen.add(program)
  test(`${program} unpacks what is exported, and says nothing`, async () => {
    await using ws = await workspace()
    const dir = ws.write('dir', { ...PLAIN, ...LONG })
    const { ref } = await ws.store.commit([dir], { name: 'dir', jobs: 0 })
    await (await ws.store.exportTar(ref)).saveAs(ws.at('x.tar'))
    fs.mkdirSync(ws.at('out'))
    unpack(ws.at('x.tar'), ws.at('out'))
    assert.equal(readTree(ws.at('out')), readTree(dir))
  })
}

test('a version comes back from its tar, and equal content gives equal bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      await using ws = await workspace()
      growTree(ws.at('dir'), seededRandom(seed), { names: WILD_NAMES, files: 25 })
      const first = await ws.store.commit([ws.at('dir')], { name: 'dir', jobs: 0 })
      const tar = await exported(ws, first.ref)
      const back = await ws.store.importTar(piecesOf(tar), { name: 'back' })
      assert.is(back.digest, first.digest)
      assert.is(back.files, first.files)
      assert.is(back.bytes, first.bytes)
      assert.ok((await exported(ws, back.ref)).equals(tar))
    }),
    runs(8),
  )
})

test('files are cut where a commit cuts them: nothing is stored twice', async () => {
  await using ws = await workspace()
  const random = seededRandom(3)
  const sizes = [0, 1, 64, 65, 262_144, 262_145, 4 << 20, (4 << 20) + 1, 9_000_001]
  writeTree(ws.at('dir'), Object.fromEntries(sizes.map((size) => [`${size}`, random.bytes(size)])))
  fs.writeFileSync(ws.at('dir/zeros'), Buffer.alloc(6 << 20))
  const { ref, digest } = await ws.store.commit([ws.at('dir')], { name: 'dir', jobs: 0 })
  const tar = await exported(ws, ref)
  for (const length of [tar.length, 65_536, 4099]) {
    const name = `in-${length}`
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < tar.length; at += length) yield tar.subarray(at, at + length)
    }
    const report = await ws.store.importTar(pieces(), { name })
    assert.is(report.digest, digest)
    assert.ok(report.reusedBytes > 19e6, `${report.reusedBytes} bytes reused`)
    assert.ok(report.storedBytes < 5000, `${report.storedBytes} bytes for pieces of ${length}`)
  }
  // The same into a store that has none of it.
  await using other = await workspace()
  const { ref: copy, reusedBytes } = await other.store.importTar(piecesOf(tar), { name: 'copy' })
  // Of zeros, all chunks but one.
  assert.ok(reusedBytes < 6 << 20, `${reusedBytes} bytes reused`)
  assert.is(other.store.version(copy).digest, digest)
  assert.ok((await other.store.verify(copy)).ok)
  assert.ok((await exported(other, copy)).equals(tar))
})

test('labels, base and run are those of a commit', async () => {
  await using ws = await workspace()
  const run = await ws.store.startRun({ id: 'r1' })
  const tar = tarOf({ name: 'a', content: 'a' })
  const first = await ws.store.importTar(piecesOf(tar), {
    name: 'bike',
    type: 'model',
    aliases: ['best'],
    tags: ['raw'],
    description: 'from a tar',
    metadata: { rate: 1 },
    run: run.id,
    slot: 'input',
  })
  assert.is(first.ref, 'bike:v0')
  const { aliases, tags, description, metadata, type } = ws.store.version('bike')
  assert.equal(
    [[...aliases].sort(), tags, description, metadata, type],
    [['best', 'latest'], ['raw'], 'from a tar', { rate: 1 }, 'model'],
  )
  const more = await ws.store.importTar(piecesOf(tarOf({ name: 'b', content: 'b' })), {
    name: 'bike',
    incremental: true,
  })
  assert.equal(pathsOf(ws.store, more.ref), ['a', 'b'])
  assert.equal(ws.store.version(more.ref).parents.length, 1)
  const again = await ws.store.importTar(piecesOf(tar), { name: 'bike', reuse: 'any' })
  assert.equal([again.ref, again.created], ['bike:v0', false])
  await run.finish()
})

test('the name is that of the file, and gzip is told by its bytes', async () => {
  await using ws = await workspace()
  const tar = tarOf({ name: 'a', content: 'a' })
  for (const [file, bytes] of [
    ['one.tar', tar],
    ['two.tar.gz', gzipSync(tar)],
    ['three.tgz', gzipSync(tar)],
    ['four.TAR', gzipSync(tar)],
  ] as const) {
    fs.writeFileSync(ws.at(file), bytes)
    const { artifact } = await ws.store.importTar(file, { cwd: ws.path })
    assert.is(artifact, file.split('.')[0])
  }
})

test('directories that are named twice are one; `.git` and `.artifacts` are left out', async () => {
  await using ws = await workspace()
  const tar = tarOf(
    { name: 'd/', type: '5' },
    { name: 'd', type: '5' },
    { name: 'e/', type: '5' },
    { name: 'e/f', content: 'f' },
    { name: '.git/HEAD', content: 'ref' },
    { name: '.git/objects/', type: '5' },
    { name: 'e/.Artifacts/log', content: 'x' },
    { name: 'out', type: '2', target: '/etc/passwd' },
  )
  const { ref, skipped, outwardLinks } = await ws.store.importTar(piecesOf(tar), { name: 'x' })
  assert.equal(pathsOf(ws.store, ref), ['d', 'e/f', 'out'])
  assert.equal(
    skipped.map(({ path }) => path),
    ['.git', 'e/.Artifacts'],
  )
  assert.is(outwardLinks, 1)
})

const BYTES = seededRandom(5).bytes(6 << 20)
/** Each begins with enough that packs are begun. */
const HOSTILE: readonly (readonly [string, Buffer, ErrorCode, string])[] = [
  ['a path upwards', tarOf({ name: '../../etc/cron.d/x' }), 'ERR_INVALID_PATH', '".."'],
  ['a path upwards inside', tarOf({ name: 'a/../../b' }), 'ERR_INVALID_PATH', '".."'],
  ['an absolute path', tarOf({ name: '/etc/passwd' }), 'ERR_INVALID_PATH', 'absolute'],
  ['a path of pax', tarOf(pax({ path: '/etc/passwd' }), {}), 'ERR_INVALID_PATH', 'absolute'],
  ['a NUL', tarOf(pax({ path: 'a\0b' }), {}), 'ERR_INVALID_PATH', 'NUL'],
  ['a long part', tarOf(pax({ path: 'x'.repeat(256) }), {}), 'ERR_INVALID_PATH', '255 bytes'],
  ['a long path', tarOf(pax({ path: 'x/'.repeat(2500) }), {}), 'ERR_INVALID_PATH', '4096 bytes'],
  ['a path twice', tarOf({ name: 'a' }, { name: './a' }), 'ERR_INVALID_PATH', '"a" is there twice'],
  [
    'a file and a directory',
    tarOf({ name: 'a' }, { name: 'a', type: '5' }),
    'ERR_INVALID_PATH',
    'twice',
  ],
  [
    'a path below a link',
    tarOf({ name: 'l', type: '2', target: '/tmp' }, { name: 'l/x' }),
    'ERR_INVALID_PATH',
    'below "l"',
  ],
  [
    'a link above a path',
    tarOf({ name: 'l/sub/x' }, { name: 'l', type: '2', target: '/tmp' }),
    'ERR_INVALID_PATH',
    'twice',
  ],
  ['a path below a file', tarOf({ name: 'f' }, { name: 'f/a/b' }), 'ERR_INVALID_PATH', 'below "f"'],
  ['a link to nothing', tarOf({ type: '2' }), 'ERR_UNSUPPORTED', 'symlink'],
  ['a hard link', tarOf({ name: 'h', type: '1', target: 'a' }), 'ERR_UNSUPPORTED', 'hard link'],
  ['a cut between entries', rawEntry({ name: 'b', content: 'b' }), 'ERR_DAMAGED', 'was cut'],
  [
    'a cut inside an entry',
    rawEntry({ name: 'b', content: BYTES }).subarray(0, 5 << 20),
    'ERR_DAMAGED',
    'in the middle of "b"',
  ],
  ['something behind the end', Buffer.concat([END, rawEntry({})]), 'ERR_DAMAGED', 'behind its end'],
  ['a key', tarOf({ name: 'k', content: '-----BEGIN PRIVATE KEY-----' }), 'ERR_SECRETS', '"k"'],
  ['a .env', tarOf({ name: 'a/.env', content: 'KEY=1' }), 'ERR_SECRETS', '"a/.env"'],
]

for (const [what, tar, code, says] of HOSTILE) {
  test(`${what} is refused, and the store is as it was`, async () => {
    await using ws = await workspace()
    await ws.store.commit([ws.write('dir', { a: 'a' })], { name: 'x', jobs: 0 })
    const before = storedFiles(ws)
    const whole = Buffer.concat([rawEntry({ name: 'first', content: BYTES }), tar])
    const { message, hint } = await rejects(
      ws.store.importTar(piecesOf(whole), { name: 'hostile' }),
      code,
    )
    assert.match(message, says)
    assert.ok(hint !== undefined || code === 'ERR_UNSUPPORTED', message)
    assert.equal(storedFiles(ws), before)
    assert.equal(
      ws.store.artifacts().map(({ name }) => name),
      ['x'],
    )
  })
}

test('more than a pack of a tar that is refused in the end leaves nothing behind', async () => {
  await using ws = await workspace()
  const random = seededRandom(7)
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < 40; index++) {
      yield rawEntry({ name: `${index}`, content: random.bytes(2 << 20) })
    }
    // By now the first pack is full and durable.
    await sleep(300)
    yield rawEntry({ name: '../x' })
  }
  await rejects(ws.store.importTar(pieces(), { name: 'x' }), 'ERR_INVALID_PATH')
  assert.equal(Object.keys(storedFiles(ws)), [])
})

test('labels that would be refused are refused before the tar is read', async () => {
  await using ws = await workspace()
  await ws.store.commit([ws.write('dir', { a: 'a' })], { name: 'x', type: 'model', jobs: 0 })
  const never = async function* (): AsyncGenerator<Uint8Array> {
    assert.unreachable('read')
    yield END
  }
  const refused = (options: object, code: ErrorCode): Promise<unknown> =>
    rejects(ws.store.importTar(never(), { name: 'x', ...options }), code)
  await refused({ type: 'dataset' }, 'ERR_TYPE_MISMATCH')
  await refused({ aliases: ['v1'] }, 'ERR_INVALID_NAME')
  await refused({ base: 'y' }, 'ERR_NOT_FOUND')
  await refused({ run: 'none' }, 'ERR_NOT_FOUND')
  await rejects(ws.store.importTar(never()), 'ERR_USAGE')
  await rejects(ws.store.importTar('none.tar', { cwd: ws.path }), 'ERR_NOT_FOUND')
  await rejects(ws.store.importTar('.', { cwd: ws.path, name: 'y' }), 'ERR_NOT_FOUND')
})

test('an import that is stopped leaves nothing behind', async () => {
  await using ws = await workspace()
  const stop = new AbortController()
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    yield rawEntry({ name: 'a', content: BYTES })
    stop.abort(new Error('enough'))
    await new Promise(() => {})
  }
  try {
    await ws.store.importTar(endless(), { name: 'x', signal: stop.signal })
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'enough')
  }
  assert.equal(Object.keys(storedFiles(ws)), [])
})

test('what GNU tar makes of holes and hard links is refused by name, with the flag that helps', async () => {
  await using ws = await workspace()
  const dir = ws.write('dir', { one: 'linked' })
  const tar = (...args: readonly string[]): void => {
    assert.is(spawnSync('tar', ['-C', dir, ...args, '.']).status, 0, args.join(' '))
  }
  const imported = (name: string): Promise<unknown> =>
    ws.store.importTar(ws.at(name), { name: 'x' })
  fs.linkSync(join(dir, 'one'), join(dir, 'two'))
  tar('-cf', ws.at('links.tar'))
  const { message, hint } = await rejects(imported('links.tar'), 'ERR_UNSUPPORTED')
  assert.match(message, /holds a hard link, "\.\/(one|two)"/)
  assert.match(String(hint), '--hard-dereference')
  tar('--hard-dereference', '-cf', ws.at('files.tar'))
  await imported('files.tar')
  assert.equal(pathsOf(ws.store, 'x'), ['one', 'two'])
  fs.truncateSync(join(dir, 'two'), 8 << 20)
  for (const format of ['gnu', 'posix']) {
    tar('--hard-dereference', '--sparse', `--format=${format}`, '-cf', ws.at(`${format}.tar`))
    const sparse = await rejects(imported(`${format}.tar`), 'ERR_UNSUPPORTED')
    assert.match(sparse.message, /holds a sparse file, ".*two"/)
  }
})

test('memory does not grow with the tar', () => {
  const script = join(import.meta.dirname, 'import-stream.js')
  const folder = fs.mkdtempSync(join(tmpdir(), 'import-'))
  const mib = process.env['ARTIFACTS_TEST_FULL'] === '1' ? 10_000 : 200
  const { stdout, stderr } = spawnSync(process.execPath, [script, folder, String(mib)], {
    encoding: 'utf8',
  })
  fs.rmSync(folder, { recursive: true })
  assert.is(stderr, '')
  const { bytes, rss } = JSON.parse(stdout) as { bytes: number; rss: number }
  assert.is(bytes, mib * 2 ** 20)
  assert.ok(rss < 320, `${rss} MiB for a tar of ${mib} MiB`)
})

test('references are fetched into the tar, or left out where that is asked for', async () => {
  await using ws = await workspace()
  const elsewhere = ws.write('elsewhere', { 'big.bin': 'referenced' })
  const { ref } = await ws.store.commit([elsewhere], { name: 'ref', reference: true })
  const { ref: copy } = await ws.store.importTar(piecesOf(await exported(ws, ref)), {
    name: 'copy',
  })
  assert.is(Buffer.concat([...ws.store.read(copy, 'big.bin')]).toString(), 'referenced')
  fs.rmSync(join(elsewhere, 'big.bin'))
  await rejects(ws.store.exportTar(ref), 'ERR_NOT_FOUND')
  const without = await ws.store.exportTar(ref, { allowMissingReferences: true })
  assert.equal([without.missingReferences, without.files], [['big.bin'], 0])
  assert.is(await without.saveAs(ws.at('x.tar')), 1024)
  assert.equal(fs.readdirSync(join(ws.store.root, 'tmp')), [])
})

test('a file that is damaged ends the tar with an error, and leaves no file', async () => {
  await using ws = await workspace()
  const random = seededRandom(9)
  const dir = ws.write('dir', { a: random.bytes(900_000), b: 'b' })
  const { ref } = await ws.store.commit([dir], { name: 'x', jobs: 0 })
  const packs = join(ws.store.root, 'packs')
  for (const name of fs.readdirSync(packs)) {
    const bytes = fs.readFileSync(join(packs, name))
    if (bytes.length > 800_000) fs.writeFileSync(join(packs, name), bytes.fill(0x55, 5e5, 6e5))
  }
  await rejects((await ws.store.exportTar(ref)).saveAs(ws.at('x.tar')), 'ERR_DAMAGED')
  assert.equal(fs.readdirSync(ws.path).sort(), ['.artifacts', 'dir'])
  // Who stops early is told nothing.
  const { content } = await ws.store.exportTar(ref)
  for await (const piece of content) {
    assert.ok(piece.length > 0)
    break
  }
})

test('bytes that gc removes while a tar is read are not relied on', async () => {
  await using ws = await workspace()
  using other = await openAgain(ws.store)
  const bytes = seededRandom(10).bytes(100_000)
  await ws.store.commit([ws.write('dir', { a: bytes })], { name: 'x', jobs: 0 })
  const pieces = async function* (isDisturbed: boolean): AsyncGenerator<Uint8Array> {
    yield rawEntry({ name: 'a', content: bytes })
    // Asked for the next header, the reader is done with the file before.
    if (isDisturbed) {
      await other.remove(['x:v0'])
      await other.gc({ grace: '0' })
    }
    yield END
  }
  await rejects(ws.store.importTar(pieces(true), { name: 'y' }), 'ERR_BUSY')
  const { ref } = await ws.store.importTar(pieces(false), { name: 'y' })
  assert.ok((await ws.store.verify(ref)).ok)
})

test('a file takes the place of another one only when it is whole', async () => {
  await using ws = await workspace()
  const { ref } = await ws.store.commit([ws.write('dir', PLAIN)], { name: 'x', jobs: 0 })
  fs.writeFileSync(ws.at('x.tar'), 'before')
  const stop = new AbortController()
  const tar = await ws.store.exportTar(ref, {
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('enough')),
  })
  try {
    await tar.saveAs(ws.at('x.tar'))
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'enough')
  }
  assert.is(fs.readFileSync(ws.at('x.tar'), 'utf8'), 'before')
  await (await ws.store.exportTar(ref)).saveAs(ws.at('x.tar'))
  assert.ok(fs.readFileSync(ws.at('x.tar')).equals(await exported(ws, ref)))
  assert.equal(fs.readdirSync(ws.path).sort(), ['.artifacts', 'dir', 'x.tar'])
  await rejects((await ws.store.exportTar(ref)).saveAs(ws.at('dir')), 'ERR_USAGE')
})

test.run()
