/** What a version's digest depends on, W&B's digest of the same files, and what an entry says of itself. */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { workspace } from '../library/workspace.ts'
import type { Tree } from '../support/files.ts'
import { web } from '../support/web.ts'
import { draft, log, picture } from './logging.ts'

const test = suite('behaviours: digest')

const HELLO = { 'file1.txt': 'hello' }
const THREE = { ...HELLO, 'nest/file2.txt': 'my', 'nest/nest/file3.txt': 'dude' }

/** Files, the path they are added under, and the MD5 that W&B names them by. */
const GOLDEN: Readonly<Record<string, readonly [Tree, string | undefined, string]>> = {
  'one file': [HELLO, undefined, 'a00c2239f036fb656c1dcbf9a32d89b4'],
  'a file in a folder': [HELLO, 'subdir', 'a757208d042e8627b2970d72a71bed5b'],
  'three levels': [THREE, undefined, '72414374bfd4b0f60a116e7267845f71'],
  'three levels below a name': [THREE, 'top', 'f718baf2d4c910dc6ccd0d9c586fa00f'],
  nothing: [{}, undefined, '64e7c61456b10382e2f3b571ac24b659'],
}

for (const [what, [tree, as, digest]] of Object.entries(GOLDEN)) {
  test(`files that are added have the digest that W&B gives them: ${what}`, async () => {
    await using ws = await workspace()
    const artifact = draft()
    await artifact.addDir(ws.write('data', tree), as === undefined ? {} : { as })
    const { ref } = await ws.store.commit(artifact)
    assert.is(await ws.store.wandbDigest(ref), digest)
  })
}

test('a file under another name has the digest that W&B gives it', async () => {
  await using ws = await workspace()
  const artifact = draft()
  await artifact.addFile(`${ws.write('data', HELLO)}/file1.txt`, { as: 'great-file.txt' })
  const { ref } = await ws.store.commit(artifact)
  assert.is(await ws.store.wandbDigest(ref), '585b9ada17797e37c9cbab391e69b8c5')
})

test('a URL and a URI of no known scheme have the digests that W&B gives them', async () => {
  await using ws = await workspace()
  await using site = await web({ '/file1.txt': { body: 'hello', headers: { etag: '"abc"' } } })
  const { store } = ws
  await store.commit([`${site.url}/file1.txt`], { name: 'web' })
  assert.is(await store.wandbDigest('web'), '48237ccc050a88af9dcd869dd5a7e9f4')
  await store.commit(['ref://example.com/somefile.txt'], { name: 'other', as: 'ref' })
  assert.is(await store.wandbDigest('other'), '410ade94865e89ebe1f593f4379ac228')
})

test('neither the order of adding nor any label counts, a path does', async () => {
  await using ws = await workspace()
  const dir = ws.write('data', { a: '1', b: '2' })
  const made = async (names: readonly string[], options = {}, labels = {}): Promise<string[]> => {
    const artifact = draft(options)
    for (const name of names) await artifact.addFile(`${dir}/${name[0]}`, { as: name })
    const version = await ws.store.commit(artifact, { reuse: 'never', ...labels })
    return [version.digest, await ws.store.wandbDigest(version.ref)]
  }
  const first = await made(['a', 'b'])
  const labelled = { description: 'd', metadata: { n: 1 } }
  assert.equal(await made(['b', 'a'], labelled, { tags: ['t'], aliases: ['x'] }), first)
  const moved = await made(['a', 'b2'])
  assert.is.not(moved[0], first[0])
  assert.is.not(moved[1], first[1])
})

test('the MD5 of a file is that of its bytes, of none as of many', async () => {
  await using ws = await workspace()
  const large = Buffer.alloc(3_000_000, 'abcdefg')
  const { ref } = await log(ws, { empty: '', foo: 'foo', large })
  let manifest = ''
  for await (const piece of ws.store.wandbManifest(ref)) manifest += piece
  const { contents } = JSON.parse(manifest)
  assert.is(contents['empty'].digest, '1B2M2Y8AsgTpgAmY7PhCfg==')
  assert.is(contents['foo'].digest, 'rL0Y20zC+Fzt72VPzMSk2A==')
  assert.is(contents['large'].digest, createHash('md5').update(large).digest('base64'))
})

test('a version counts its entries, references among them', async () => {
  await using ws = await workspace()
  await using site = await web({ '/r': { body: '12345', headers: { etag: '"1"' } } })
  const counts = async (...paths: string[]): Promise<number[]> => {
    const { files, bytes } = await ws.store.commit(paths, { name: 'n' })
    return [files, bytes]
  }
  const dir = ws.write('data', {})
  assert.equal(await counts(dir), [0, 0])
  fs.writeFileSync(`${dir}/a`, 'abc')
  assert.equal(await counts(dir), [1, 3])
  assert.equal(await counts(dir, `${site.url}/r`), [2, 8])
})

test('an entry is printed with what it has, also when that is nothing', async () => {
  await using ws = await workspace()
  const version = await log(ws, { empty: '', link: { symlink: 'empty' }, void: null })
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  const shown = []
  for await (const entry of version.manifest()) shown.push(JSON.parse(JSON.stringify(entry)))
  assert.equal(shown, [
    {
      path: 'empty',
      kind: 'file',
      size: 0,
      executable: false,
      digest: { algorithm: 'sha256', value: sha256('') },
    },
    {
      path: 'link',
      kind: 'symlink',
      size: 5,
      executable: false,
      target: 'empty',
      digest: { algorithm: 'sha256', value: sha256('empty') },
    },
    { path: 'void', kind: 'directory', size: 0, executable: false },
  ])
})

test('nothing that is asked of a version changes the store', async () => {
  await using ws = await workspace()
  const version = await log(ws, HELLO)
  const before = picture(ws)
  await ws.store.wandbDigest(version.ref)
  await version.verify()
  await version.entry('file1.txt')
  assert.is(picture(ws), before)
})

test.run()
