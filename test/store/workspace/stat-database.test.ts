import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { RowState } from '../../../src/store/workspace/matched-batch.ts'
import { seededRandom } from '../../support/random.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { Workspace } from './cached-workspace.ts'

const test = suite('stat-database')
const { unknown, clean } = RowState

await loadHashes()

test('starts anew, silently, when the file is damaged or of another store', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, { x: 'x', 'a/y': 'y' })
  workspace.settle()
  const path = workspace.layout.stat
  const noise = seededRandom(1).bytes(40_000)
  const damages: Record<string, () => void> = {
    emptied: () => fs.truncateSync(path),
    zeroed: () => fs.writeFileSync(path, Buffer.alloc(fs.statSync(path).size)),
    noise: () => fs.writeFileSync(path, noise),
    cut: () => fs.truncateSync(path, fs.statSync(path).size - 20_000),
    'noise behind a good header': () => {
      const fd = fs.openSync(path, 'r+')
      fs.writeSync(fd, noise, 0, noise.length, 200)
      fs.closeSync(fd)
    },
    'noise in the log': () => fs.writeFileSync(`${path}-wal`, noise),
    'of another program': () => {
      fs.rmSync(path)
      workspace.query((database) => database.exec('CREATE TABLE segment (x)'))
    },
    'without a table': () => workspace.query((database) => database.exec('DROP TABLE segment')),
    'of another version': () => workspace.query((database) => database.pragma('user_version = 99')),
    gone: () => fs.rmSync(path),
  }
  workspace.scan()
  for (const [name, damage] of Object.entries(damages)) {
    damage()
    const states = workspace.scan()
    const isKept = name === 'noise in the log'
    assert.equal(states, isKept ? { x: clean, 'a/y': clean } : { x: unknown, 'a/y': unknown }, name)
    assert.equal(workspace.scan(), { x: clean, 'a/y': clean }, name)
  }
  const other = { store: 'cd'.repeat(16) }
  assert.equal(workspace.scan(other), { x: unknown, 'a/y': unknown })
  assert.equal(workspace.scan(other), { x: clean, 'a/y': clean })
})

test('takes a segment with one wrong bit, or under another name, for none', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, { 'a/x': 'x', 'b/x': 'x', z: 'z' })
  workspace.settle()
  workspace.scan()
  workspace.query((database) => {
    const block = database.prepare("SELECT block FROM segment WHERE directory = 'a'").pluck().get()
    const update = database.prepare('UPDATE segment SET block = ? WHERE directory = ?')
    update.run(block, 'b')
    const flipped = Buffer.from(block as Buffer)
    flipped.writeUInt8(flipped.readUInt8(60) ^ 1, 60)
    update.run(flipped, 'a')
  })
  assert.equal(workspace.scan(), { 'a/x': unknown, 'b/x': unknown, z: clean })
  assert.equal(workspace.scan(), { 'a/x': clean, 'b/x': clean, z: clean })
})

test('does without a file that cannot be opened or is locked', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, { x: 'x' })
  workspace.settle()
  fs.mkdirSync(workspace.layout.stat)
  assert.equal(workspace.scan(), { x: unknown })
  assert.equal(workspace.scan(), { x: unknown })
  fs.rmdirSync(workspace.layout.stat)
  workspace.scan()
  fs.writeFileSync(workspace.at('x'), 'longer')
  workspace.query((database) => {
    database.exec('BEGIN IMMEDIATE')
    assert.equal(workspace.scan(), { x: unknown })
  })
  assert.equal(workspace.scan(), { x: unknown })
})

test('forgets a directory when told to, and those that are gone after a while', async () => {
  await using temporary = await temporaryDirectory()
  const workspace = new Workspace(temporary.path, {
    'a/x': '',
    'a/b/x': '',
    'a-b/x': '',
    'c/x': '',
  })
  workspace.settle()
  workspace.scan()
  const directories = (): unknown =>
    workspace.query((database) => database.prepare('SELECT directory FROM segment').pluck().all())
  const cache = workspace.open()
  cache.invalidate('a')
  cache.close()
  assert.equal(directories(), ['a-b', 'c'])
  fs.rmSync(workspace.at('c'), { recursive: true })
  workspace.scan()
  assert.equal(directories(), ['a', 'a-b', 'a/b', 'c'])
  workspace.query((database) => database.exec('UPDATE about SET pruned = pruned - 8 * 24 * 3600e3'))
  workspace.scan()
  assert.equal(directories(), ['a', 'a-b', 'a/b'])
})

test.run()
