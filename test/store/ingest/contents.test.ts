import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type ContentOptions,
  type FileContent,
  LARGE_BYTES,
  readLarge,
  readSmall,
  refuseUnreadable,
  type SourceFile,
  type Unreadable,
} from '../../../src/store/ingest/contents.ts'
import { inlinePool, type Pool, type PoolOptions } from '../../../src/store/ingest/pool.ts'
import { fingerprint } from '../../../src/store/object/checksum.ts'
import { objectId, RECIPE } from '../../../src/store/object/id.ts'
import { decodeRecipe } from '../../../src/store/object/recipe.ts'
import type { ObjectId } from '../../../src/types.ts'
import { seededRandom } from '../../support/random.ts'
import { throwsCode } from '../../support/rejects.ts'
import { chunkIds, hexIds, ingestRoom, sha256, statOf } from './room.ts'

const test = suite('contents')

function sourceOf(file: string): SourceFile {
  return { file, stat: statOf(file), isSettled: true }
}

interface Noted extends ContentOptions {
  readonly recipes: Map<ObjectId, Uint8Array>
  readonly read: { files: number; bytes: number }
}

function contentOptions(store = true): Noted {
  const recipes = new Map<ObjectId, Uint8Array>()
  const read = { files: 0, bytes: 0 }
  return {
    recipes,
    read,
    store,
    keepRecipe: (id, bytes) => recipes.set(id, bytes),
    tick: 20,
    onRead: (files, bytes) => {
      read.files += files
      read.bytes += bytes
    },
    signal: undefined,
  }
}

/** A pool that does something before each job it runs, as another process could. */
function disturbedPool(options: PoolOptions, disturb: (jobs: number) => void): Pool {
  const pool = inlinePool(options)
  let jobs = 0
  return {
    ...pool,
    run(job) {
      disturb(++jobs)
      return pool.run(job)
    },
  }
}

function contentAt(contents: readonly (FileContent | Unreadable)[], index = 0): FileContent {
  const content = contents[index]
  if (content === undefined || 'code' in content) throw new Error(`no content: ${content?.code}`)
  return content
}

test('a file is inline, one chunk or a recipe, by its size alone', async () => {
  await using room = await ingestRoom()
  const random = seededRandom(1)
  const contents = [0, 1, 64, 65, 262_144, 262_145, 1 << 20].map((size) => random.bytes(size))
  const pool = inlinePool(room.options)
  const options = contentOptions()
  const sources = contents.map((bytes, index) => sourceOf(room.write(`${index}`, bytes)))
  const found = await readSmall(pool, sources, options)
  for (const [index, bytes] of contents.entries()) {
    const { size, content, fingerprint: xxh, isPrivateKey } = contentAt(found, index)
    assert.is(size, bytes.length)
    const expected = new Uint8Array(8)
    fingerprint(bytes, expected, 0)
    assert.equal(new Uint8Array(xxh), expected)
    assert.not.ok(isPrivateKey)
    if (size <= 64) {
      assert.equal(content, { kind: 'inline', bytes: new Uint8Array(bytes) })
    } else if (size <= 262_144) {
      assert.equal(content, { kind: 'chunk', id: sha256(bytes) })
    } else {
      assert.is(content.kind, 'recipe')
      const id = content.kind === 'recipe' ? content.id : ('' as ObjectId)
      const encoded = options.recipes.get(id) as Uint8Array
      assert.is(objectId(RECIPE, encoded), id)
      const recipe = decodeRecipe(encoded, 'recipe')
      assert.is(recipe.of, 'chunks')
      assert.equal(hexIds(recipe.ids), chunkIds(bytes))
    }
  }
  assert.equal(options.read, {
    files: contents.length,
    bytes: contents.reduce((sum, { length }) => sum + length, 0),
  })
  await pool.close()
})

test('only hashing gives the same contents and keeps no recipe', async () => {
  await using room = await ingestRoom()
  const pool = inlinePool(room.options)
  const sources = [sourceOf(room.write('a', seededRandom(1).bytes(1 << 20)))]
  const stored = await readSmall(pool, sources, contentOptions())
  const options = contentOptions(false)
  assert.equal(await readSmall(pool, sources, options), stored)
  assert.is(options.recipes.size, 0)
  await pool.close()
})

test('a private key is told by its first line, at any size that is read at once', async () => {
  await using room = await ingestRoom()
  const pool = inlinePool(room.options)
  const texts = [
    '-----BEGIN PRIVATE KEY-----\n',
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${'a'.repeat(1000)}`,
    `-----BEGIN EC PRIVATE KEY-----\n${'a'.repeat(300_000)}`,
    '-----BEGIN PUBLIC KEY-----\n',
    `${'a'.repeat(100)}\n-----BEGIN PRIVATE KEY-----\n`,
    '-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n',
  ]
  const sources = texts.map((text, index) => sourceOf(room.write(`${index}`, text)))
  const found = await readSmall(pool, sources, contentOptions())
  assert.equal(
    found.map((_, index) => contentAt(found, index).isPrivateKey),
    [true, true, true, false, false, false],
  )
  await pool.close()
})

test('a file that has changed since it was walked is read as it is now', async () => {
  await using room = await ingestRoom()
  const pool = inlinePool(room.options)
  const before = ['short', 'b'.repeat(500), 'c'.repeat(70)]
  const sources = before.map((text, index) => sourceOf(room.write(`${index}`, text)))
  const text = 'now it is much longer than it was'.repeat(100)
  room.write('1', text)
  room.write('2', 'd'.repeat(70))
  const found = await readSmall(pool, sources, contentOptions())
  assert.is(contentAt(found, 0).size, 5)
  const changed = contentAt(found, 1)
  assert.equal(changed.content, { kind: 'chunk', id: sha256(text) })
  assert.is(changed.stat.size, text.length)
  assert.equal(contentAt(found, 2).content, { kind: 'chunk', id: sha256('d'.repeat(70)) })
  await pool.close()
})

test('files that have grown beyond what is read at once are read all the same', async () => {
  await using room = await ingestRoom()
  const pool = inlinePool(room.options)
  const random = seededRandom(4)
  const sources = [0, 1, 2, 3].map((index) => sourceOf(room.write(`${index}`, 'small')))
  const grown = [2, 2, 2, 5].map((mib) => random.bytes(mib << 20))
  for (const [index, bytes] of grown.entries()) room.write(`${index}`, bytes)
  const options = contentOptions()
  const found = await readSmall(pool, sources, options)
  for (const [index, bytes] of grown.entries()) {
    const { size, content } = contentAt(found, index)
    assert.is(size, bytes.length)
    const id = content.kind === 'recipe' ? content.id : ('' as ObjectId)
    const recipe = decodeRecipe(options.recipes.get(id) as Uint8Array, 'recipe')
    assert.equal(hexIds(recipe.ids), chunkIds(bytes))
  }
  await pool.close()
})

test('a large file that has become small is read as it is now', async () => {
  await using room = await ingestRoom()
  const pool = inlinePool(room.options)
  const source = sourceOf(room.write('a', Buffer.alloc(LARGE_BYTES + 1)))
  room.write('a', 'a'.repeat(65))
  const found = await readLarge(pool, source, contentOptions())
  assert.equal(contentAt([found]).content, { kind: 'chunk', id: sha256('a'.repeat(65)) })
  await pool.close()
})

test('a file that never stands still has no content, however large it is', async () => {
  await using room = await ingestRoom()
  for (const size of [1000, LARGE_BYTES + 1]) {
    const path = room.write('a', Buffer.alloc(size))
    const pool = disturbedPool(room.options, (jobs) => fs.utimesSync(path, jobs, jobs))
    const read = size > LARGE_BYTES ? readLarge : readOne
    assert.equal(await read(pool, sourceOf(path), contentOptions()), {
      file: path,
      code: 'changed',
    })
    await pool.close()
  }
})

test('a file that changes twice and then stands still has a content, however large it is', async () => {
  await using room = await ingestRoom()
  for (const size of [1000, LARGE_BYTES + 1]) {
    const path = room.write('a', Buffer.alloc(size))
    let times = 0
    const disturb = (): void => {
      if (times++ < 2) fs.utimesSync(path, times, times)
    }
    const pool = disturbedPool(room.options, disturb)
    const read = size > LARGE_BYTES ? readLarge : readOne
    const found = await read(pool, sourceOf(path), contentOptions())
    assert.is(contentAt([found]).size, size)
    await pool.close()
  }
})

test('what is gone, or no file any more, has no content', async () => {
  await using room = await ingestRoom()
  const pool = inlinePool(room.options)
  const replacements: ((path: string) => void)[] = [
    () => {},
    (path) => fs.mkdirSync(path),
    (path) => fs.symlinkSync('/etc/passwd', path),
  ]
  for (const size of [100, LARGE_BYTES + 1]) {
    for (const replace of replacements) {
      const source = sourceOf(room.write('a', Buffer.alloc(size)))
      fs.unlinkSync(source.file)
      replace(source.file)
      const read = size > LARGE_BYTES ? readLarge : readOne
      assert.ok('code' in (await read(pool, source, contentOptions())))
      fs.rmSync(source.file, { recursive: true, force: true })
    }
  }
  await pool.close()
})

test('files without content are named, ten of them, those that changed first', () => {
  refuseUnreadable([])
  const denied = Array.from({ length: 12 }, (_, index) => ({ file: `/f${index}`, code: 'EACCES' }))
  const error = throwsCode(() => refuseUnreadable(denied), 'ERR_UNREADABLE')
  assert.match(error.message, '12 files')
  assert.match(error.message, '"/f9" (EACCES)\n  and 2 more')
  assert.not.match(error.message, '/f10')
  const changed = { file: '/changed', code: 'changed' }
  assert.match(
    throwsCode(() => refuseUnreadable([...denied, changed]), 'ERR_FILE_CHANGED').message,
    /^1 file changed .*\n {2}"\/changed"$/,
  )
})

async function readOne(
  pool: Pool,
  source: SourceFile,
  options: ContentOptions,
): Promise<FileContent | Unreadable> {
  const [content] = await readSmall(pool, [source], options)
  return content as FileContent | Unreadable
}

test.run()
