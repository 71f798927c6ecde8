import { once } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  DeadError,
  type ErrorName,
  type FaultPlan,
  installFaults,
  watchCalls,
} from '../../../src/store/io/faults.ts'
import type { CallKind } from '../../../src/store/io/intercept.ts'
import { createIo } from '../../../src/store/io/io.ts'
import { runChild } from '../../support/child.ts'
import { readTree, writeTree } from '../../support/files.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('faults')
const io = createIo({ durability: 'power' })
const ERRORS: readonly ErrorName[] = ['EIO', 'ENOSPC', 'EMFILE', 'EROFS', 'EACCES']

/** One call of each kind, on `a` (a file), `d` (an empty directory) and names that are free. */
const CALLS: Readonly<Record<CallKind, (at: (name: string) => string, fd: number) => unknown>> = {
  open: (at) => io.open(at('new'), 'wx'),
  close: (_, fd) => io.close(fd),
  write: (_, fd) => io.write(fd, Buffer.from('longer')),
  ftruncate: (_, fd) => io.ftruncate(fd, 1),
  fsync: (_, fd) => io.fsync(fd),
  fdatasync: (_, fd) => io.fdatasyncAsync(fd),
  fsyncDirectory: (at) => io.fsyncDirectory(at('d')),
  rename: (at) => io.rename(at('a'), at('new')),
  link: (at) => io.link(at('a'), at('new')),
  symlink: (at) => io.symlink('a', at('new')),
  unlink: (at) => io.unlink(at('a')),
  mkdir: (at) => io.mkdir(at('new')),
  rmdir: (at) => io.rmdir(at('d')),
  chmod: (at) => io.chmod(at('a'), 0o755),
  fchmod: (_, fd) => io.fchmod(fd, 0o755),
  utimes: (at) => io.utimes(at('a'), 1, 1),
}

/** Runs one call of a kind under a plan; returns what it threw and what the folder looks like. */
async function attempt(kind: CallKind, plan: FaultPlan): Promise<{ error: unknown; tree: object }> {
  await using dir = await temporaryDirectory()
  writeTree(dir.path, { a: 'abc', d: null })
  const at = (name: string): string => join(dir.path, name)
  const fd = fs.openSync(at('a'), 'r+')
  let error: unknown
  {
    using _faults = installFaults(plan)
    try {
      await CALLS[kind](at, fd)
    } catch (thrown) {
      error = thrown
    }
  }
  if (kind === 'close') assert.throws(() => fs.fstatSync(fd), /EBADF/)
  else fs.closeSync(fd)
  const times = fs.existsSync(at('a')) && fs.statSync(at('a')).mtimeMs === 1000 ? { a: 'old' } : {}
  return { error, tree: { ...readTree(dir.path), times } }
}

const UNTOUCHED = { a: 'abc', d: null, times: {} }
/** Kinds whose effect can be seen by looking. */
const VISIBLE = (Object.keys(CALLS) as CallKind[]).filter((kind) => !/close|sync/.test(kind))

for (const kind of Object.keys(CALLS) as CallKind[]) {
  test(`a ${kind} that fails has no effect, and looks like the system's own failure`, async () => {
    for (const name of ERRORS) {
      const { error, tree } = await attempt(kind, { at: 1, fault: { do: 'fail', code: name } })
      assert.instance(error, Error)
      const { code, syscall, errno } = error as NodeJS.ErrnoException
      assert.equal([code, syscall], [name, kind])
      assert.ok((errno ?? 0) < 0)
      assert.equal(tree, UNTOUCHED)
    }
  })

  test(`death comes before a ${kind} or after it`, async () => {
    const before = await attempt(kind, { at: 1, fault: { do: 'die', when: 'before' } })
    const after = await attempt(kind, { at: 1, fault: { do: 'die', when: 'after' } })
    const undisturbed = await attempt(kind, { at: 2, fault: { do: 'die', when: 'before' } })
    assert.instance(before.error, DeadError)
    assert.instance(after.error, DeadError)
    assert.is(undisturbed.error, undefined)
    assert.equal(before.tree, UNTOUCHED)
    assert.equal(after.tree, undisturbed.tree)
    if (VISIBLE.includes(kind)) assert.not.equal(after.tree, UNTOUCHED)
  })
}

test('the dead make no call until the reset, which closes what they left open', async () => {
  await using dir = await temporaryDirectory()
  const at = (name: string): string => join(dir.path, name)
  const faults = installFaults({ at: 2, fault: { do: 'die', when: 'after' } })
  const fd = io.open(at('a'), 'wx')
  assert.throws(
    () => io.mkdir(at('d')),
    (error: unknown) => error instanceof DeadError,
  )
  for (const call of [
    () => io.mkdir(at('e')),
    () => io.write(fd, Buffer.from('x')),
    () => io.rename(at('a'), at('b')),
  ]) {
    assert.throws(call, (error: unknown) => error instanceof DeadError)
  }
  assert.equal(readTree(dir.path), { a: '', d: null })
  assert.ok(faults.fired)
  fs.fstatSync(fd)

  faults.reset()
  assert.throws(() => fs.fstatSync(fd), /EBADF/)
  io.mkdir(at('e'))
  assert.equal(readTree(dir.path), { a: '', d: null, e: null })
})

test('a call that fails by itself can be the last one too', async () => {
  await using dir = await temporaryDirectory()
  using _faults = installFaults({ at: 1, fault: { do: 'die', when: 'after' } })
  assert.throws(() => io.unlink(join(dir.path, 'missing')), /after death/)
  assert.throws(() => io.mkdir(join(dir.path, 'd')), /after death/)
})

test('a failure happens once, or from then on to all that the plan matches', async () => {
  await using dir = await temporaryDirectory()
  const made = (lasting: boolean): string[] => {
    using faults = installFaults({
      at: 2,
      kinds: ['mkdir'],
      paths: /\/d[0-9]$/,
      fault: { do: 'fail', code: 'ENOSPC', lasting },
    })
    const root = join(dir.path, String(lasting))
    io.mkdir(root)
    for (const name of ['d1', 'd2', 'd3', 'e1']) {
      try {
        io.mkdir(join(root, name))
      } catch (error) {
        assert.is((error as NodeJS.ErrnoException).code, 'ENOSPC')
      }
    }
    io.symlink('nowhere', join(root, 'd4'))
    assert.is(faults.calls, 3)
    return Object.keys(readTree(root))
  }
  assert.equal(made(false), ['d1', 'd3', 'd4', 'e1'])
  assert.equal(made(true), ['d1', 'd4', 'e1'])
})

test('a plan matches a new name as well as the old one', async () => {
  await using dir = await temporaryDirectory()
  writeTree(dir.path, { a: '' })
  using faults = installFaults({ at: 1, paths: /final$/, fault: { do: 'fail', code: 'EIO' } })
  io.rename(join(dir.path, 'a'), join(dir.path, 'b'))
  assert.throws(() => io.rename(join(dir.path, 'b'), join(dir.path, 'final')), /EIO/)
  assert.is(faults.calls, 1)
})

test('a short write says so, and the disk may be full after it', async () => {
  await using dir = await temporaryDirectory()
  const write = (name: string, next?: ErrorName): void => {
    const fd = io.open(join(dir.path, name), 'wx')
    const fault = next === undefined ? ({ do: 'short' } as const) : ({ do: 'short', next } as const)
    using _faults = installFaults({ at: 1, kinds: ['write'], fault })
    try {
      assert.is(io.write(fd, Buffer.from('abcdef')), 3)
      io.writeAll(fd, Buffer.from('def'))
    } finally {
      io.writeAll(fd, Buffer.from('.'))
      io.close(fd)
    }
  }
  write('short')
  assert.throws(() => write('full', 'ENOSPC'), /ENOSPC/)
  assert.equal(readTree(dir.path), { full: 'abc.', short: 'abcdef.' })
})

test('the calls of an operation can be listed', async () => {
  await using dir = await temporaryDirectory()
  const [path, tmp] = [join(dir.path, 'a'), join(dir.path, 'tmp')]
  const watch = watchCalls()
  io.writeFileAtomic(path, Buffer.from('x'), { tmp, durable: true })
  const calls = watch.stop()
  io.unlink(path)
  assert.equal(
    calls.map((call) => [call.kind, call.path, call.to]),
    [
      ['open', tmp, undefined],
      ['write', tmp, undefined],
      ['fsync', tmp, undefined],
      ['close', tmp, undefined],
      ['rename', tmp, path],
      ['fsyncDirectory', dir.path, undefined],
    ],
  )
})

test('a process is killed for real at the call that the plan names', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'config')
  const script = new URL('atomic-child.js', import.meta.url)
  const left = (plan: FaultPlan, signal: 'SIGKILL' | null): Record<string, unknown> => {
    writeTree(dir.path, { config: 'old' })
    fs.rmSync(`${path}.tmp`, { force: true })
    const child = runChild(script, [path, 'new'], plan)
    assert.is(child.signal, signal, child.stderr)
    return readTree(dir.path)
  }
  const kill = (at: number, when: 'before' | 'after'): FaultPlan => ({
    at,
    fault: { do: 'kill', when },
  })
  assert.equal(left(kill(1, 'before'), 'SIGKILL'), { config: 'old' })
  assert.equal(left(kill(2, 'before'), 'SIGKILL'), { config: 'old', 'config.tmp': '' })
  assert.equal(left(kill(2, 'after'), 'SIGKILL'), { config: 'old', 'config.tmp': 'new' })
  assert.equal(left(kill(5, 'before'), 'SIGKILL'), { config: 'old', 'config.tmp': 'new' })
  assert.equal(left(kill(5, 'after'), 'SIGKILL'), { config: 'new' })
  assert.equal(left(kill(7, 'before'), null), { config: 'new' })
})

test('a plan concerns its own thread; a worker can be handed one', async () => {
  await using dir = await temporaryDirectory()
  const script = new URL('plan-worker.js', import.meta.url)
  const answer = async (name: string, plan?: FaultPlan): Promise<unknown> => {
    const worker = new Worker(script, { workerData: { path: join(dir.path, name), plan } })
    return (await once(worker, 'message'))[0]
  }
  const plan: FaultPlan = { at: 1, paths: /./, fault: { do: 'die', when: 'before' } }
  using faults = installFaults(plan)
  assert.is(await answer('a'), 'made')
  assert.is(await answer('b', plan), 'DeadError')
  assert.is(faults.calls, 0)
  assert.equal(readTree(dir.path), { a: null })
})

test.run()
