import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  asKind,
  CHUNK,
  chunkHash,
  chunkId,
  isObjectId,
  isObjectKind,
  NODE,
  objectHash,
  objectId,
  RECIPE,
  readId,
  VERSION,
  writeId,
} from '../../../src/store/object/id.ts'

const test = suite('id')
const KINDS = [CHUNK, RECIPE, NODE, VERSION] as const

test('a chunk is named by its sha256sum', () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  assert.is(objectId(CHUNK, Buffer.from('abc')), abc)
  assert.is(chunkId(Buffer.from('abc')), abc)
  assert.is(chunkHash(Buffer.from('abc')).toString('hex'), abc)
})

test('the other kinds are named by their prefix and bytes together', () => {
  // printf 'artifacts.node\0abc' | sha256sum, and the same with recipe and version
  const ids = KINDS.slice(1).map((kind) => objectId(kind, Buffer.from('abc')))
  assert.equal(ids, [RECIPE_ABC, NODE_ABC, VERSION_ABC])
})

test('an id as bytes and as text is the same', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.constantFrom(...KINDS), (bytes, kind) => {
      assert.is(objectHash(kind, bytes).toString('hex'), objectId(kind, bytes))
    }),
  )
})

test('what is written as an id is read back, and nothing around it is touched', () => {
  const bytes = Buffer.alloc(36, 0xee)
  writeId(chunkId(Buffer.from('abc')), bytes, 2)
  assert.is(readId(bytes, 2), chunkId(Buffer.from('abc')))
  assert.equal([bytes[1], bytes[34]], [0xee, 0xee])
})

test('an id has one spelling', () => {
  assert.ok(isObjectId('0123456789abcdef'.repeat(4)))
  for (const text of ['', 'a'.repeat(63), 'a'.repeat(65), 'A'.repeat(64), `${'a'.repeat(63)}\n`]) {
    assert.not(isObjectId(text), JSON.stringify(text))
  }
})

test('there are four kinds', () => {
  assert.equal([0, 1, 2, 3, 4, 15].map(isObjectKind), [true, true, true, true, false, false])
})

test('a chunk that holds a node and its prefix is that node, and the other way round', () => {
  const node = Buffer.from('abc')
  const chunk = Buffer.from('artifacts.node\0abc')
  assert.is(objectId(CHUNK, chunk), objectId(NODE, node))
  assert.equal(Buffer.from(asKind(chunk, CHUNK, NODE) ?? []), node)
  assert.equal(asKind(node, NODE, CHUNK), chunk)
  assert.is(asKind(chunk, CHUNK, RECIPE), undefined)
  assert.is(asKind(node, NODE, RECIPE), undefined)
  assert.is(asKind(node, NODE, NODE), node)
})

const RECIPE_ABC = 'b34dd1a527ece00719d90c9369b969d2b4d0428de2be602c59e97d4ac6c243e8'
const NODE_ABC = '9031e0b1dd5ccef46fd7c554cfbcecef7d5cf898b8cc44906337977b0bdbd4e4'
const VERSION_ABC = '02373acf6644692a395757854c48faf057804385d11af8f244216197b45fe616'

test.run()
