import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIo } from '../../src/store/io/io.ts'
import { type Layout, layoutOf } from '../../src/store/layout.ts'
import { MemoryBackend } from '../../src/sync/backends/memory.ts'
import { observed } from '../../src/sync/backends/observed.ts'
import { checkMayPush } from '../../src/sync/may-push.ts'
import { forgetAddress, knownAddress, noteStore, noteVerdict } from '../../src/sync/remote-notes.ts'
import { type Remote, unnamed } from '../../src/sync/remotes.ts'
import { rejects, throwsCode } from '../support/rejects.ts'
import { temporaryDirectory } from '../support/temp.ts'

const test = suite('notes of remotes')
const io = createIo({ durability: 'process' })
const A = 'a'.repeat(32)
const B = 'b'.repeat(32)

async function inStore<T>(
  use: (opened: { layout: Layout; io: typeof io }) => Promise<T>,
): Promise<T> {
  await using dir = await temporaryDirectory()
  const layout = layoutOf(join(dir.path, '.artifacts'))
  mkdirSync(layout.tmp, { recursive: true })
  return await use({ layout, io })
}

function remote(url: string): Remote {
  return { ...unnamed(url), name: 'origin', isConfigured: true }
}

test('a verdict waits until a store is seen at the address, and goes with it', async () => {
  await inStore(async (opened) => {
    assert.equal(knownAddress(opened, 's3://x'), {})
    noteVerdict(opened, 's3://x', 'atomic')
    noteVerdict(opened, 's3://y', 'racy')
    const before = knownAddress(opened, 's3://x')
    assert.equal([before.store, before.verdict], [undefined, 'atomic'])
    noteStore(opened, remote('s3://x'), A)
    assert.equal(knownAddress(opened, 's3://x'), { store: A, ...before })
    assert.is(knownAddress(opened, 's3://y').verdict, 'racy')
    noteVerdict(opened, 's3://x', 'ignores')
    assert.is(knownAddress(opened, 's3://x').verdict, 'ignores')
    const text = readFileSync(join(opened.layout.remotes, A, 'remote.json'), 'utf8')
    assert.match(
      text,
      /^\{"addresses":\{"s3:\/\/x":\{"probedAt":"[^"]+Z","verdict":"ignores"\}\}\}\n$/,
    )
  })
})

test('a store can be reached at several addresses', async () => {
  await inStore(async (opened) => {
    for (const url of ['s3://x', 'https://x/']) noteStore(opened, remote(url), A)
    noteVerdict(opened, 's3://x', 'atomic')
    assert.equal(knownAddress(opened, 'https://x/'), { store: A })
    forgetAddress(opened, 'https://x/')
    assert.equal(knownAddress(opened, 'https://x/'), {})
    assert.is(knownAddress(opened, 's3://x').store, A)
  })
})

test('another store at an address is refused until the address is forgotten', async () => {
  await inStore(async (opened) => {
    noteStore(opened, remote('s3://x'), A)
    const error = throwsCode(() => noteStore(opened, remote('s3://x'), B), 'ERR_REMOTE_CHANGED')
    assert.match(error.hint ?? '', 'artifacts remote rm origin')
    assert.is(knownAddress(opened, 's3://x').store, A)
    forgetAddress(opened, 's3://x')
    noteStore(opened, remote('s3://x'), B)
    assert.is(knownAddress(opened, 's3://x').store, B)
  })
})

test('notes that can’t be read are no notes', async () => {
  await inStore(async (opened) => {
    noteVerdict(opened, 's3://x', 'atomic')
    const path = join(opened.layout.remotes, 'new', 'remote.json')
    for (const text of [
      '',
      '[]',
      '{"addresses":{"s3://x":{"verdict":"fine"}}}',
      '{"addresses":7}',
    ]) {
      writeFileSync(path, text)
      assert.equal(knownAddress(opened, 's3://x'), {})
    }
  })
})

test('who pushes for the first time probes, and knows then', async () => {
  await inStore(async (opened) => {
    let asked = 0
    const backend = observed(new MemoryBackend(), { onRequest: () => asked++ })
    await checkMayPush(opened, remote('s3://x'), backend)
    assert.ok(asked > 30)
    asked = 0
    await checkMayPush(opened, remote('s3://x'), backend)
    assert.is(asked, 0)
    assert.is(knownAddress(opened, 's3://x').verdict, 'atomic')
  })
})

test('what breaks the promise is refused with the reason, unless one machine alone writes', async () => {
  await inStore(async (opened) => {
    const backend = new MemoryBackend()
    for (const [verdict, reason] of [
      ['refuses', /refuses to make/],
      ['ignores', /overwrites a file/],
      ['racy', /looks first/],
    ] as const) {
      noteVerdict(opened, 's3://x', verdict)
      const error = await rejects(
        checkMayPush(opened, remote('s3://x'), backend),
        'ERR_UNSUPPORTED',
      )
      assert.match(error.message, reason)
      assert.match(error.hint ?? '', 'config set remote.origin.single-writer true')
      await checkMayPush(opened, { ...remote('s3://x'), isSingleWriter: true }, backend)
    }
  })
})

test('the directory of a store is never pushed to', async () => {
  await inStore(async (opened) => {
    const url = pathToFileURL(opened.layout.root).href
    writeFileSync(join(opened.layout.root, 'index'), 'index-1.db\n')
    const alone = { ...remote(url), isSingleWriter: true }
    await rejects(checkMayPush(opened, alone, new MemoryBackend()), 'ERR_READ_ONLY')
    assert.not(existsSync(opened.layout.remotes))
  })
})

test.run()
