import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isSystemError } from '../../../src/errors.ts'
import { DeadError, type Fault, installFaults } from '../../../src/store/io/faults.ts'
import { intercept } from '../../../src/store/io/intercept.ts'
import { createIo, type Io } from '../../../src/store/io/io.ts'
import {
  bytesSurvive,
  chance,
  namesSurvive,
  nothingSurvives,
  recordUnsynced,
} from '../../../src/store/io/power.ts'
import { countCalls, forEachCall } from '../../support/crash.ts'
import { readTree, writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { throwsCode } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('io')
const io = createIo({ durability: 'power' })

function code(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return isSystemError(error, String((error as NodeJS.ErrnoException).code))
      ? error.code
      : String(error)
  }
  return undefined
}

function replace(target: Io, directory: string, content: string, durable = true): void {
  const tmp = join(directory, 'tmp')
  target.writeFileAtomic(join(directory, 'config'), Buffer.from(content), { tmp, durable })
}

test('every call does what its name says', async () => {
  await using dir = await temporaryDirectory()
  const at = (name: string): string => join(dir.path, name)

  const fd = io.open(at('a'), 'wx', 0o600)
  assert.is(io.write(fd, Buffer.from('xabcx'), 1, 3), 3)
  io.writeAll(fd, Buffer.from('defgh'))
  io.writeAll(fd, Buffer.from('BC'), 1)
  io.ftruncate(fd, 6)
  io.fchmod(fd, 0o640)
  io.fsync(fd)
  await io.fdatasyncAsync(fd)
  io.close(fd)
  assert.is(fs.readFileSync(at('a'), 'utf8'), 'aBCdef')
  assert.is(fs.statSync(at('a')).mode & 0o777, 0o640)

  io.link(at('a'), at('b'))
  io.rename(at('a'), at('c'))
  io.symlink('c', at('s'))
  io.chmod(at('c'), 0o755)
  io.utimes(at('c'), 1, 2)
  io.mkdir(at('d'), { mode: 0o700 })
  io.fsyncDirectory(dir.path)
  assert.is(fs.statSync(at('b')).mtimeMs, 2000)
  assert.is(fs.statSync(at('d')).mode & 0o777, 0o700)
  const executable = { content: 'aBCdef', mode: 0o755 }
  assert.equal(readTree(dir.path), { b: executable, c: executable, d: null, s: { symlink: 'c' } })

  io.rmdir(at('d'))
  io.unlink(at('b'))
  assert.equal(readTree(dir.path), { c: executable, s: { symlink: 'c' } })
})

test('mkdir makes what is missing above, and takes a directory that exists', async () => {
  await using dir = await temporaryDirectory()
  const deep = join(dir.path, 'a/b/c')
  const calls = await countCalls(() => {
    io.mkdir(deep, { recursive: true })
    io.mkdir(deep, { recursive: true })
  })
  assert.equal(
    calls.map(({ kind, path }) => [kind, path]),
    ['a', 'a/b', 'a/b/c'].map((path) => ['mkdir', join(dir.path, path)]),
  )
  assert.is(
    code(() => io.mkdir(deep)),
    'EEXIST',
  )

  writeTree(dir.path, { file: '' })
  assert.is(
    code(() => io.mkdir(join(dir.path, 'file'), { recursive: true })),
    'EEXIST',
  )
  assert.is(
    code(() => io.mkdir(join(dir.path, 'file/d'), { recursive: true })),
    'ENOTDIR',
  )
})

test('mkdir takes a directory that another process makes at the same moment', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'a')
  const remove = intercept({ before: (call) => fs.mkdirSync(call.path) })
  try {
    io.mkdir(path, { recursive: true })
  } finally {
    remove()
  }
  assert.ok(fs.statSync(path).isDirectory())
})

test('writeAll goes on after short writes, at the right place', async () => {
  await using dir = await temporaryDirectory()
  const bytes = seededRandom(1).bytes(1000)
  for (const position of [null, 10]) {
    const path = join(dir.path, String(position))
    const fd = io.open(path, 'wx')
    const remove = intercept({
      before(call) {
        if (call.length !== undefined) call.length = Math.min(call.length, 7)
      },
    })
    io.writeAll(fd, bytes, position)
    remove()
    io.close(fd)
    assert.ok(
      fs
        .readFileSync(path)
        .subarray(position ?? 0)
        .equals(bytes),
    )
  }
})

test('writeAll refuses to go on when nothing is written', async () => {
  await using dir = await temporaryDirectory()
  const fd = io.open(join(dir.path, 'a'), 'wx')
  const remove = intercept({
    before(call) {
      if (call.length !== undefined) call.length = 0
    },
  })
  throwsCode(() => io.writeAll(fd, Buffer.from('abc')), 'ERR_IO')
  remove()
  io.close(fd)
})

test('linkExclusive says whether the name was free', async () => {
  await using dir = await temporaryDirectory()
  writeTree(dir.path, { tmp: 'mine', taken: 'theirs' })
  const at = (name: string): string => join(dir.path, name)
  assert.is(io.linkExclusive(at('tmp'), at('taken')), false)
  assert.is(io.linkExclusive(at('tmp'), at('free')), true)
  assert.equal(readTree(dir.path), { free: 'mine', taken: 'theirs', tmp: 'mine' })
  assert.is(
    code(() => io.linkExclusive(at('missing'), at('other'))),
    'ENOENT',
  )
})

test('createFile leaves an existing file alone', async () => {
  await using dir = await temporaryDirectory()
  writeTree(dir.path, { a: 'old' })
  const create = (): void =>
    io.createFile(join(dir.path, 'a'), Buffer.from('new'), { durable: true })
  assert.is(code(create), 'EEXIST')
  assert.equal(readTree(dir.path), { a: 'old' })
})

test('createFile makes a whole file or none, whatever call fails', async () => {
  const { points } = await forEachCall({
    prepare: () => {},
    run: (directory) =>
      io.createFile(join(directory, 'a'), Buffer.from('whole'), { durable: true, mode: 0o600 }),
    faults: FAILURES,
    check(directory, _point, error) {
      assert.equal(readTree(directory), error === undefined ? { a: 'whole' } : {})
    },
  })
  assert.is(points, 12)
})

test('writeFileAtomic leaves the old file or the new one, whatever call is the last or fails', async () => {
  let completed = 0
  const { calls, points } = await forEachCall({
    prepare: (directory) => writeTree(directory, { config: 'old' }),
    run: (directory) => replace(io, directory, 'new content'),
    faults: [...FAILURES, { do: 'die', when: 'before' }, { do: 'die', when: 'after' }],
    losses: {
      all: nothingSurvives,
      bytes: namesSurvive,
      names: bytesSurvive,
      ...Object.fromEntries(
        Array.from({ length: 20 }, (_, seed) => [`seed ${seed}`, chance(seededRandom(seed).next)]),
      ),
    },
    check(directory, point, error) {
      const { config, ...others } = readTree(directory)
      assert.ok(config === 'old' || config === 'new content', String(config))
      if (error === undefined) assert.is(config, 'new content')
      if (!(error instanceof DeadError) && point.power === undefined) assert.equal(others, {})
      if (error !== undefined && config !== 'old') {
        completed++
        const { kind } = point.call
        assert.ok(
          kind === 'fsyncDirectory' || kind === 'rename',
          `replaced, although ${kind} failed`,
        )
      }
    },
  })
  assert.is(calls, 6)
  assert.ok(points > 300)
  assert.ok(completed > 0)
})

test('what writeFileAtomic has returned from survives any loss of power, if durable', async () => {
  await using dir = await temporaryDirectory()
  const root = join(dir.path, 'store')
  const states = new Map<string, Set<unknown>>()
  for (const [name, target, durable] of [
    ['durable', io, true],
    ['not durable', io, false],
    ['process', createIo({ durability: 'process' }), true],
  ] as const) {
    const seen = new Set<unknown>()
    states.set(name, seen)
    for (let seed = 0; seed < 60; seed++) {
      fs.rmSync(root, { recursive: true, force: true })
      writeTree(root, { config: 'old' })
      using recording = recordUnsynced(root)
      replace(target, root, 'new content', durable)
      recording.losePower(chance(seededRandom(seed).next))
      seen.add(fs.readFileSync(join(root, 'config'), 'utf8'))
    }
  }
  assert.equal([...(states.get('durable') ?? [])], ['new content'])
  for (const careless of ['not durable', 'process']) {
    assert.ok(states.get(careless)?.has('old'), careless)
    assert.ok(states.get(careless)?.has('new content'), careless)
    assert.ok(states.get(careless)?.has(''), careless)
  }
})

test('two stores of one process may differ in durability', async () => {
  await using dir = await temporaryDirectory()
  const scratch = createIo({ durability: 'process' })
  assert.is(scratch.durability, 'process')
  const kinds = async (target: Io): Promise<string[]> => {
    const calls = await countCalls(async () => {
      replace(target, dir.path, 'x')
      const fd = target.open(join(dir.path, 'config'), 'r+')
      target.fsync(fd)
      await target.fdatasyncAsync(fd)
      target.close(fd)
      target.fsyncDirectory(dir.path)
    })
    return calls.map((call) => call.kind)
  }
  assert.equal(await kinds(scratch), ['open', 'write', 'close', 'rename', 'open', 'close'])
  assert.equal(await kinds(io), [
    ...['open', 'write', 'fsync', 'close', 'rename', 'fsyncDirectory'],
    ...['open', 'fsync', 'fdatasync', 'close', 'fsyncDirectory'],
  ])
})

test('fsyncDirectory passes over file systems that cannot, and over nothing else', async () => {
  // Linux answers EINVAL to fsync in /proc.
  if (fs.existsSync('/proc/self')) io.fsyncDirectory('/proc')
  await using dir = await temporaryDirectory()
  assert.is(
    code(() => io.fsyncDirectory(join(dir.path, 'missing'))),
    'ENOENT',
  )
  using _faults = installFaults({ at: 1, fault: { do: 'fail', code: 'EIO' } })
  assert.is(
    code(() => io.fsyncDirectory(dir.path)),
    'EIO',
  )
})

const FAILURES: readonly Fault[] = [
  ...(['EIO', 'ENOSPC', 'EMFILE', 'EROFS', 'EACCES'] as const).map(
    (name): Fault => ({ do: 'fail', code: name }),
  ),
  { do: 'short' },
  { do: 'short', next: 'ENOSPC' },
]

test.run()
