/** A change to a file is never missed, however little of it the file's size and times tell. */
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../../src/index.ts'
import { seededRandom } from '../../support/random.ts'
import { newWorkspace, readAll } from './workspace.ts'

const test = suite('changes')

/** Long enough for a file to be trusted by its times. */
const SETTLED_MS = 50

test('a same-size edit right after a commit is a new version, a hundred times', async () => {
  await using workspace = await newWorkspace()
  const dir = join(workspace.path, 'd')
  mkdirSync(dir)
  const files = { small: 10, inline: 64, chunk: 100, larger: 70_000 }
  const write = (round: number): void => {
    for (const [name, size] of Object.entries(files)) {
      writeFileSync(join(dir, name), Buffer.alloc(size, `round ${round} `))
    }
  }
  using store = await Store.open({ store: workspace.root })
  for (let round = 0; round < 100; round++) {
    write(round)
    const { created, version, changed, added } = await store.commit([dir])
    assert.is(created, true, `round ${round}`)
    assert.is(version, `v${round}`)
    assert.is(changed + added, 4, `round ${round}`)
  }
  for (const round of [0, 1, 50, 98, 99]) {
    for (const [name, size] of Object.entries(files)) {
      const expected = Buffer.alloc(size, `round ${round} `)
      assert.ok(readAll(store, `d:v${round}`, name).equals(expected), `${name} of v${round}`)
    }
  }
})

test('a same-size edit right after a commit, or a checkout, is seen by status, diff and verify', async () => {
  await using workspace = await newWorkspace()
  const dir = join(workspace.path, 'd')
  mkdirSync(dir)
  for (let round = 0; round < 20; round++) {
    writeFileSync(join(dir, 'f'), `before ${round}`.padEnd(100))
    const ref = await workspace.run(async (store) => (await store.commit([dir])).ref)
    if (round % 2 === 0) await workspace.run((store) => store.checkout(ref, dir))
    writeFileSync(join(dir, 'f'), `after  ${round}`.padEnd(100))
    await workspace.run(async (store) => {
      assert.is((await store.status())[0]?.state, 'changed', `round ${round}`)
      assert.is((await store.diff({ ref }, { dir })).modified, 1)
      assert.is((await store.verify(ref, { dir })).ok, false)
    })
  }
})

/** Commits, waits until the file is trusted, lets `edit` change it, and expects the new content to be stored. */
async function expectNoticed(
  edit: (file: string) => void,
  { size = 1000 }: { readonly size?: number } = {},
): Promise<void> {
  await using workspace = await newWorkspace()
  const dir = join(workspace.path, 'd')
  const file = join(dir, 'f')
  mkdirSync(dir)
  writeFileSync(file, Buffer.alloc(size, 'a'))
  const commit = () => workspace.run((store) => store.commit([dir]))
  await sleep(SETTLED_MS)
  await commit()
  assert.is((await commit()).created, false)
  edit(file)
  const { created, changed } = await commit()
  assert.is(created, true)
  assert.is(changed, 1)
  await workspace.run((store) => assert.ok(readAll(store, 'd', 'f').equals(readFileSync(file))))
}

for (const size of [10, 1000, 300_000, 5 << 20]) {
  test(`an edit of ${size} bytes whose times are put back is noticed`, () =>
    expectNoticed(
      (file) => {
        const { atime, mtime } = statSync(file)
        writeFileSync(file, Buffer.alloc(size, 'b'))
        utimesSync(file, atime, mtime)
      },
      { size },
    ))
}

test('a file that is replaced by one of the same size and times is noticed', () =>
  expectNoticed((file) => {
    const { atime, mtime } = statSync(file)
    const other = `${file}.other`
    writeFileSync(other, Buffer.alloc(1000, 'b'))
    utimesSync(other, atime, mtime)
    renameSync(other, file)
  }))

test('a file that was made and given its times before the commit, then moved in, is noticed', async () => {
  await using workspace = await newWorkspace()
  const dir = join(workspace.path, 'd')
  mkdirSync(dir)
  const past = new Date(Date.now() - 1_000_000)
  for (const [path, byte] of [
    ['d/f', 'a'],
    ['other', 'b'],
  ] as const) {
    writeFileSync(join(workspace.path, path), Buffer.alloc(1000, byte))
    utimesSync(join(workspace.path, path), past, past)
  }
  await sleep(SETTLED_MS)
  await workspace.run((store) => store.commit([dir]))
  await workspace.run((store) => store.commit([dir]))
  renameSync(join(workspace.path, 'other'), join(dir, 'f'))
  const { created } = await workspace.run((store) => store.commit([dir]))
  assert.is(created, true)
  await workspace.run((store) => assert.is(readAll(store, 'd', 'f').toString(), 'b'.repeat(1000)))
})

test('two files that change places are noticed', async () => {
  await using workspace = await newWorkspace()
  const dir = join(workspace.path, 'd')
  mkdirSync(dir)
  const past = new Date(Date.now() - 1_000_000)
  for (const name of ['x', 'y']) {
    writeFileSync(join(dir, name), Buffer.alloc(1000, name))
    utimesSync(join(dir, name), past, past)
  }
  await sleep(SETTLED_MS)
  await workspace.run((store) => store.commit([dir]))
  renameSync(join(dir, 'x'), join(dir, 'z'))
  renameSync(join(dir, 'y'), join(dir, 'x'))
  renameSync(join(dir, 'z'), join(dir, 'y'))
  assert.is((await workspace.run((store) => store.commit([dir]))).changed, 2)
  await workspace.run((store) => assert.is(readAll(store, 'd', 'x').toString(), 'y'.repeat(1000)))
})

test('times in the future are not trusted', () =>
  expectNoticed((file) => {
    const future = new Date(Date.now() + 1_000_000)
    writeFileSync(file, Buffer.alloc(1000, 'b'))
    utimesSync(file, future, future)
  }))

test('an executable bit alone is a change', async () => {
  await using workspace = await newWorkspace()
  const dir = join(workspace.path, 'd')
  mkdirSync(dir)
  writeFileSync(join(dir, 'f'), 'x'.repeat(100))
  await sleep(SETTLED_MS)
  await workspace.run((store) => store.commit([dir]))
  chmodSync(join(dir, 'f'), 0o755)
  await workspace.run(async (store) => {
    assert.is((await store.commit([dir])).version, 'v1')
    assert.is((await store.diff({ ref: 'd:v0' }, { ref: 'd:v1' })).mode, 1)
  })
})

test('random edits with and without their times put back are all there', async () => {
  const seed = Number(process.env['SEED'] ?? 7)
  const random = seededRandom(seed)
  await using workspace = await newWorkspace()
  const dir = join(workspace.path, 'd')
  mkdirSync(dir)
  const names = Array.from({ length: 30 }, (_, i) => `f${i}`)
  const size = (name: string): number => 20 * Number(name.slice(1)) + 1
  for (const name of names) writeFileSync(join(dir, name), Buffer.alloc(size(name), '0'))
  await workspace.run((store) => store.commit([dir]))
  for (let round = 1; round <= 25; round++) {
    const edited = random.shuffle(names).slice(0, random.integer(0, 4))
    for (const name of edited) {
      const file = join(dir, name)
      const { atime, mtime } = statSync(file)
      const bytes = Buffer.alloc(size(name), String(round))
      if (random.integer(0, 1) === 0) writeFileSync(file, bytes)
      else {
        writeFileSync(`${file}.tmp`, bytes)
        renameSync(`${file}.tmp`, file)
      }
      if (random.integer(0, 1) === 0) utimesSync(file, atime, mtime)
    }
    if (random.integer(0, 3) === 0) await sleep(SETTLED_MS)
    const report = await workspace.run((store) => store.commit([dir]))
    const context = `seed ${seed}, round ${round}`
    // One byte repeated is the same content for a file of one byte and rounds that begin alike.
    await workspace.run((store) => {
      for (const name of names) {
        assert.ok(readAll(store, report.ref, name).equals(readFileSync(join(dir, name))), context)
      }
    })
  }
})

test.run()
