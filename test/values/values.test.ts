import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { kindOf } from '../../src/values/kinds.ts'
import { Media } from '../../src/values/media.ts'
import { NdArray } from '../../src/values/npy.ts'
import { Table } from '../../src/values/table.ts'
import { encodeValue, type TypedValue } from '../../src/values/values.ts'
import { rejects } from '../support/rejects.ts'
import { MemoryFiles } from './memory.ts'

const test = suite('values')

const ENDINGS = [
  '',
  '.json',
  '.txt',
  '.csv',
  '.npy',
  '.bin',
  '.table.json',
  '.image-file.json',
  '.pt',
]

test('JSON, text and bytes come back as they were, whatever the path', async () => {
  const path = fc
    .tuple(fc.constantFrom('a', 'a.b', 'd/x'), fc.constantFrom(...ENDINGS))
    .map((parts) => parts.join(''))
  const value = fc.oneof(
    fc.jsonValue({ noUnicodeString: false }) as fc.Arbitrary<TypedValue>,
    fc.string({ unit: 'binary' }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  )
  await fc.assert(
    fc.asyncProperty(path, value, async (name, given) => {
      const files = new MemoryFiles()
      const stored = await files.add(name, given)
      const found = [await files.get(name), await files.get(stored)]
      for (const each of found) {
        if (given instanceof Uint8Array) assert.equal(Buffer.from(each as Uint8Array), given)
        else assert.is(JSON.stringify(each), JSON.stringify(given))
      }
    }),
    { numRuns: 300 },
  )
})

test('a path says its kind, or gets an ending that does', async () => {
  const cases: readonly (readonly [string, TypedValue, string])[] = [
    ['config', { a: 1 }, 'config.json'],
    ['config.json', { a: 1 }, 'config.json'],
    ['x.table.json', { a: 1 }, 'x.table.json.json'],
    ['notes', 'text', 'notes.txt'],
    ['notes.md', 'text', 'notes.md'],
    ['word.json', 'text', 'word.json'],
    ['model.pt', 'text', 'model.pt.txt'],
    ['model.pt', Buffer.from('x'), 'model.pt'],
    ['data.csv', Buffer.from('x'), 'data.csv.bin'],
    ['a.npy', new Uint8Array(2), 'a.npy'],
    ['a', new Float32Array(2), 'a.npy'],
    ['a.npz', new NdArray(new Float32Array(2), [1, 2]), 'a.npz.npy'],
    ['my_table', new Table({ columns: [], data: [] }), 'my_table.table.json'],
    ['cat', new Media('image', Buffer.from('x')), 'cat.image-file.json'],
  ]
  for (const [path, value, stored] of cases) {
    const [first] = await encodeValue(path, value)
    assert.is(first.path, stored)
  }
})

test('an exact path comes first; of several with an ending none is chosen', async () => {
  const files = new MemoryFiles()
  await files.add('x', { a: 1 })
  await files.add('x', 'text')
  const { message } = await rejects(files.get('x'), 'ERR_AMBIGUOUS')
  assert.match(message, '"x.txt"')
  assert.match(message, '"x.json"')
  assert.is(await files.get('x.txt'), 'text')
  files.put('x', 'bytes')
  assert.equal(await files.get('x'), Buffer.from('bytes'))
})

test('where nothing was stored there is no value', async () => {
  const files = new MemoryFiles()
  await files.add('folder/x', 'text')
  assert.is(await files.get('folder'), undefined)
  assert.is(await files.get('nothing'), undefined)
})

test('a minus zero and a key called __proto__ survive', async () => {
  const files = new MemoryFiles()
  const given = JSON.parse('{"a":[-0],"__proto__":{"b":1}}')
  await files.add('x', given)
  const found = (await files.get('x')) as { a: number[] }
  assert.ok(Object.is(found.a[0], -0))
  assert.equal(Object.keys(found), ['a', '__proto__'])
})

const NO_JSON: Readonly<Record<string, unknown>> = {
  NaN: { a: [1, Number.NaN] },
  'an infinite number': { a: [1, Number.NEGATIVE_INFINITY] },
  'a bigint': { a: [1, 1n] },
  'a date': { a: [1, new Date(0)] },
  'a function': { a: [1, () => 1] },
  undefined: { a: [1, undefined] },
  'a hole': { a: [1, ...new Array(1)] },
  'a map': { a: [1, new Map()] },
}

for (const [what, value] of Object.entries(NO_JSON)) {
  test(`${what} in JSON is refused by its place, not changed`, async () => {
    const { message } = await rejects(encodeValue('x', value as TypedValue), 'ERR_INVALID_VALUE')
    assert.match(message, '"x.json.a[1]"')
  })
}

test('a circle is refused before the stack ends', async () => {
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  await rejects(encodeValue('x', circle as TypedValue), 'ERR_INVALID_VALUE')
})

test('JSON of a hundred thousand levels can be read, and is refused on its way back', async () => {
  const files = new MemoryFiles()
  files.put('deep.json', `${'['.repeat(100_000)}${']'.repeat(100_000)}`)
  const value = (await files.get('deep.json')) as TypedValue
  await rejects(encodeValue('x', value), 'ERR_INVALID_VALUE')
})

test('a file that is not what its path says is named', async () => {
  const files = new MemoryFiles()
  files.put('a.json', '{"a":')
  files.put('b.txt', Buffer.from([0xff, 0xfe]))
  files.put('c.csv', Buffer.from('h\xe9', 'latin1'))
  files.put('d.npy', 'no array')
  files.put('e.table.json', '[]')
  files.put('f.image-file.json', '{}')
  files.put('g.partitioned-table.json', '{}')
  files.put('h.joined-table.json', '{}')
  for (const path of files.files.keys()) {
    const { message } = await rejects(files.get(path), 'ERR_INVALID_VALUE')
    assert.match(message, `"${path}"`)
  }
})

test('JSON with a byte order mark is JSON', async () => {
  const files = new MemoryFiles()
  files.put('a.json', '\ufeff{"a":1}')
  assert.equal(await files.get('a'), { a: 1 })
})

test('random bytes under any ending give a value or an error that is ours', async () => {
  const json = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)))
  const bytes = fc.oneof(
    fc.uint8Array().map((each) => Buffer.from(each)),
    json,
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...ENDINGS), bytes, async (ending, content) => {
      const files = new MemoryFiles()
      files.put(`x${ending}`, content)
      try {
        await files.get(`x${ending}`)
      } catch (error) {
        assert.ok(
          error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_VALUE',
          String(error),
        )
      }
    }),
    { numRuns: 300 },
  )
})

test('a file too large for memory is refused by its size, unread', async () => {
  const source = {
    entry: (path: string) => (path === 'a.json' ? { size: 2 ** 40 } : undefined),
    read: (): Iterable<Uint8Array> => assert.unreachable() as never,
    paths: () => [],
  }
  const { decodeValue } = await import('../../src/values/values.ts')
  await rejects(decodeValue('a.json', source), 'ERR_UNSUPPORTED')
})

test('the kind is the longest ending', () => {
  assert.is(kindOf('a.table.json'), 'table')
  assert.is(kindOf('a.partitioned-table.json'), 'partitioned-table')
  assert.is(kindOf('atable.json'), 'json')
  assert.is(kindOf('table.json/x'), 'bytes')
})

test.run()
