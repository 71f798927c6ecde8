import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../../src/index.ts'
import { encodeOperation } from '../../../src/store/log/operation.ts'
import { readAll } from '../../../src/sync/backend.ts'
import { operationName } from '../../../src/sync/log/names.ts'
import { readIdentity, readNews } from '../../../src/sync/log/remote-log.ts'
import { packName } from '../../../src/sync/put-pack.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import { following, push, type ServedStore, servedStore, sourceStore } from './serving.ts'

const test = suite('serve, pushes')

test('what is pushed is a version like others, and the store is whole', async () => {
  await using source = await sourceStore()
  await using served = await servedStore()
  const files = Object.fromEntries(
    Array.from({ length: 700 }, (_, i) => [`data/${i}.txt`, `${i} `.repeat(60)]),
  )
  const large = randomBytes(700_000)
  for (const tree of [
    { 'a.txt': 'one' },
    { ...files, 'large.bin': large },
    { ...files, 'large.bin': large, 'data/350.txt': 'other\n'.repeat(90) },
  ]) {
    const n = await source.commit(tree)
    assert.is(await push(served, source.push(n)), 'created')
  }
  const { store } = served
  assert.equal(
    store.versions('bike').map(({ id, version }) => [id, version]),
    source.store.versions('bike').map(({ id, version }) => [id, version]),
  )
  const stored = Buffer.concat(Array.from(store.read('bike:v2', 'large.bin')))
  assert.ok(stored.equals(large))
  await expectWhole(served)
})

test('a client reads the log that it has written', async () => {
  await using source = await sourceStore()
  await using served = await servedStore()
  const { backend } = served
  await push(served, source.push(await source.commit({ a: '1' })))
  await push(served, source.push(await source.commit({ a: '2' })))
  const identity = await readIdentity(backend)
  assert.is(identity?.id, served.store.id)
  const numbers: number[] = []
  for await (const { n } of readNews(backend, { n: 0, hash: identity?.hash ?? '' })) numbers.push(n)
  assert.equal(numbers, [1, 2])
  const latest = JSON.parse(String(await readAll(backend, 'latest.json', { most: 1000 })))
  assert.is(latest.n, 2)
  const second = await readAll(backend, operationName(2), { most: 1e6 })
  assert.ok(second.toString().endsWith(`\n${latest.hash}\n`))
})

test('of many who push at once one wins a number, and all get in', async () => {
  await using served = await servedStore()
  const { backend } = served
  const pushers = await Promise.all(
    Array.from({ length: 5 }, async (_, i) => {
      await using source = await sourceStore()
      const made: ReturnType<typeof source.push>[] = []
      made.push(source.push(await source.commit({ a: `${i}` }, `of-${i}`)))
      made.push(source.push(await source.commit({ a: `${i}+` }, `of-${i}`)))
      return made
    }),
  )
  let lost = 0
  await Promise.all(
    pushers.map(async (made) => {
      for (const { operation, packs } of made) {
        for (const [id, bytes] of packs) await backend.putIfAbsent(packName(id), bytesSource(bytes))
        for (;;) {
          const next = await following(backend, operation)
          const bytes = bytesSource(encodeOperation(next).bytes)
          if ((await backend.putIfAbsent(operationName(next.n), bytes)) === 'created') break
          lost++
        }
      }
    }),
  )
  assert.ok(lost > 0)
  assert.is(served.store.artifacts().length, 5)
  assert.is(served.store.history().length, 10)
  await expectWhole(served)
})

test('commits made in the store come between pushes', async () => {
  await using source = await sourceStore()
  await using served = await servedStore()
  const { store } = served
  const local = async (i: number): Promise<void> => {
    const path = join(store.workspace, `local-${i}`)
    writeFileSync(path, `${i}`)
    await store.commit([path], { name: 'local', jobs: 0 })
  }
  const pushing = async (i: number): Promise<void> => {
    const made = source.push(await source.commit({ a: `${i}` }))
    for (let outcome = ''; outcome !== 'created'; ) outcome = await push(served, made)
  }
  for (let i = 0; i < 4; i++) await Promise.all([local(i), pushing(i)])
  assert.is(store.versions('local').length, 4)
  assert.is(store.versions('bike').length, 4)
  await expectWhole(served)
})

test('a pushed operation is folded and segmented as a local one', async () => {
  await using source = await sourceStore()
  await using served = await servedStore()
  await source.store.startRun({ id: 'the-run' })
  await push(served, source.push(1))
  for (let n = 2; n <= 256; n++) {
    await source.store.run('the-run').then((run) => run.update({ notes: `${n}` }))
    await push(served, source.push(n))
  }
  const segment = 'log/000000000001-000000000256.jsonl'
  assert.ok(((await served.backend.head(segment))?.size ?? 0) > 256 * 100)
  assert.is(await served.backend.putIfAbsent(segment, bytesSource('nonsense')), 'exists')
  const before = await readAll(served.backend, operationName(3), { most: 1e6 })
  // As gc leaves an operation that a segment holds.
  writeFileSync(join(served.root, operationName(3)), '')
  const after = await readAll(served.backend, operationName(3), { most: 1e6 })
  assert.ok(before.equals(after))
  assert.equal(await served.backend.head(operationName(3)), { size: before.length })
  for await (const { name, size } of served.backend.list('log/')) {
    if (name === operationName(3)) assert.is(size, before.length)
  }
})

test.run()

async function expectWhole({ root, errors }: ServedStore): Promise<void> {
  assert.equal(errors, [])
  const report = await Store.fsck({ store: root }, { data: 1 })
  assert.ok(report.ok, JSON.stringify(report))
}
