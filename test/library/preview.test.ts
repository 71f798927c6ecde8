import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../support/random.ts'
import { rejects } from '../support/rejects.ts'
import { workspace } from './workspace.ts'

const test = suite('preview')

test('shows a few files, one of each kind, those first that say most', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', {
    'a.bin': Buffer.of(0, 1),
    'images/1.txt': 'one',
    'images/2.txt': 'two',
    'more.csv': 'a,b\n1,2\n',
    'README.md': '# Data\n',
    'empty.json': '',
    link: { symlink: 'a.bin' },
  })
  const { ref } = await ws.store.commit([dir], { name: 'x', jobs: 0 })
  const paths = async (files: number): Promise<string[]> =>
    (await ws.store.preview(ref, { files })).map(({ path }) => path)
  assert.equal(await paths(3), ['README.md', 'more.csv', 'images/1.txt'])
  assert.equal(await paths(9), ['README.md', 'more.csv', 'images/1.txt', 'a.bin'])
  assert.equal(await paths(0), [])
  const named = await ws.store.preview(ref, { paths: ['images/2.txt'], lines: 1 })
  assert.equal(named, [
    { path: 'images/2.txt', size: 3, preview: { kind: 'text', lines: ['two'], isCut: false } },
  ])
  await rejects(ws.store.preview(ref, { paths: ['images/3.txt'] }), 'ERR_NOT_FOUND')
  await rejects(ws.store.preview(ref, { paths: ['link'] }), 'ERR_NOT_FOUND')
  await rejects(ws.store.preview('none'), 'ERR_NOT_FOUND')
})

test('of a large file in many chunks, the places that are asked for', async () => {
  await using ws = await workspace()
  const header = JSON.stringify({ w: { dtype: 'U8', shape: [5_000_000], data_offsets: [0, 5e6] } })
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const bytes = Buffer.concat([length, Buffer.from(header), seededRandom(1).bytes(5_000_000)])
  const { ref } = await ws.store.commit([ws.write('d', { 'm.safetensors': bytes })], { name: 'm' })
  const [only] = await ws.store.preview(ref)
  assert.is(only?.preview?.kind === 'tensors' && only.preview.elements, 5_000_000)
})

test('a file whose bytes are damaged says so, and the others are shown', async () => {
  await using ws = await workspace()
  const random = seededRandom(2)
  const dir = ws.write('d', { 'b.txt': random.text(3000), 'a.md': 'short' })
  const { ref } = await ws.store.commit([dir], { name: 'x', jobs: 0 })
  const packs = join(ws.store.root, 'packs')
  for (const name of fs.readdirSync(packs)) {
    const file = join(packs, name)
    const bytes = fs.readFileSync(file)
    // The chunk comes first.
    bytes.fill(0x55, 100, 160)
    fs.writeFileSync(file, bytes)
  }
  const found = await ws.store.preview(ref)
  assert.equal(
    found.map(({ path, preview }) => [path, preview?.kind]),
    [
      ['a.md', 'text'],
      ['b.txt', undefined],
    ],
  )
  assert.ok(found[1]?.reason)
})

test('a version as it was is previewed too', async () => {
  await using ws = await workspace()
  const { ref } = await ws.store.commit([ws.write('d', { 'a.txt': 'first' })], { name: 'x' })
  await ws.store.commit([ws.write('d', { 'a.txt': 'second' })], { name: 'x' })
  const past = ws.store.at({ operation: 1 })
  const [only] = await past.preview('x')
  assert.equal(only?.preview, { kind: 'text', lines: ['first'], isCut: false })
  assert.is(ref, 'x:v0')
})

test.run()
