import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compareContents } from '../../src/content-diff/compare.ts'
import type { TensorsDifference } from '../../src/content-diff/difference.ts'
import { encodeNpy, NdArray } from '../../src/values/npy.ts'
import { type CountedSource, OPTIONS, sourceOf } from './sources.ts'

const test = suite('differences of tensors')

interface Part {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly bytes: Buffer
}

function safetensors(parts: Readonly<Record<string, Part>>, metadata?: object): Buffer {
  const header: Record<string, unknown> = metadata === undefined ? {} : { __metadata__: metadata }
  let at = 0
  for (const [name, { dtype, shape, bytes }] of Object.entries(parts)) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] }
    at += bytes.length
  }
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, ...Object.values(parts).map(({ bytes }) => bytes)])
}

function floats(values: readonly number[]): Part {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, index * 4)
  return { dtype: 'F32', shape: [values.length], bytes }
}

async function differ(a: CountedSource, b: CountedSource): Promise<TensorsDifference> {
  const found = await compareContents(a, b, OPTIONS)
  if (found.kind !== 'tensors') throw new Error(`Compared as ${found.kind}: ${found.notes}`)
  return found
}

function model(bytes: Buffer, mean = 16): CountedSource {
  return sourceOf(bytes, 'm.safetensors', mean)
}

const number = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 })

test('how far tensors are from each other is what a plain loop says', async () => {
  const tensor = fc.array(number, { maxLength: 300 })
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.constantFrom('a', 'b', 'c.weight', '__proto__x'), tensor, {
        noNullPrototype: true,
      }),
      fc.array(fc.tuple(fc.nat(10), fc.nat(400), number), { maxLength: 5 }),
      fc.option(fc.constantFrom('a', 'c.weight')),
      async (before, edits, gone) => {
        const after = structuredClone(before)
        for (const [which, index, value] of edits) {
          const name = Object.keys(after)[which % Object.keys(after).length]
          const values = name === undefined ? [] : (after[name] as number[])
          if (values.length > 0) values[index % values.length] = value
        }
        if (gone !== null) delete after[gone]
        const write = (all: Record<string, number[]>, metadata?: object): Buffer =>
          safetensors(
            Object.fromEntries(Object.entries(all).map(([name, values]) => [name, floats(values)])),
            metadata,
          )
        const found = await differ(model(write(before)), model(write(after, { by: 'us' })))
        assert.equal(found.metadata, [{ kind: 'added', path: '/__metadata__/by', after: 'us' }])
        const expected = Object.keys(before)
          .sort()
          .flatMap((name) => expectedChange(name, before[name] as number[], after[name]))
        assert.equal(found.tensors, expected)
        assert.is(found.unchanged, Object.keys(before).length - expected.length)
      },
    ),
    { numRuns: 200 },
  )
})

function expectedChange(name: string, old: readonly number[], now?: readonly number[]): unknown[] {
  const shape = { dtype: 'F32', shape: [old.length] }
  if (now === undefined) return [{ kind: 'removed', name, before: shape }]
  const gaps = old.map((value, i) => Math.abs(value - (now[i] as number)))
  const changed = old.filter((value, i) => !Object.is(value, now[i])).length
  if (changed === 0) return []
  const max = Math.max(...gaps)
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / old.length
  const values = { elements: old.length, changed, max, mean, notFinite: 0 }
  return [{ kind: 'changed', name, before: shape, after: shape, values }]
}

test('only what chunks do not show to be equal is read', async () => {
  const parts = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [
      `layer.${i}`,
      floats(Array.from({ length: 5_000 }, (_, k) => Math.sin(i * 7919 + k))),
    ]),
  )
  const before = safetensors(parts)
  const values = Array.from({ length: 5_000 }, (_, k) => Math.sin(20 * 7919 + k))
  values[2_500] = 4
  // Every tensor stands elsewhere, because the header is longer.
  const after = safetensors({ ...parts, 'layer.20': floats(values) }, { step: 'a longer header' })
  const [a, b] = [model(before, 1_000), model(after, 1_000)]
  const found = await differ(a, b)
  assert.equal([found.changed, found.unchanged, found.tensors[0]?.name], [1, 49, 'layer.20'])
  assert.is(found.tensors[0]?.values?.changed, 1)
  assert.ok(
    a.bytesRead + b.bytesRead < before.length / 20,
    `${a.bytesRead} and ${b.bytesRead} bytes`,
  )
})

test('types of two bytes and of one are read as they are meant', async () => {
  const part = (dtype: string, hex: string, count: number): Part => ({
    dtype,
    shape: [count],
    bytes: Buffer.from(hex, 'hex'),
  })
  // 1 and 2; 65504 and the smallest; infinity and 1
  const before = {
    f16: part('F16', '003cff7b007c', 3),
    bf16: part('BF16', '803f', 1),
    e4m3: part('F8_E4M3', '387e7f', 3),
    e5m2: part('F8_E5M2', '3c7b', 2),
    i64: part('I64', 'ffffffffffffff7f', 1),
    bool: part('BOOL', '0001', 2),
  }
  const after = {
    f16: part('F16', '00400100003c', 3),
    bf16: part('BF16', '4040', 1),
    e4m3: part('F8_E4M3', '400038', 3),
    e5m2: part('F8_E5M2', '4001', 2),
    i64: part('I64', 'feffffffffffff7f', 1),
    bool: part('BOOL', '0100', 2),
  }
  const { tensors } = await differ(model(safetensors(before)), model(safetensors(after)))
  const max = Object.fromEntries(tensors.map(({ name, values }) => [name, values?.max]))
  assert.equal(max, {
    bf16: 2,
    bool: 1,
    e4m3: 448,
    e5m2: 57_344 - 2 ** -16,
    f16: 65_504 - 2 ** -24,
    i64: 1,
  })
  assert.equal(
    tensors.map(({ values }) => values?.notFinite),
    [0, 0, 1, 0, 1, 0],
  )
})

test('another type or shape is said, and not counted element by element', async () => {
  const a = { w: { dtype: 'F32', shape: [2, 2], bytes: Buffer.alloc(16) } }
  const b = { w: { dtype: 'F32', shape: [4], bytes: Buffer.alloc(16) } }
  const { tensors } = await differ(model(safetensors(a)), model(safetensors(b)))
  assert.equal(tensors, [
    {
      kind: 'changed',
      name: 'w',
      before: { dtype: 'F32', shape: [2, 2] },
      after: { dtype: 'F32', shape: [4] },
    },
  ])
})

test('an array of NumPy, also with the bytes the other way round', async () => {
  const a = encodeNpy(new NdArray(Float32Array.of(1, 2, 3, 4), [2, 2]))
  const b = encodeNpy(new NdArray(Float32Array.of(1, 2.5, 3, Number.NaN), [2, 2]))
  const little = await differ(sourceOf(a, 'x.npy'), sourceOf(b, 'x.npy'))
  const big = (bytes: Uint8Array): CountedSource => {
    const copy = Buffer.from(Buffer.from(bytes).toString('latin1').replace('<f4', '>f4'), 'latin1')
    copy.subarray(-16).swap32()
    return sourceOf(copy, 'x.npy')
  }
  for (const found of [little, await differ(big(a), big(b))]) {
    assert.equal(found.tensors[0]?.values, {
      elements: 4,
      changed: 2,
      max: 0.5,
      mean: 0.125,
      notFinite: 1,
    })
  }
})

test('a header that lies is found out before anything is read by it', async () => {
  const good = safetensors({ w: floats([1, 2]) })
  const header = (text: string, length = text.length): Buffer => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(length))
    return Buffer.concat([bytes, Buffer.from(text), Buffer.alloc(8)])
  }
  const tensor = (rest: object): Buffer =>
    header(JSON.stringify({ w: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...rest } }))
  const liars: Record<string, [Buffer, RegExp]> = {
    empty: [Buffer.alloc(3), /ends in its header/],
    'a length beyond the file': [header('{}', 2 ** 52), /no header/],
    'a length below zero': [Buffer.alloc(16, 0xff), /no header/],
    'no JSON': [header('{"w":'), /not JSON/],
    'no object': [header('[]'), /no object/],
    'an end beyond the file': [
      tensor({ data_offsets: [0, 2 ** 40], shape: [2 ** 38] }),
      /can't be/,
    ],
    'an end before its beginning': [tensor({ data_offsets: [8, 0] }), /can't be/],
    'a shape below zero': [tensor({ shape: [-2, -1] }), /can't be/],
    'a shape that is too large': [tensor({ shape: [2 ** 50, 2 ** 50] }), /can't be/],
    'numbers that are none': [tensor({ data_offsets: [0, 8.5] }), /can't be/],
    'too many dimensions': [tensor({ shape: Array(1000).fill(1) }), /can't be/],
    'metadata of another kind': [header('{"__metadata__":{"a":1}}'), /not texts/],
    'deep JSON': [header('{"w":'.repeat(10_000)), /levels/],
  }
  for (const [what, [bytes, note]] of Object.entries(liars)) {
    const found = await compareContents(model(good), model(bytes), OPTIONS)
    assert.is.not(found.kind, 'tensors')
    assert.match(found.notes.join(), note, what)
  }
  const random = fc.uint8Array({ maxLength: 64 })
  for (const path of ['x.npy', 'x.safetensors']) {
    await fc.assert(
      fc.asyncProperty(random, random, async (a, b) => {
        const begin = path === 'x.npy' ? Buffer.from('\x93NUMPY\x01\0', 'latin1') : Buffer.alloc(0)
        const file = (end: Uint8Array): CountedSource => sourceOf(Buffer.concat([begin, end]), path)
        await compareContents(file(a), file(b), OPTIONS)
      }),
    )
  }
})

test.run()
