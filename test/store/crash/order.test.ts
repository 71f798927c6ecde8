import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { countCalls } from '../../support/crash.ts'
import { readTree } from '../../support/files.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { commit, prepare, replaceData } from './commits.ts'
import { FIRST, TWO_PACKS } from './trees.ts'

const test = suite('order of durability')

test('a commit syncs data, metadata, the names of both, the operation and its name, in this order', async () => {
  await using dir = await temporaryDirectory()
  await prepare(dir.path, TWO_PACKS, false)
  const steps = await stepsOf(dir.path)
  assert.equal(steps, [
    'sync data pack',
    'name data pack',
    'sync metadata pack',
    'name metadata pack',
    'sync packs/',
    'sync operation',
    'link operation',
    'sync log/',
  ])
})

test('a small commit makes four syncs, and two files beside the binding', async () => {
  await using dir = await temporaryDirectory()
  await prepare(dir.path, FIRST, true)
  replaceData(dir.path, { ...FIRST, 'one more': 'x'.repeat(1000) })
  const before = storedFiles(dir.path)
  const calls = await countCalls(() => commit(dir.path))
  const syncs = calls.filter(({ kind }) => /^f(data)?sync/.test(kind))
  assert.is(syncs.length, 4)
  const added = storedFiles(dir.path).filter((file) => !before.includes(file))
  assert.is(added.length, 2)
  assert.match(added.join(' '), /^log\/000000000002\.json packs\/[0-9a-f]{64}\.pack$/)
})

test('a first commit of one file makes as few', async () => {
  await using dir = await temporaryDirectory()
  await prepare(dir.path, { only: 'x'.repeat(5000) }, false)
  const before = storedFiles(dir.path)
  const calls = await countCalls(() => commit(dir.path))
  assert.is(calls.filter(({ kind }) => /^f(data)?sync/.test(kind)).length, 4)
  const added = storedFiles(dir.path).filter((file) => !before.includes(file))
  assert.equal(
    added.map((file) => file.slice(0, file.indexOf('/'))),
    ['bindings', 'log', 'packs'],
  )
})

test('a commit of what is there syncs nothing and makes no file', async () => {
  await using dir = await temporaryDirectory()
  await prepare(dir.path, FIRST, true)
  const before = storedFiles(dir.path)
  const calls = await countCalls(() => commit(dir.path))
  assert.equal(
    calls.filter(({ kind }) => /^f(data)?sync/.test(kind)),
    [],
  )
  assert.equal(storedFiles(dir.path), before)
})

/** What a commit does to packs and operation, in order. */
async function stepsOf(workspace: string): Promise<string[]> {
  const calls = await countCalls(() => commit(workspace))
  const kinds = packKinds(workspace)
  const renamed = new Map<string, string>()
  for (const { kind, path, to = '' } of calls) {
    if (kind === 'rename' && to.endsWith('.pack')) renamed.set(path, kinds.get(to) ?? 'unknown')
  }
  const steps = calls.map(({ kind, path, to = '' }) => {
    const pack = renamed.get(path)
    if (pack !== undefined && /^f(data)?sync$/.test(kind)) return `sync ${pack}`
    if (pack !== undefined && kind === 'rename') return `name ${pack}`
    if (kind === 'fsyncDirectory') return `sync ${path.slice(path.lastIndexOf('/') + 1)}/`
    if (/^f(data)?sync$/.test(kind) && /\/log\/\.[0-9a-f]{32}$/.test(path)) return 'sync operation'
    return kind === 'link' && /\/log\/[0-9]{12}\.json$/.test(to) ? 'link operation' : ''
  })
  return steps.filter((step) => step !== '')
}

/** By path, as the newest operation says. */
function packKinds(workspace: string): Map<string, string> {
  const { log, packs } = { log: '.artifacts/log', packs: '.artifacts/packs' }
  const last = fs.readdirSync(join(workspace, log)).sort().at(-1) ?? ''
  const [line = ''] = fs.readFileSync(join(workspace, log, last), 'utf8').split('\n')
  const operation = JSON.parse(line) as { packs: { id: string; kind: string }[] }
  const words: Record<string, string> = { data: 'data pack', meta: 'metadata pack' }
  return new Map(
    operation.packs.map(({ id, kind }) => [
      join(workspace, packs, `${id}.pack`),
      words[kind] ?? kind,
    ]),
  )
}

/** Of the store, but for what SQLite writes. */
function storedFiles(workspace: string): string[] {
  const all = Object.keys(readTree(join(workspace, '.artifacts')))
  return all.filter((path) => !/^(index|stat)/.test(path))
}

test.run()
