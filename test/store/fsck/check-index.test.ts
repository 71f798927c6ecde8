import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { damageableStore, filesIn, type Space } from './damaged-store.ts'

const test = suite('check-index')

/** Changes that leave the database sound for SQLite. */
const CHANGES: Readonly<Record<string, string>> = {
  'an alias of long ago':
    "UPDATE alias SET version = (SELECT id FROM version WHERE number = 1) WHERE alias = 'latest'",
  'a tag too many': "INSERT INTO tag SELECT id, 'x', 0 FROM version LIMIT 1",
  'a version that is gone': 'DELETE FROM version WHERE number = 1',
  'a deletion that is forgotten': 'UPDATE version SET deleted = NULL',
  'an object that is elsewhere':
    'UPDATE object SET offset = offset + 1 WHERE rowid = 1 OR raw = 300',
  'an object that is gone': 'DELETE FROM object WHERE raw = 300',
  'a pack of another length': 'UPDATE pack SET bytes = bytes + 1',
  'another operation': "UPDATE operation SET user = 'eve' WHERE n = 2",
}

test('an index that says anything else than the log is named, and repaired', async () => {
  await using space = await damageableStore()
  const [file = ''] = readdirSync(space.layout.root).filter((name) => /^index-\w+\.db$/.test(name))
  const good = readFileSync(space.file(file))
  for (const [what, sql] of Object.entries(CHANGES)) {
    change(space, file, sql.replace('rowid = 1 OR ', ''))
    const report = await space.examine(0)
    assert.equal(filesIn(report), [file], what)
    assert.match(report.problems[0]?.message ?? '', 'differs from what the log says in table', what)
    for (const side of ['-wal', '-shm']) rmSync(space.file(file + side), { force: true })
    writeFileSync(space.file(file), good)
    assert.equal((await space.examine(0)).problems, [], what)
  }
  change(space, file, CHANGES['an object that is gone'] ?? '')
  const { found, problems } = await space.repair(0)
  assert.equal([found.length, problems.length], [1, 0])
  assert.equal(await space.unreadable(), [])
  assert.not.ok(
    readdirSync(space.layout.root).join().includes(`${file},`) && readPointer(space) === file,
  )
})

test('pages that are garbled are named', async () => {
  await using space = await damageableStore()
  const file = readPointer(space)
  const bytes = space.bytes(file)
  bytes.fill(0xaa, 3 * 4096, 5 * 4096)
  space.write(file, bytes)
  const report = await space.examine(0)
  assert.equal(filesIn(report), [file])
  assert.match(report.problems[0]?.message ?? '', 'is damaged')
})

test('an index that is missing, behind or a copy is no damage', async () => {
  await using space = await damageableStore()
  const file = readPointer(space)
  const old = space.bytes(file)
  {
    using store = await space.open()
    await store.alias('bike:v2', ['newer'])
  }
  // The state of before the last operation, as another process may have it.
  for (const side of ['-wal', '-shm']) rmSync(space.file(file + side), { force: true })
  space.write(file, old)
  assert.equal((await space.examine(0)).problems, [])
  copyFileSync(space.file(file), space.file('copy'))
  renameSync(space.file('copy'), space.file(file))
  assert.equal((await space.examine(0)).problems, [])
  space.removeIndex()
  assert.equal((await space.examine(0)).problems, [])
  assert.equal(readdirSync(space.layout.tmp), [], 'the fresh index is removed')
})

function change(space: Space, file: string, sql: string): void {
  const database = new Database(join(space.layout.root, file))
  database.exec(sql)
  database.close()
}

function readPointer(space: Space): string {
  return space.bytes('index').toString().trim()
}

test.run()
