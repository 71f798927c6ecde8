/** What happens on a disk that is full for real: run with a small file system mounted, and room elsewhere. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import * as assert from 'uvu/assert'
import { ArtifactsError, isSystemError, Store } from '../../../src/index.ts'
import { readTree, shownTree, type Tree, writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { isFull, readAll, verifyAll, workspaceAt } from './workspace.ts'

const [scenario = '', small = '', roomy = ''] = process.argv.slice(2)
const random = seededRandom(11)
const LARGE = 20 << 20
const GOOD: Tree = { a: 'good', 'sub/b': random.bytes(50_000) }

/** What the command line has a sentence for. */
function isClear(error: unknown): boolean {
  if (isSystemError(error, 'ENOSPC')) return 'errno' in error && 'syscall' in error
  return isSystemError(error, 'SQLITE_FULL')
}

async function fails(promise: Promise<unknown>, context: string): Promise<void> {
  let error: unknown
  try {
    await promise
  } catch (thrown) {
    error = thrown
  }
  assert.ok(error instanceof Error, `${context} should have failed`)
  assert.ok(isClear(error), `${context}: ${String(error)}`)
}

/** Lets a command be done without the note that a directory holds a version, for which there may be no room. */
async function unnoted(command: Promise<unknown>): Promise<void> {
  try {
    await command
  } catch (error) {
    if (!(error instanceof ArtifactsError) || error.code !== 'ERR_PARTIAL') throw error
    assert.match(error.message, 'could not be noted')
  }
}

async function goodStore(path: string): Promise<ReturnType<typeof workspaceAt>> {
  mkdirSync(path, { recursive: true })
  const { store } = await Store.init(path)
  store.close()
  const workspace = workspaceAt(path)
  writeTree(join(roomy, 'good'), GOOD)
  await workspace.run((store) => store.commit([join(roomy, 'good')]))
  return workspace
}

/** The store holds exactly what it held, nothing lies about, and it takes another version. */
async function expectUnharmed(
  workspace: ReturnType<typeof workspaceAt>,
  context: string,
  versions = 1,
): Promise<void> {
  await workspace.run(async (store) => {
    assert.equal(
      store.artifacts().map(({ name }) => name),
      ['good'],
      context,
    )
    assert.is(store.versions('good').length, versions, context)
    assert.equal(await verifyAll(store), [], context)
    assert.is(readAll(store, 'good:v0', 'a').toString(), 'good', context)
  })
  assert.equal(readdirSync(join(workspace.root, 'tmp')), [], context)
  assert.is(readdirSync(join(workspace.root, 'log')).length, versions, context)
}

async function commitTooMuch(): Promise<void> {
  const sources: Readonly<Record<string, Tree>> = {
    'one file': { large: random.bytes(LARGE) },
    'many files': Object.fromEntries(
      Array.from({ length: 2000 }, (_, i) => [`d${i % 20}/f${i}`, random.bytes(LARGE / 2000)]),
    ),
    'files in memory at once': Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`f${i}`, random.bytes(LARGE / 10)]),
    ),
  }
  const workspace = await goodStore(join(small, 'w'))
  for (const [title, tree] of Object.entries(sources)) {
    const source = join(roomy, 'source')
    writeTree(source, tree)
    for (const jobs of [0, 1, 3]) {
      const context = `${title}, ${jobs} threads`
      await fails(
        workspace.run((store) => store.commit([source], { name: 'x', jobs })),
        context,
      )
      await expectUnharmed(workspace, context)
    }
    rmSync(source, { recursive: true })
  }
  await expectTakesMore(workspace, 1)
}

async function expectTakesMore(
  workspace: ReturnType<typeof workspaceAt>,
  n: number,
): Promise<void> {
  writeFileSync(join(roomy, 'good/more'), `more ${n}`)
  const report = await workspace.run((store) => store.commit([join(roomy, 'good')]))
  assert.is(report.version, `v${n}`)
  await expectUnharmed(workspace, `after v${n}`, n + 1)
}

/** Fills the file system but for some bytes; returns what empties it. */
function fillUp(left: number): () => void {
  const path = join(small, 'ballast')
  try {
    for (;;) writeFileSync(path, Buffer.alloc(64 << 10), { flag: 'a' })
  } catch (error) {
    if (!isSystemError(error, 'ENOSPC')) throw error
  }
  const { length } = readFileSync(path)
  writeFileSync(path, Buffer.alloc(Math.max(length - left, 0)))
  return () => rmSync(path)
}

async function commitOnTheBrim(): Promise<void> {
  const workspace = await goodStore(join(small, 'w'))
  let versions = 1
  let failed = 0
  for (let left = 0; left <= 400 << 10; left += isFull ? 4 << 10 : 12 << 10) {
    const empty = fillUp(left)
    const context = `${left} bytes left`
    writeFileSync(join(roomy, 'good/more'), random.bytes(20_000))
    try {
      await unnoted(workspace.run((store) => store.commit([join(roomy, 'good')])))
      versions++
    } catch (error) {
      if (!isClear(error)) throw new Error(context, { cause: error })
      failed++
    }
    // Still full: what is there can be read.
    await workspace.run((store) => {
      assert.is(store.versions('good').length, versions, context)
      assert.is(readAll(store, 'good:v0', 'a').toString(), 'good', context)
    })
    empty()
    await expectUnharmed(workspace, context, versions)
  }
  assert.ok(failed > 0 && versions > 1, `${failed} failed, ${versions} versions`)
  await expectTakesMore(workspace, versions)
}

async function checkOutTooMuch(): Promise<void> {
  const workspace = await goodStore(join(roomy, 'w'))
  const large: Tree = { a: 'large', 'sub/b': random.bytes(50_000), 'x/large': random.bytes(LARGE) }
  writeTree(join(roomy, 'large'), large)
  await workspace.run((store) => store.commit([join(roomy, 'large')], { name: 'large' }))
  const many: Tree = Object.fromEntries(
    Array.from({ length: 1000 }, (_, i) => [`d${i % 10}/f${i}`, random.bytes(LARGE / 1000)]),
  )
  writeTree(join(roomy, 'many'), many)
  await workspace.run((store) => store.commit([join(roomy, 'many')], { name: 'many' }))
  const old = join(small, 'old')
  await workspace.run((store) => store.checkout('good', old))
  for (const name of ['large', 'many']) {
    for (const jobs of [0, 2]) {
      const context = `${name}, ${jobs} threads`
      const fresh = join(small, 'new/dir')
      await fails(
        workspace.run((store) => store.checkout(name, fresh, { jobs })),
        context,
      )
      assert.equal(readdirSync(small), ['old'], context)

      await fails(
        workspace.run((store) => store.checkout(name, old, { jobs })),
        context,
      )
      const now = readTree(old)
      const wanted = shownTree(name === 'large' ? large : many)
      for (const path of Object.keys({ ...now, ...shownTree(GOOD) })) {
        // Directories for files that did not come to be do no harm.
        if (now[path] === null) continue
        const either = [shownTree(GOOD)[path], wanted[path]]
        assert.ok(
          either.some((item) => isDeepStrictEqual(item, now[path])),
          `${context}: "${path}"`,
        )
      }
      await workspace.run((store) => store.checkout('good', old, { force: true }))
      assert.equal(readTree(old), shownTree(GOOD), context)
      assert.equal(readdirSync(small), ['old'], context)
    }
  }
}

async function readFromFullDisk(): Promise<void> {
  const workspace = await goodStore(join(small, 'w'))
  fillUp(0)
  const out = join(roomy, 'out')
  const read = async (context: string): Promise<void> => {
    rmSync(out, { recursive: true, force: true })
    await workspace.run(async (store) => {
      assert.equal(
        [...store.entries('good')].map(({ path }) => path),
        ['a', 'sub/b'],
        context,
      )
      assert.is((await store.verify('good')).ok, true, context)
      await unnoted(store.checkout('good', out))
      assert.equal(readTree(out), shownTree(GOOD), context)
      assert.is((await store.diff({ ref: 'good' }, { dir: out })).changes.length, 0, context)
    })
  }
  await read('full')
  const pointer = join(workspace.root, 'index')
  const database = join(dirname(pointer), readFileSync(pointer, 'utf8').trim())
  writeFileSync(database, Buffer.alloc(4096))
  await read('full, and the index is damaged')
}

const SCENARIOS: Readonly<Record<string, () => Promise<void>>> = {
  commitTooMuch,
  commitOnTheBrim,
  checkOutTooMuch,
  readFromFullDisk,
}
await SCENARIOS[scenario]?.()
process.stdout.write(`${scenario} done`)
