import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeFormat } from '../../src/store/format.ts'
import { createIo } from '../../src/store/io/io.ts'
import { type Layout, layoutOf } from '../../src/store/layout.ts'
import { Settings } from '../../src/store/settings.ts'
import { type Findings, inspectRemote } from '../../src/sync/inspect-remote.ts'
import { operationName } from '../../src/sync/log/names.ts'
import { note } from '../../src/sync/log/noted-log.ts'
import { knownAddress } from '../../src/sync/remote-notes.ts'
import { unnamed } from '../../src/sync/remotes.ts'
import { rejects } from '../support/rejects.ts'
import { temporaryDirectory } from '../support/temp.ts'
import { fileServer } from './file-server.ts'

const test = suite('inspecting a remote')
const io = createIo({ durability: 'process' })
const env = { HOME: '/none' }
const ID = 'a'.repeat(32)
const FORMAT = encodeFormat({ id: ID, tool: 'test' })

interface Opened {
  readonly layout: Layout
  readonly io: typeof io
  readonly settings: Settings
}

async function inStore<T>(use: (opened: Opened) => Promise<T>): Promise<T> {
  await using dir = await temporaryDirectory()
  const layout = layoutOf(join(dir.path, '.artifacts'))
  mkdirSync(layout.tmp, { recursive: true })
  return await use({ layout, io, settings: new Settings(layout) })
}

function look(opened: Opened, url: string): Promise<Findings> {
  return inspectRemote(opened, unnamed(url), { env })
}

test('what lies there is counted, the verdict is kept with it, and nothing stays behind', async () => {
  await using server = await fileServer({
    'format.json': FORMAT,
    [operationName(1)]: Buffer.from('x'),
    [operationName(2)]: Buffer.from('x'),
  })
  await inStore(async (opened) => {
    const { latencyMs, ...found } = await look(opened, server.url)
    assert.ok(latencyMs > 0 && latencyMs < 5000)
    const { format, clockMs, ...facts } = found
    assert.ok(Math.abs(clockMs ?? 1e9) < 1000)
    assert.ok((format ?? 0) >= 3)
    assert.equal(facts, { store: ID, operations: 2, verdict: 'atomic', deletes: true })
    const { probedAt, ...known } = knownAddress(opened, server.url)
    assert.equal(known, { store: ID, verdict: 'atomic' })
    assert.ok(Math.abs(Date.parse(probedAt ?? '') - Date.now()) < 60_000)
    assert.equal(
      [...server.files.keys()].filter((name) => name.startsWith('probe/')),
      [],
    )
  })
})

test('a clock that is ahead or behind is told, but for what a second hides', async () => {
  for (const [clock, least, most] of [
    [3_600_000, 3_590_000, 3_610_000],
    [-90_000, -100_000, -80_000],
  ] as const) {
    await using server = await fileServer({}, { clock })
    await inStore(async (opened) => {
      const { clockMs = 0 } = await look(opened, server.url)
      assert.ok(clockMs >= least && clockMs <= most, `${clockMs}`)
    })
  }
})

test('a remote that lets nothing be removed says so, and one that takes nothing is probed no further', async () => {
  await using keeping = await fileServer({}, { deletes: false })
  await using closed = await fileServer({ 'format.json': FORMAT }, { isClosed: true })
  await inStore(async (opened) => {
    const kept = await look(opened, keeping.url)
    assert.equal([kept.verdict, kept.deletes], ['atomic', false])
    const { latencyMs, format, ...found } = await look(opened, closed.url)
    assert.equal(found, { store: ID, operations: 0, obstacle: 'denied' })
    assert.equal(knownAddress(opened, closed.url), { store: ID })
  })
})

test('a log that is not the one that was read before is a problem', async () => {
  await using server = await fileServer({ 'format.json': FORMAT })
  await inStore(async (opened) => {
    const hash = FORMAT.toString().split('\n')[1] ?? ''
    const line = `{"n":1,"prev":"${hash}"}`
    const record = Buffer.from(`${line}\n${createHash('sha256').update(line).digest('hex')}\n`)
    const path = join(opened.layout.remotes, ID, 'log.jsonl')
    note(io, path, { n: 0, hash, length: 0 }, [record])
    await rejects(look(opened, server.url), 'ERR_REMOTE_CHANGED')
  })
})

test.run()
