import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RebuildReason } from '../../../src/store/index/database.ts'
import type { StoreIndex } from '../../../src/store/index/store-index.ts'
import { operationPath } from '../../../src/store/layout.ts'
import { rejects, throwsCode } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { sampleArtifact, sampleObject } from '../log/samples.ts'
import {
  commitTo,
  contentOf,
  indexFiles,
  removeIndexFiles,
  type Store,
  temporaryStore,
  writePack,
} from './temporary-store.ts'

const test = suite('store index')

test('is made with a new store, without a word', async () => {
  await using store = await temporaryStore()
  using index = store.open()
  assert.equal(index.refresh().applied, 0)
  assert.ok(index.objects.isEmpty())
  assert.equal(store.notices, [])
})

test('holds what was committed, for this process and the next', async () => {
  await using store = await temporaryStore()
  const { pack, ids } = await writePack(store)
  const [before, after] = await inTwo(store, async (index) => {
    const { operation } = await commitTo(store, index, 'bike', sampleObject(1), { packs: [pack] })
    assert.is(operation, 1)
    assert.is(index.state.artifactByName('default', 'bike')?.id, sampleArtifact('bike'))
    for (const id of ids) assert.is(index.objects.locate(Buffer.from(id, 'hex'))?.pack, pack.id)
  })
  assert.equal(after, before)
  assert.equal(store.notices, [])
})

test('comes to the same content by folding on and by building anew', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(20), { minLength: 1, maxLength: 12 }), async (steps) => {
      await using store = await temporaryStore('process')
      using slow = store.open()
      for (const [i, step] of steps.entries()) {
        // Another index meets the log in other pieces.
        if (step % 3 === 0) store.open().close()
        const packs = step % 4 === 0 ? [(await writePack(store)).pack] : []
        const intent = {
          aliases: step % 5 === 0 ? ['best'] : [],
          metadata: { i },
          tags: [`t${step}`],
        }
        await commitTo(store, slow, `a${step % 4}`, sampleObject(step, i), { packs, intent })
      }
      const incremental = contentOf(slow)
      removeIndexFiles(store)
      using rebuilt = store.open()
      assert.equal(contentOf(rebuilt), incremental)
    }),
    { numRuns: 25 },
  )
})

test('sees what other processes commit', async () => {
  await using store = await temporaryStore()
  using here = store.open()
  using there = store.open()
  await commitTo(store, there, 'bike', sampleObject(1))
  assert.is(here.refresh().applied, 1)
  await commitTo(store, here, 'bike', sampleObject(2))
  assert.is(there.state.versions(sampleArtifact('bike')).length, 2)
})

const DAMAGE: readonly [string, RebuildReason, (path: string) => void][] = [
  ['deleted', 'damaged', (path) => rmSync(path)],
  ['emptied', 'damaged', (path) => truncateSync(path, 0)],
  ['cut after its first page', 'damaged', (path) => truncateSync(path, 4096)],
  [
    'cut in the middle',
    'damaged',
    (path) => truncateSync(path, (statSync(path).size >> 13) * 4096),
  ],
  ['cut in a page', 'damaged', (path) => truncateSync(path, statSync(path).size - 100)],
  ['zeroed', 'damaged', (path) => writeFileSync(path, Buffer.alloc(statSync(path).size))],
  ['filled with noise', 'damaged', (path) => writeFileSync(path, randomBytes(statSync(path).size))],
  [
    'of another schema',
    'schema',
    (path) => withDatabase(path, (db) => db.pragma('user_version = 999')),
  ],
  [
    'of another store',
    'foreign',
    (path) => withDatabase(path, (db) => db.exec("UPDATE store SET id = 'x'")),
  ],
  [
    'without its state',
    'damaged',
    (path) => withDatabase(path, (db) => db.exec('DELETE FROM store')),
  ],
]

for (const [what, reason, harm] of DAMAGE) {
  test(`builds an index anew that was ${what}, and says so`, async () => {
    await using store = await temporaryStore()
    const content = await smallStore(store)
    harm(databasePath(store))
    using index = store.open()
    assert.equal(contentOf(index), content)
    assert.equal(
      store.notices.map((notice) => notice.kind === 'index-rebuilt' && notice.reason),
      [reason],
    )
    assert.match(
      store.notices[0]?.message ?? '',
      /^Rebuilt the index from 3 operations and 1 packs: /,
    )
  })
}

test('builds the index anew when the pointer is missing, empty or nonsense', async () => {
  await using store = await temporaryStore()
  const content = await smallStore(store)
  for (const text of [
    undefined,
    '',
    '\n',
    '../index-0123456789abcdef.db\n',
    'index-0123456789abcdef.db\n',
    randomBytes(50),
  ]) {
    if (text === undefined) rmSync(store.layout.index)
    else writeFileSync(store.layout.index, text)
    using index = store.open()
    assert.equal(contentOf(index), content)
    assert.is(store.notices.splice(0).length, 1)
  }
})

test('answers rightly, whichever pages are torn', async () => {
  await using store = await temporaryStore('process')
  const content = await smallStore(store)
  const path = databasePath(store)
  const good = readFileSync(path)
  let rebuilt = 0
  for (let page = 0; page < good.length / 4096; page++) {
    for (const fill of [Buffer.alloc(4096), randomBytes(4096), good.subarray(0, 4096)]) {
      if (page === 0 && fill.equals(good.subarray(0, 4096))) continue
      const torn = Buffer.from(good)
      torn.set(fill, page * 4096)
      writeFileSync(path, torn)
      writeFileSync(store.layout.index, `${basename(path)}\n`)
      using index = store.open()
      assert.equal(contentOf(index), content, `page ${page}`)
      await commitTo(store, index, 'bike', sampleObject(3))
      rebuilt += store.notices.splice(0).length
    }
  }
  assert.ok(rebuilt > good.length / 4096)
})

test('mends an index that is damaged while it is open', async () => {
  await using store = await temporaryStore('process')
  const content = await smallStore(store)
  using index = store.open()
  const path = databasePath(store)
  const bytes = readFileSync(path)
  writeFileSync(path, Buffer.concat([bytes.subarray(0, 4096), randomBytes(bytes.length - 4096)]))
  assert.equal(contentOf(index), content)
  assert.equal(
    store.notices.map((notice) => notice.kind === 'index-rebuilt' && notice.reason),
    ['damaged'],
  )
  await commitTo(store, index, 'bike', sampleObject(9))
  assert.is(index.refresh().applied, 4)
})

test('takes no index from a store that was copied into its place', async () => {
  await using store = await temporaryStore()
  const content = await smallStore(store)
  await using other = await temporaryStore()
  using stranger = other.open()
  await commitTo(other, stranger, 'car', sampleObject('car'))
  stranger.close()
  removeIndexFiles(store)
  for (const file of [other.layout.index, ...indexFiles(other)]) {
    cpSync(file, join(store.layout.root, file.slice(other.layout.root.length)))
  }
  using index = store.open()
  assert.equal(contentOf(index), content)
  assert.is(
    store.notices.map((notice) => notice.kind === 'index-rebuilt' && notice.reason)[0],
    'foreign',
  )
})

test('notices that the newest operation is lost, and goes on from the one before', async () => {
  await using store = await temporaryStore()
  await smallStore(store)
  rmSync(operationPath(store.layout, 3))
  using index = store.open()
  assert.is(index.refresh().applied, 2)
  assert.is(
    store.notices.map((notice) => notice.kind === 'index-rebuilt' && notice.reason)[0],
    'log',
  )
  const { operation } = await commitTo(store, index, 'bike', sampleObject('new'))
  assert.is(operation, 3)
})

test('notices a loss while it is open', async () => {
  await using store = await temporaryStore()
  await smallStore(store)
  using index = store.open()
  rmSync(operationPath(store.layout, 3))
  assert.is(index.refresh().applied, 2)
})

test('notices that an older backup of the log was put in place, whatever was committed since', async () => {
  await using store = await temporaryStore()
  await smallStore(store)
  await using backup = await temporaryDirectory()
  cpSync(store.layout.log, backup.path, { recursive: true })
  {
    using index = store.open()
    for (let i = 0; i < 3; i++) await commitTo(store, index, 'lost', sampleObject(`lost ${i}`))
  }
  rmSync(store.layout.log, { recursive: true })
  cpSync(backup.path, store.layout.log, { recursive: true })
  {
    using index = store.open()
    assert.is(index.refresh().applied, 3)
    assert.is(index.state.artifactByName('default', 'lost'), undefined)
    for (let i = 0; i < 4; i++) await commitTo(store, index, 'other', sampleObject(`other ${i}`))
  }
  removeIndexFiles(store)
  using index = store.open()
  assert.is(index.state.versions(sampleArtifact('other')).length, 4)
})

test('folds on from an index that is older than the log', async () => {
  await using store = await temporaryStore()
  await smallStore(store)
  const older = readFileSync(databasePath(store))
  const [content] = await inTwo(store, (index) =>
    commitTo(store, index, 'bike', sampleObject('new')),
  )
  writeFileSync(databasePath(store), older)
  using index = store.open()
  assert.equal(contentOf(index), content)
  assert.equal(store.notices, [])
})

test('trusts no copy of a database, which may have been taken while it was written to', async () => {
  await using store = await temporaryStore()
  await smallStore(store)
  const older = readFileSync(databasePath(store))
  const work = async (index: StoreIndex): Promise<void> => {
    for (let i = 0; i < 100; i++) await commitTo(store, index, `a${i % 9}`, sampleObject(i))
  }
  const [content] = await inTwo(store, work)
  const newer = readFileSync(databasePath(store))
  for (let page = 1; page < older.length / 4096; page++) {
    const path = databasePath(store)
    const torn = Buffer.from(newer)
    torn.set(older.subarray(page * 4096, (page + 1) * 4096), page * 4096)
    writeFileSync(`${path}-copy`, torn)
    renameSync(`${path}-copy`, path)
    using index = store.open()
    assert.equal(contentOf(index), content)
    assert.is(store.notices.splice(0).length, 1)
  }
})

test('an operation that is damaged after it was folded can still be read, and nothing is written behind it', async () => {
  await using store = await temporaryStore()
  await smallStore(store)
  store.open().close()
  const third = readFileSync(operationPath(store.layout, 3))
  for (const [n, content] of [
    [3, third.subarray(0, 50)],
    [4, Buffer.from('not an operation')],
  ] as const) {
    store.notices.length = 0
    writeFileSync(operationPath(store.layout, n), content)
    using index = store.open()
    assert.is(index.refresh().applied, 3)
    assert.ok(index.blocked !== undefined && 'damage' in index.blocked)
    assert.equal(
      store.notices.map(({ kind }) => kind),
      ['log-damaged'],
    )
    await rejects(commitTo(store, index, 'bike', sampleObject(9)), 'ERR_DAMAGED')
    writeFileSync(operationPath(store.layout, 3), third)
  }
})

test('refuses a log with a gap, or with an operation that breaks a rule', async () => {
  await using store = await temporaryStore()
  await smallStore(store)
  const second = readFileSync(operationPath(store.layout, 2))
  rmSync(operationPath(store.layout, 2))
  removeIndexFiles(store)
  assert.match(throwsCode(() => store.open(), 'ERR_DAMAGED').message, 'is missing')
  writeFileSync(operationPath(store.layout, 2), second)
  store.open().close()
  truncateSync(operationPath(store.layout, 3), 50)
  removeIndexFiles(store)
  throwsCode(() => store.open(), 'ERR_DAMAGED')
  assert.equal(
    readdirSync(store.layout.root).filter((name) => name.startsWith('index-')).length,
    0,
    'builds that failed leave nothing behind',
  )
})

test('keeps the database elsewhere for a store that cannot be written', async () => {
  await using store = await temporaryStore()
  const content = JSON.stringify(await smallStore(store))
  await using cache = await temporaryDirectory()
  removeIndexFiles(store)
  using _readOnly = makeReadOnly(store, cache.path)
  const first = readAsNobody(store, cache.path)
  assert.is(first.content, content)
  assert.is(first.notices.length, 1)
  assert.is(readdirSync(join(cache.path, 'stores')).length, 1)
  assert.equal(readAsNobody(store, cache.path), { content, notices: [] })
  assert.equal(readAsNobody(store, undefined), { content, notices: [] })
  assert.equal(readAsNobody(store, join(store.layout.root, 'no')), { content, notices: [] })
  assert.not.ok(existsSync(store.layout.index))
})

test('removes the database it replaces, and what crashed builds left a day ago', async () => {
  await using store = await temporaryStore()
  await smallStore(store)
  const [old = ''] = indexFiles(store)
  const stray = join(store.layout.root, 'index-00000000000000aa.db')
  const recent = join(store.layout.root, 'index-00000000000000bb.db')
  const other = join(store.layout.root, 'index-mine.db')
  for (const path of [stray, `${stray}-wal`, recent, other]) writeFileSync(path, 'x')
  for (const path of [stray, `${stray}-wal`, other]) utimesSync(path, 0, 0)
  truncateSync(old, 0)
  store.open().close()
  const left = indexFiles(store)
  assert.is(left.length, 3)
  assert.ok(left.includes(recent) && left.includes(other))
  assert.not.ok(left.includes(old))
})

test('never uses the name of a database twice', async () => {
  await using store = await temporaryStore()
  const names = new Set<string>()
  for (let i = 0; i < 5; i++) {
    store.open().close()
    names.add(readFileSync(store.layout.index, 'utf8'))
    removeIndexFiles(store)
  }
  assert.is(names.size, 5)
})

test('answers several questions of one moment', async () => {
  await using store = await temporaryStore()
  await smallStore(store)
  using here = store.open()
  using there = store.open()
  let committed: Promise<unknown> | undefined
  here.snapshot((state, head) => {
    committed = commitTo(store, there, 'bike', sampleObject('meanwhile'))
    assert.is(there.refresh().applied, 4)
    assert.is(state.versions(sampleArtifact('bike')).length, 2)
    assert.is(head.applied, 3)
  })
  await committed
  assert.is(here.refresh().applied, 4)
})

/** Three operations, one of them with a pack; returns what the index then holds. */
async function smallStore(store: Store): Promise<unknown> {
  const { pack } = await writePack(store)
  const [content] = await inTwo(store, async (index) => {
    await commitTo(store, index, 'bike', sampleObject(1), {
      packs: [pack],
      intent: { tags: ['t'] },
    })
    await commitTo(store, index, 'bike', sampleObject(2), { intent: { metadata: { a: [1] } } })
    await commitTo(store, index, 'car', sampleObject(3), { intent: { aliases: ['best'] } })
  })
  return content
}

/** The content of the index after some work, and as the next process finds it. */
async function inTwo(
  store: Store,
  work: (index: StoreIndex) => Promise<unknown>,
): Promise<[unknown, unknown]> {
  using first = store.open()
  await work(first)
  const before = contentOf(first)
  first.close()
  using second = store.open()
  return [before, contentOf(second)]
}

function databasePath(store: Store): string {
  return join(store.layout.root, readFileSync(store.layout.index, 'utf8').trim())
}

function withDatabase(path: string, change: (db: Database.Database) => void): void {
  const db = new Database(path)
  change(db)
  db.close()
}

/** Takes the right to write away from everybody but root, and opens the way for another user. */
function makeReadOnly({ layout }: Store, cacheDir: string): Disposable {
  chmodSync(dirname(layout.root), 0o755)
  chmodSync(cacheDir, 0o777)
  chmodSync(layout.root, 0o555)
  return { [Symbol.dispose]: () => chmodSync(layout.root, 0o755) }
}

/** What a process sees that has no rights of its own. */
function readAsNobody(
  store: Store,
  cacheDir: string | undefined,
): { content: string; notices: unknown[] } {
  const script = fileURLToPath(new URL('./read-child.js', import.meta.url))
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  const args = [script, store.layout.root, ...(cacheDir === undefined ? [] : [cacheDir])]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', ...user })
  assert.is(stderr, '')
  return JSON.parse(stdout)
}

test.run()
