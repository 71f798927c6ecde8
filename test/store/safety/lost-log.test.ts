/** A log or packs that are older than the index and the stat cache: noticed, and nothing is taken for stored that is not. */
import { cpSync, linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readTree, shownTree, writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { rejects } from '../../support/rejects.ts'
import { FIRST, SECOND, twoVersions } from './two-versions.ts'
import { newWorkspace, readAll, verifyAll, type Workspace } from './workspace.ts'

const test = suite('a lost log')

const LOG_CHANGED = /^Rebuilt the index from \d operations and \d packs: the log is not the one/

function numbers(workspace: Workspace, name: string): Promise<string[]> {
  return workspace.run((store) => store.versions(name).map(({ version }) => version))
}

/** Keeps a copy of parts of the store; calling the result puts them back as they were. */
function backup({ root, path }: Workspace, parts: readonly string[]): () => void {
  const kept = join(path, 'backup')
  for (const part of parts) cpSync(join(root, part), join(kept, part), { recursive: true })
  return () => {
    for (const part of parts) {
      rmSync(join(root, part), { recursive: true, force: true })
      cpSync(join(kept, part), join(root, part), { recursive: true })
    }
  }
}

test('an operation that is lost after the index applied it takes its version along, and its number is given again', async () => {
  await using workspace = await twoVersions()
  rmSync(join(workspace.root, 'log/000000000002.json'))
  assert.equal(await numbers(workspace, 'data'), ['v0'])
  const [said, ...more] = workspace.takeNotices()
  assert.match(said as string, LOG_CHANGED)
  assert.equal(more, [])
  const report = await workspace.run((store) => store.commit([join(workspace.path, 'data')]))
  assert.is(report.version, 'v1')
  await workspace.run(async (store) => {
    assert.equal(await verifyAll(store), [])
    assert.is(readAll(store, 'data:v1', 'a.txt').toString(), 'second')
  })
  assert.equal(workspace.takeNotices(), [])
})

test('an operation that is lost while a store is open is noticed by its next command', async () => {
  await using workspace = await twoVersions()
  await workspace.run(async (store) => {
    assert.is(store.versions('data').length, 2)
    rmSync(join(workspace.root, 'log/000000000002.json'))
    assert.is(store.versions('data').length, 1)
    assert.match(workspace.takeNotices().join(), LOG_CHANGED)
    assert.is((await store.commit([join(workspace.path, 'data')])).version, 'v1')
  })
  await workspace.run(async (store) => assert.equal(await verifyAll(store), []))
})

test('all operations lost: the store is empty, and takes the same files again', async () => {
  await using workspace = await twoVersions()
  for (const part of ['log', 'packs']) {
    for (const name of readdirSync(join(workspace.root, part))) {
      rmSync(join(workspace.root, part, name))
    }
  }
  assert.equal(await workspace.run((store) => store.artifacts()), [])
  assert.match(workspace.takeNotices().join(), LOG_CHANGED)
  const report = await workspace.run((store) => store.commit([join(workspace.path, 'data')]))
  assert.is(report.ref, 'data:v0')
  await workspace.run(async (store) => assert.equal(await verifyAll(store), []))
})

test('an operation that is lost in the middle is named by whoever reads the log, and nothing is written', async () => {
  await using workspace = await twoVersions()
  rmSync(join(workspace.root, 'log/000000000001.json'))
  rmSync(join(workspace.root, 'index'))
  const before = readdirSync(join(workspace.root, 'log'))
  const error = await rejects(
    workspace.run((store) => store.commit([join(workspace.path, 'data')])),
    'ERR_DAMAGED',
  )
  assert.match(error.message, '000000000001.json')
  assert.equal(readdirSync(join(workspace.root, 'log')), before)
})

for (const parts of [
  ['log', 'packs'],
  ['log', 'packs', 'format.json', 'bindings'],
]) {
  test(`${parts.join(', ')} of an older backup under a newer index and stat cache: files are stored again`, async () => {
    await using workspace = await twoVersions()
    const data = join(workspace.path, 'data')
    const restore = backup(workspace, parts)
    writeTree(data, { new: 'n'.repeat(300), 'sub/more': 'm'.repeat(300) })
    await workspace.run((store) => store.commit([data]))
    await workspace.run((store) => store.commit([data]))
    restore()
    assert.equal(await numbers(workspace, 'data'), ['v1', 'v0'])
    assert.match(workspace.takeNotices().join(), LOG_CHANGED)
    const report = await workspace.run((store) => store.commit([data]))
    assert.is(report.ref, 'data:v2')
    await workspace.run(async (store) => {
      assert.equal(await verifyAll(store), [])
      await store.checkout('data:v2', join(workspace.path, 'out'))
      assert.equal(readTree(join(workspace.path, 'out')), readTree(data))
    })
  })
}

test('a backup that went on by itself is told from what the index knows under the same number', async () => {
  await using workspace = await twoVersions()
  const data = join(workspace.path, 'data')
  const restore = backup(workspace, ['log', 'packs'])
  writeFileSync(join(data, 'a.txt'), 'one way')
  await workspace.run((store) => store.commit([data]))
  const pointer = readFileSync(join(workspace.root, 'index'), 'utf8')
  const database = join(workspace.root, pointer.trim())
  linkSync(database, join(workspace.path, 'kept'))
  restore()
  writeFileSync(join(data, 'a.txt'), 'the other way')
  await workspace.run((store) => store.commit([data]))
  // The index of the first way, the very file.
  linkSync(join(workspace.path, 'kept'), database)
  writeFileSync(join(workspace.root, 'index'), pointer)
  workspace.takeNotices()
  await workspace.run(async (store) => {
    assert.match(workspace.takeNotices().join(), LOG_CHANGED)
    assert.is(readAll(store, 'data:v2', 'a.txt').toString(), 'the other way')
    assert.equal(await verifyAll(store), [])
  })
})

test('what only a lost pack holds is stored again by a commit of the same files', async () => {
  for (const name of ['again', 'data']) {
    await using workspace = await twoVersions()
    const data = join(workspace.path, 'data')
    const lost = join(workspace.root, 'packs', packOf(workspace, 2))
    rmSync(lost)
    await workspace.run(async (store) => {
      await store.checkout('data:v0', join(workspace.path, 'out0'))
      assert.equal(readTree(join(workspace.path, 'out0')), shownTree(FIRST))
      const out = join(workspace.path, 'out1')
      const error = await rejects(store.checkout('data:v1', out), 'ERR_DAMAGED')
      assert.match(error.message, lost)
    })
    const { ref } = await workspace.run((store) => store.commit([data], { name }))
    await workspace.run(async (store) => {
      assert.is((await store.verify(ref)).ok, true, name)
      await store.checkout(ref, join(workspace.path, 'out2'))
      assert.equal(readTree(join(workspace.path, 'out2')), shownTree(SECOND))
    })
  }
})

test('files that the stat cache knows are stored again where only their chunks are lost', async () => {
  await using workspace = await newWorkspace()
  const data = join(workspace.path, 'data')
  const random = seededRandom(5)
  for (let i = 0; i < 20; i++) writeTree(data, { [`file-${i}`]: random.bytes(100_000) })
  await sleep(50)
  const commit = () => workspace.run((store) => store.commit([data]))
  await commit()
  assert.is((await commit()).created, false)
  rmSync(join(workspace.root, 'packs', packOf(workspace, 1, 'data')))
  const { created, version, changed, storedBytes } = await commit()
  assert.is(created, true)
  assert.is(version, 'v1')
  assert.is(changed, 0)
  assert.ok(storedBytes > 2_000_000)
  await workspace.run(async (store) => assert.equal(await verifyAll(store), []))
  assert.is((await commit()).created, false)
})

/** The file of the pack that an operation names, of this kind. */
function packOf({ root }: Workspace, n: number, kind = 'mixed'): string {
  const [line = ''] = readFileSync(join(root, `log/00000000000${n}.json`), 'utf8').split('\n')
  const { packs } = JSON.parse(line) as { packs: { id: string; kind: string }[] }
  return `${packs.find((pack) => pack.kind === kind)?.id}.pack`
}

test.run()
