import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { hostname, uptime } from 'node:os'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  isAbandoned,
  layoutOf,
  operationPath,
  packPath,
  parseSegmentName,
  parseTemporaryName,
  segmentPath,
  type TemporaryName,
  temporaryName,
} from '../../src/store/layout.ts'

const test = suite('layout')
const NOW = Date.UTC(2026, 10, 20)
const HOUR = 3_600_000

/** A temporary name of this process, with other parts in places. */
function nameWith(parts: Partial<TemporaryName>): string {
  const { host, pid, start, random } = { ...parseTemporaryName(temporaryName()), ...parts }
  return `${host}.${pid}.${start}.${random}`
}

function aliveAt(name: string): boolean {
  return !isAbandoned(name, NOW, NOW - 365 * 24 * HOUR)
}

test('everything in a store has its place', () => {
  assert.equal(layoutOf('/w/.artifacts'), {
    root: '/w/.artifacts',
    format: '/w/.artifacts/format.json',
    config: '/w/.artifacts/config.json',
    gitignore: '/w/.artifacts/.gitignore',
    packs: '/w/.artifacts/packs',
    log: '/w/.artifacts/log',
    bindings: '/w/.artifacts/bindings',
    index: '/w/.artifacts/index',
    stat: '/w/.artifacts/stat.db',
    tmp: '/w/.artifacts/tmp',
    quarantine: '/w/.artifacts/quarantine',
    live: '/w/.artifacts/live',
    remotes: '/w/.artifacts/remotes',
    cache: '/w/.artifacts/cache',
    serveTokens: '/w/.artifacts/serve-tokens.json',
  })
})

test('packs are named by id, operations by twelve digits', () => {
  const layout = layoutOf('/w/.artifacts')
  assert.is(packPath(layout, 'ab12'), '/w/.artifacts/packs/ab12.pack')
  assert.is(operationPath(layout, 42), '/w/.artifacts/log/000000000042.json')
  assert.is(operationPath(layout, 999_999_999_999), '/w/.artifacts/log/999999999999.json')
  for (const n of [0, -1, 1.5, Number.NaN, 1e12]) {
    assert.throws(() => operationPath(layout, n), /no operation/)
  }
})

test('segments are named by their first and last operation', () => {
  const layout = layoutOf('/w/.artifacts')
  const name = '000000000257-000000000512.jsonl'
  assert.is(segmentPath(layout, { first: 257, last: 512 }), `/w/.artifacts/log/${name}`)
  assert.equal(parseSegmentName(name), { first: 257, last: 512 })
  assert.equal(parseSegmentName(name.replace('257', '512')), { first: 512, last: 512 })
  for (const other of [
    name.replace('257', '513'),
    name.replace('257', '000'),
    name.replace('257', '0257'),
    `.${name}`,
    `${name}x`,
    '000000000257.json',
  ]) {
    assert.is(parseSegmentName(other), undefined, other)
  }
})

test('a temporary name is new each time, says whose it is, and is safe in a file name', () => {
  const names = new Set(Array.from({ length: 1000 }, temporaryName))
  assert.is(names.size, 1000)
  for (const name of names) {
    const parts = parseTemporaryName(name)
    assert.is(parts?.pid, process.pid)
    assert.ok(
      parts?.host.startsWith(
        hostname()
          .replace(/[^A-Za-z0-9_-].*/, '')
          .slice(0, 80),
      ),
    )
    assert.match(name, /^[A-Za-z0-9_.-]{1,200}$/)
  }
})

test('other names are not taken for temporary names', () => {
  const good = 'host.12.345.0123456789abcdef'
  assert.equal(parseTemporaryName(good), {
    host: 'host',
    pid: 12,
    start: 345,
    random: '0123456789abcdef',
  })
  for (const bad of [
    '',
    'host',
    `.${good}`,
    `${good}.x`,
    `${good}\n`,
    'host.0.345.0123456789abcdef',
    'host.-1.345.0123456789abcdef',
    'host.99999999999.345.0123456789abcdef',
    'host.12.345.xyz',
    'a/b.12.345.0123456789abcdef',
  ]) {
    assert.is(parseTemporaryName(bad), undefined, bad)
  }
})

test('what a running process writes is never abandoned, however old', async () => {
  assert.ok(aliveAt(temporaryName()))
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const name = nameWith({ pid: child.pid as number, start: 0 })
  try {
    assert.ok(aliveAt(name))
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  assert.not.ok(aliveAt(name))
  assert.ok(isAbandoned(name, NOW, NOW), 'a dead process writes no more, however young its file')
})

test('a process that has the number of a former one does not keep its files', () => {
  if (!fs.existsSync('/proc/self/stat')) return
  const own = parseTemporaryName(temporaryName())
  const ticksPerSecond = 100
  const started = uptime() - process.uptime()
  assert.ok(Math.abs((own?.start ?? 0) / ticksPerSecond - started) < 10)
  assert.ok(aliveAt(nameWith({})))
  assert.not.ok(aliveAt(nameWith({ start: (own?.start ?? 0) + 1 })))
  assert.ok(aliveAt(nameWith({ start: 0 })), 'it is not known when the writer began')
})

test('what nobody here can judge is abandoned after a day', () => {
  const elsewhere = nameWith({ host: 'elsewhere' })
  for (const name of [elsewhere, '0123456789abcdef', 'notes.txt']) {
    assert.not.ok(isAbandoned(name, NOW, NOW - 23 * HOUR), name)
    assert.ok(isAbandoned(name, NOW, NOW - 25 * HOUR), name)
    assert.not.ok(isAbandoned(name, NOW, NOW + 1000 * HOUR), 'a clock that went back')
  }
})

test.run()
