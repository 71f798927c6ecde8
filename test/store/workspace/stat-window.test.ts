import { dirname } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { BatchBuilder } from '../../../src/store/workspace/batch.ts'
import type { FileClock } from '../../../src/store/workspace/clock.ts'
import { RowState } from '../../../src/store/workspace/matched-batch.ts'
import { StatCache } from '../../../src/store/workspace/stat-cache.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { hashOf, io, STORE, Workspace } from './cached-workspace.ts'

const test = suite('stat-window')
const { unknown, unsure, clean } = RowState

await loadHashes()

test('a clean row has the size, the times and the inode that it had', () => {
  const clock: FileClock = { now: 1e6, granularity: 1, isSettled: (mtime) => mtime < 900 }
  const stat = { size: 1, mtimeMs: 100, ctimeMs: 200, ino: 300 }
  const cache = new StatCache({ io, path: ':memory:', store: STORE, workspace: '/' })
  const look = (now: typeof stat, by: FileClock = clock): number => {
    const rows = new BatchBuilder()
    rows.addFile('x', now, false)
    const scan = cache.scan('', by)
    const matched = scan.match(rows.take('', 1))
    return matched.states[0] as number
  }
  const rows = new BatchBuilder()
  rows.addFile('x', stat, false)
  const scan = cache.scan('', clock)
  const matched = scan.match(rows.take('', 1))
  matched.set(0, { kind: 'inline', bytes: Buffer.of(1) }, hashOf(Buffer.of(1)))
  scan.record(matched)
  scan.finish()
  assert.is(look(stat), clean)
  assert.is(look({ ...stat, mtimeMs: 101 }), unsure)
  assert.is(look({ ...stat, ctimeMs: 201 }), unsure)
  assert.is(look({ ...stat, ino: 301 }), unsure)
  assert.is(look({ ...stat, size: 2 }), unknown)
  assert.is(
    look(stat, { ...clock, isSettled: (mtime) => mtime < 50 }),
    unsure,
    'the clock was set back',
  )
})

/** Scans one directory of made-up files of one byte, which is their modification time, too. */
function scanNames(
  cache: StatCache,
  names: readonly string[],
  time = 1,
  partial = false,
): number[] {
  const clock: FileClock = { now: 1, granularity: 1, isSettled: () => true }
  const scan = cache.scan('', clock, { partial })
  const states: number[] = []
  const rows = new BatchBuilder()
  for (const [at, name] of [...names].sort().entries()) {
    rows.addFile(name, { size: 1, mtimeMs: time, ctimeMs: 1, ino: 1 }, false)
    if (rows.length < 1000 && at < names.length - 1) continue
    const matched = scan.match(rows.take('', 1))
    for (let index = 0; index < matched.batch.length; index++) {
      states.push(matched.states[index] as number)
      if (matched.states[index] === clean) continue
      matched.set(index, { kind: 'inline', bytes: Buffer.of(time) }, hashOf(Buffer.of(time)))
    }
    scan.record(matched)
  }
  scan.finish()
  return states
}

function numbered(prefix: string, from: number, to: number): string[] {
  return Array.from(
    { length: to - from },
    (_, n) => `${prefix}${String(from + n).padStart(4, '0')}`,
  )
}

test('rewrites one segment when one file of many has changed', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, {})
  const cache = workspace.open()
  const blocks = (): string[] =>
    workspace.query((database) =>
      database.prepare('SELECT first || hex(block) FROM segment ORDER BY first').pluck().all(),
    ) as string[]
  scanNames(cache, numbered('n', 0, 3000))
  const before = blocks()
  assert.is(before.length, 3)
  const states = scanNames(cache, [...numbered('n', 0, 3000), 'n1500a'])
  assert.equal(
    [...states.entries()].filter(([, state]) => state !== clean),
    [[1501, unknown]],
  )
  const after = blocks()
  assert.equal([after[0], after[2]], [before[0], before[2]])
  assert.is.not(after[1], before[1])
  scanNames(cache, ['n1500b'], 1, true)
  assert.equal([blocks()[0], blocks()[2]], [before[0], before[2]])
  scanNames(cache, numbered('n', 0, 1100))
  assert.is(blocks().length, 2)
  cache.close()
})

test('keeps the rows between and behind many new ones', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, { a: 'a', n1234x: 'b', z: 'z' })
  const cache = workspace.open()
  const old = ['a', 'n1234x', 'z']
  const names = numbered('n', 0, 6000)
  scanNames(cache, old)
  scanNames(cache, names, 1, true)
  const states = scanNames(cache, [...names, ...old])
  assert.equal([states.length, new Set(states)], [6003, new Set([clean])])
  cache.close()
})

test('agrees with a model on what is known after many changes', () => {
  const clock: FileClock = { now: 1e6, granularity: 1, isSettled: () => true }
  const directories = ['', 'a', 'a/b', 'a/b/c', 'b']
  const change = fc.record({
    directory: fc.constantFrom(...directories),
    from: fc.nat(6000),
    count: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3000 })),
    action: fc.constantFrom('set' as const, 'remove' as const),
  })
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 6 }), (rounds) => {
      const cache = new StatCache({ io, path: ':memory:', store: STORE, workspace: '/' })
      const model = new Map(directories.map((directory) => [directory, new Map<string, number>()]))
      let known = new Map<string, number>()
      let version = 1
      for (const changes of [...rounds, []]) {
        for (const { directory, from, count, action } of changes) {
          const files = model.get(directory)
          for (let n = from; n < from + count; n++) {
            if (action === 'set') files?.set(`f${n}`, version)
            else files?.delete(`f${n}`)
          }
          version++
        }
        const seen = new Map<string, number>()
        const scan = cache.scan('', clock)
        for (const directory of directories) {
          const rows = new BatchBuilder()
          const flush = (): void => {
            const batch = rows.take(directory, 1)
            const matched = scan.match(batch)
            for (const [index, name] of batch.names.entries()) {
              const path = `${directory}/${name}`
              const now = model.get(directory)?.get(name) as number
              const before = known.get(path)
              const expected = before === undefined ? unknown : before === now ? clean : unsure
              assert.is(matched.states[index], expected, path)
              if (expected === clean) {
                assert.equal(matched.content(index), { kind: 'inline', bytes: Uint8Array.of(now) })
              } else {
                const bytes = Uint8Array.of(now)
                matched.set(index, { kind: 'inline', bytes }, hashOf(bytes))
              }
              seen.set(path, now)
            }
            scan.record(matched)
          }
          for (const [name, mtimeMs] of [...(model.get(directory) ?? [])].sort()) {
            rows.addFile(name, { size: 1, mtimeMs, ctimeMs: 1, ino: 1 }, false)
            if (rows.length === 1000) flush()
          }
          if (rows.length > 0) flush()
        }
        scan.finish()
        // A directory that no file is in any more is not walked by, so what was known of it stays.
        for (const [path, then] of known) {
          if (model.get(dirname(path) === '/' ? '' : dirname(path))?.size === 0)
            seen.set(path, then)
        }
        known = seen
      }
      cache.close()
    }),
    { numRuns: 40 },
  )
})

test.run()
