import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { damageableStore, type Space } from './damaged-store.ts'

const test = suite('verified-packs')

test('samples go through the store in turn, the longest unread first', async () => {
  await using space = await damageableStore()
  const all = space.packs.map(idOf).sort()
  const bytes = space.packs.reduce((sum, pack) => sum + space.bytes(pack).length, 0)
  // Half a small pack at a time: one pack in each run.
  const share = 1000 / bytes
  const order: string[] = []
  for (let run = 1; run <= all.length; run++) {
    const before = linesOf(space)
    await space.examine(share)
    const news = linesOf(space).filter((line) => !before.includes(line))
    assert.is(news.length, 1)
    order.push((news[0] ?? '').split(' ')[0] ?? '')
  }
  assert.equal([...order].sort(), all)
  await space.examine(share)
  assert.is(newestIn(space), order[0])
})

test('a check of everything that was stopped goes on where it was', async () => {
  await using space = await damageableStore()
  await commitMore(space, 20)
  const abort = new AbortController()
  const reads: number[] = []
  const stopped = space.examine(1, {
    signal: abort.signal,
    onProgress: ({ phase, bytes }) => {
      if (phase !== 'verify' || bytes === 0) return
      reads.push(bytes)
      if (reads.length === 2) abort.abort()
    },
  })
  await stopped.then(
    () => assert.unreachable(),
    (error: unknown) => assert.is(error, abort.signal.reason),
  )
  const done = packsIn(space).length
  assert.ok(done >= 2 && done < space.packs.length)
  const { steps } = await space.examine(1)
  assert.is(countOf(steps, 'packsRead'), space.packs.length - done)
  // It is through: the next one begins anew.
  assert.is(countOf((await space.examine(1)).steps, 'packsRead'), space.packs.length)
})

test('what was found damaged is found again by the run that goes on', async () => {
  await using space = await damageableStore()
  const [pack = ''] = space.packs
  space.flip(pack, 100_000)
  const first = await space.examine(1)
  assert.is(first.problems.length, 1)
  dropEnd(space)
  const { problems, steps } = await space.examine(1)
  assert.equal(problems, first.problems)
  assert.is(countOf(steps, 'packsRead'), 1)
})

test('times in the future, torn lines and packs that are gone are not believed', async () => {
  await using space = await damageableStore()
  await space.examine(1)
  dropEnd(space)
  const [first = '', second = ''] = space.packs.map(idOf)
  const lines = linesOf(space).filter((line) => !line.startsWith(first))
  const future = new Date(Date.now() + 3 * 3600 * 1000).toISOString()
  const gone = `${'0'.repeat(64)} ${new Date().toISOString()}`
  space.write('verified', Buffer.from([...lines, `${first} ${future}`, gone, ''].join('\n')))
  appendFileSync(space.file('verified'), `${second} 2026-11-2`)
  const { steps } = await space.examine(1)
  assert.is(countOf(steps, 'packsRead'), 1)
  assert.ok(packsIn(space).includes(first))
  assert.not.ok(packsIn(space).includes('0'.repeat(64)))
})

test('a run that was begun long ago, or in the future, is not gone on with', async () => {
  for (const days of [-31, 1]) {
    await using space = await damageableStore()
    await space.examine(1)
    dropEnd(space)
    const begun = new Date(Date.now() + days * 24 * 3600 * 1000).toISOString()
    const lines = linesOf(space).map((line) => (line.startsWith('begin') ? `begin ${begun}` : line))
    space.write('verified', Buffer.from(`${lines.join('\n')}\n`))
    assert.is(countOf((await space.examine(1)).steps, 'packsRead'), space.packs.length)
  }
})

test('a check works where nothing can be noted, and notes nothing where nothing is read', async () => {
  await using space = await damageableStore()
  await space.examine(0)
  assert.not.ok(existsSync(space.file('verified')))
  mkdirSync(space.file('verified'))
  assert.equal((await space.examine(1)).problems, [])
  rmSync(space.file('verified'), { recursive: true })
})

/** Each commit makes a pack. */
async function commitMore(space: Space, commits: number): Promise<void> {
  using store = await space.open()
  const file = join(space.path, 'more.txt')
  for (let i = 0; i < commits; i++) {
    writeFileSync(file, `${i}`.repeat(100))
    await store.commit([file], { name: 'more', jobs: 0 })
  }
}

function linesOf(space: Space): string[] {
  if (!existsSync(space.file('verified'))) return []
  return space
    .bytes('verified')
    .toString()
    .split('\n')
    .filter((line) => line !== '')
}

function packsIn(space: Space): string[] {
  return linesOf(space).flatMap((line) => /^([0-9a-f]{64}) /.exec(line)?.[1] ?? [])
}

function newestIn(space: Space): string | undefined {
  return packsIn(space).at(-1)
}

/** As if the run had been killed at its very end. */
function dropEnd(space: Space): void {
  const lines = linesOf(space).filter((line) => !line.startsWith('end'))
  space.write('verified', Buffer.from(`${lines.join('\n')}\n`))
}

function idOf(pack: string): string {
  return pack.slice(6, 70)
}

function countOf(
  steps: readonly { readonly name: string; readonly counts: Readonly<Record<string, number>> }[],
  what: string,
): number {
  return steps.find(({ name }) => name === 'packs')?.counts[what] ?? -1
}

test.run()
