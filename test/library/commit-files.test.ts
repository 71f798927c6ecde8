/** Which files of a directory go into a version, which are left out, and which keep it from being made. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ArtifactsError, CommitOptions, Progress } from '../../src/index.ts'
import { seededRandom } from '../support/random.ts'
import { rejects } from '../support/rejects.ts'
import { pathsOf, storedFiles, workspace } from './workspace.ts'

const test = suite('commit-files')
const NOBODY = 65_534

const TREE = {
  'a.txt': 'a',
  'b.log': 'b',
  'logs/c.log': 'c',
  'logs/keep.log': 'k',
  'sub/a.txt': 'd',
  'sub/deep/e.bin': 'e',
  'tmp/f': 'f',
}

async function committed(
  options: CommitOptions,
  more: Record<string, string> = {},
): Promise<string[]> {
  await using ws = await workspace()
  const dir = ws.write('data', { ...TREE, ...more })
  const { bound } = await ws.store.commit([dir], options)
  const isWhole = options.include === undefined && options.exclude === undefined
  assert.is(bound?.path, isWhole ? 'data' : undefined)
  return pathsOf(ws.store, 'data')
}

test('"exclude" leaves out, "include" keeps only, and an ignore file does so for its folder', async () => {
  // A directory of which nothing is left is an empty one.
  assert.equal(await committed({ exclude: ['*.log', '/tmp/'] }), [
    'a.txt',
    'logs',
    'sub/a.txt',
    'sub/deep/e.bin',
  ])
  assert.equal(await committed({ exclude: ['*.log', '!keep.log', 'tmp', 'sub'] }), [
    'a.txt',
    'logs/keep.log',
  ])
  assert.equal(await committed({ include: ['*.txt'] }), ['a.txt', 'sub/a.txt'])
  assert.equal(await committed({ include: ['sub/'], exclude: ['*.txt'] }), ['sub/deep/e.bin'])
  assert.equal(
    await committed({}, { '.artifactsignore': '*.log\ntmp/\n', 'sub/.artifactsignore': '/a.txt' }),
    ['.artifactsignore', 'a.txt', 'logs', 'sub/.artifactsignore', 'sub/deep/e.bin'],
  )
  // What git is told to leave out is not left out here.
  assert.is((await committed({}, { '.gitignore': '*' })).length, 8)
})

test('what is called .git or .artifacts is never stored, nor is the store itself', async () => {
  await using ws = await workspace()
  ws.write('.', { '.git/config': 'x', 'sub/.GIT/x': 'x', 'sub/.Artifacts/x': 'x', a: 'a' })
  await ws.store.commit([ws.path], { name: 'all' })
  assert.equal(pathsOf(ws.store, 'all'), ['a', 'sub'])
  const [status] = await ws.store.status(ws.path)
  assert.is(status?.state, 'clean')
})

test('sockets, FIFOs and devices are skipped, by name, and never opened', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { a: 'a' })
  const { status } = spawnSync('mkfifo', [join(dir, 'pipe')])
  assert.is(status, 0)
  const { skipped, files } = await ws.store.commit([dir])
  assert.is(files, 1)
  assert.equal(
    skipped.map(({ path }) => path),
    ['pipe'],
  )
  assert.match(skipped[0]?.reason ?? '', /fifo|pipe/i)
})

test('links that lead outside are counted and kept as they are', async () => {
  await using ws = await workspace()
  const links = { in: 'a', up: '../data/a', 'sub/in': '../a', 'sub/out': '../../x', abs: '/etc' }
  const tree = Object.entries(links).map(([path, symlink]) => [path, { symlink }])
  const dir = ws.write('data', { a: 'a', ...Object.fromEntries(tree) })
  assert.is((await ws.store.commit([dir])).outwardLinks, 3)
  const stored = Array.from(ws.store.entries('data')).flatMap((entry) =>
    entry.kind === 'symlink' ? [[entry.path, entry.target]] : [],
  )
  assert.equal(Object.fromEntries(stored), links)
})

test('files that cannot be read keep anything from being committed, and are named', async () => {
  await using ws = await workspace()
  const { store } = ws
  const names = Array.from({ length: 12 }, (_, index) => `secret-${String(index).padStart(2, '0')}`)
  const files = Object.fromEntries(names.map((name) => [name, name.repeat(20)]))
  const dir = ws.write('data', {
    a: 'a'.repeat(100),
    ...files,
    'closed/x': 'x',
    large: Buffer.alloc(5 << 20),
  })
  spawnSync('chmod', ['-R', 'a+rwX', ws.path])
  const before = storedFiles(ws)
  const refusal = (...closed: readonly string[]): Promise<ArtifactsError> => {
    for (const name of closed) fs.chmodSync(join(dir, name), 0)
    return asNobody(() => rejects(store.commit([dir]), 'ERR_UNREADABLE'))
  }
  assert.match((await refusal('large')).message, 'large" (EACCES)')
  fs.chmodSync(join(dir, 'large'), 0o644)
  const { message } = await refusal(...names)
  assert.match(message, '12 files')
  assert.match(message, /secret-09".*\n {2}and 2 more$/)
  for (const name of names) fs.chmodSync(join(dir, name), 0o644)
  assert.match((await refusal('closed')).message, '"closed')
  fs.chmodSync(join(dir, 'closed'), 0o755)
  assert.equal(storedFiles(ws), before)
  assert.equal(store.artifacts(), [])
  assert.is((await store.commit([dir])).version, 'v0')
})

/** The superuser can read everything, so somebody else has to try. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work()
  process.seteuid?.(NOBODY)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}

test('progress only grows, and ends with every file and byte', async () => {
  await using ws = await workspace()
  const { store } = ws
  const random = seededRandom(1)
  const small = Object.fromEntries(
    Array.from({ length: 500 }, (_, index) => [`small/${index}`, random.bytes(index * 10)]),
  )
  const tree = { ...small, large: random.bytes(20 << 20), mid: random.bytes(5 << 20) }
  for (const jobs of [0, 2]) {
    // A directory that is not known yet: of one that is, little is read.
    const dir = ws.write(`data-${jobs}`, tree)
    const seen: Progress[] = []
    const onProgress = (progress: Progress): void => void seen.push({ ...progress })
    const { files, bytes } = await store.commit([dir], {
      name: 'data',
      jobs,
      reuse: 'never',
      onProgress,
    })
    checkGrowth(seen, { files, bytes })
    seen.length = 0
    await store.checkout('data', ws.at(`copy-${jobs}`), { jobs, onProgress })
    checkGrowth(seen, { files, bytes })
    seen.length = 0
    await store.verify('data', { onProgress })
    assert.is(seen.at(-1)?.phase, 'verify')
    assert.ok((seen.at(-1)?.bytes ?? 0) > 25 << 20)
  }
})

function checkGrowth(seen: readonly Progress[], end: { files: number; bytes: number }): void {
  assert.ok(seen.length > 0)
  let before = { files: 0, bytes: 0 }
  for (const { files, bytes } of seen) {
    assert.ok(
      files >= before.files && bytes >= before.bytes,
      JSON.stringify([before, files, bytes]),
    )
    before = { files, bytes }
  }
  assert.equal(before, end)
}

test.run()
