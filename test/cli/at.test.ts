import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readOperation, readTime } from '../../src/cli/at.ts'
import { UsageError } from '../../src/cli/usage-error.ts'
import { call, run } from './call.ts'
import { twoVersions } from './workspace.ts'

const test = suite('as of an earlier operation')

test('ls, log, show, cat, diff and checkout answer as they did then', async () => {
  const cwd = await twoVersions()
  await run(['edit', 'bike:v0', '-m', 'later'], { cwd })
  await run(['rm', 'bike:v0', '--aliases'], { cwd })
  await run(['rename', 'bike', 'bicycle'], { cwd })
  const then = (...words: readonly string[]): Promise<string> =>
    run([...words, '--at-op', '2'], { cwd })
  assert.is(await then('ls', '-q'), 'bike\n')
  assert.is(await then('ls', 'bike', '-q'), 'bike:v1\nbike:v0\n')
  assert.is(await then('log', '-q'), 'bike:v1\nbike:v0\n')
  assert.not.match(await then('show', 'bike:good'), 'later')
  assert.is(await then('cat', 'bike:v0', 'a.txt'), 'one\n')
  assert.match(await then('diff', 'bike:v0', 'v1', '--name-status'), /^M\ta\.txt$/m)
  assert.match(await then('log', 'bike', '--alias', 'good'), /^none -> bike:v0 /)
  await then('checkout', 'bike:good', 'out')
  assert.is(readFileSync(join(cwd, 'out/a.txt'), 'utf8'), 'one\n')
  assert.is((await call(['cat', 'bike:v0', 'a.txt', '--at-op', '4'], { cwd })).code, 12)
  assert.is(await run(['ls', '-q', '--at-op', '0'], { cwd }), '')
})

test('a time is as good as a number', async () => {
  const cwd = await twoVersions()
  assert.is(await run(['ls', '-q', '--at', '2020-01-01'], { cwd }), '')
  assert.is(await run(['ls', '-q', '--at', '2100-01-01T10:00Z'], { cwd }), 'bike\n')
})

test('two moments, or what is none, are refused before anything is done', async () => {
  const cwd = await twoVersions()
  for (const words of [
    ['--at-op=1', '--at=2026-01-01'],
    ['--at-op=x'],
    ['--at-op=-1'],
    ['--at=1d'],
  ]) {
    const { code } = await call(['checkout', 'bike', 'out', ...words], { cwd })
    assert.is(code, 2, words.join(' '))
  }
  assert.is((await call(['checkout', 'bike', 'out', '--at-op=9'], { cwd })).code, 12)
  assert.not.ok(existsSync(join(cwd, 'out')))
})

test('a day is its end, a time without a zone is local, and a zone is taken off', () => {
  const local = (...parts: [number, number, number, number, number, number, number]): number =>
    new Date(...parts).getTime()
  for (const [typed, time] of [
    ['2026-05-01', local(2026, 4, 1, 23, 59, 59, 999)],
    ['2026-05-01T10:00', local(2026, 4, 1, 10, 0, 0, 0)],
    ['2026-05-01 10:00:30', local(2026, 4, 1, 10, 0, 30, 0)],
    ['2026-05-01T10:00Z', Date.UTC(2026, 4, 1, 10)],
    ['2026-05-01T10:00:00.5Z', Date.UTC(2026, 4, 1, 10, 0, 0, 500)],
    ['2026-05-01T10:00+02:00', Date.UTC(2026, 4, 1, 8)],
    ['2026-05-01T00:30-0930', Date.UTC(2026, 4, 1, 10)],
    ['2028-02-29', local(2028, 1, 29, 23, 59, 59, 999)],
  ] as const) {
    assert.is(readTime(typed).getTime(), time, typed)
  }
})

test('what is in no calendar and on no clock is refused', () => {
  for (const typed of [
    ...['2026-02-29', '2026-13-01', '2026-00-01', '2026-05-01T24:00', '2026-05-01T10:60'],
    ...['2026-05-01T10', '20260501', 'yesterday', '', '2026-05-01T10:00+2', '1714557600'],
  ]) {
    assert.throws(
      () => readTime(typed),
      (error: unknown) => error instanceof UsageError,
      typed,
    )
  }
  assert.is(readOperation('007', 'x'), 7)
  for (const typed of ['', '-1', '1.5', '1e3', '9999999999999']) {
    assert.throws(
      () => readOperation(typed, 'x'),
      (error: unknown) => error instanceof UsageError,
    )
  }
})

test.run()
