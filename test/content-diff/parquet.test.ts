import { readFileSync } from 'node:fs'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compareContents } from '../../src/content-diff/compare.ts'
import type { RowChange, TableDifference } from '../../src/content-diff/difference.ts'
import { OPTIONS, sourceOf } from './sources.ts'

const test = suite('differences of Parquet files')

/** Each comparison starts two threads. */
const RUNS = process.env['ARTIFACTS_TEST_FULL'] ? 150 : 10

async function differ(
  before: Uint8Array,
  after: Uint8Array,
  keys: readonly string[] = [],
): Promise<TableDifference> {
  const found = await compareContents(
    sourceOf(before, 't.parquet', 4096),
    sourceOf(after, 't.parquet', 4096),
    { ...OPTIONS, keys },
  )
  if (found.kind !== 'table') throw new Error(`Compared as ${found.kind}: ${found.notes}`)
  return found
}

type Values = readonly [name: string | null, score: number, flag: boolean]
type Rows = ReadonlyMap<number, Values>
type Codec = 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP' | 'BROTLI'

const compressors = {
  GZIP: (bytes: Uint8Array) => gzipSync(bytes),
  BROTLI: (bytes: Uint8Array) => brotliCompressSync(bytes),
}

function parquet(rows: Rows, codec: Codec, rowGroupSize: number): Uint8Array {
  const column = (of: (id: number, values: Values) => unknown): unknown[] =>
    Array.from(rows, ([id, values]) => of(id, values))
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: 'id', data: column((id) => id), type: 'INT32' },
      { name: 'name', data: column((_, [name]) => name), type: 'STRING' },
      { name: 'score', data: column((_, [, score]) => score), type: 'DOUBLE' },
      { name: 'flag', data: column((_, [, , flag]) => flag), type: 'BOOLEAN' },
    ],
    codec,
    compressors,
    rowGroupSize,
  })
  return new Uint8Array(buffer)
}

const values = fc.tuple(
  fc.option(fc.constantFrom('', 'a', 'b', 'ü', 'null')),
  fc.constantFrom(0, 0.1, 1e300, Number.NaN),
  fc.boolean(),
)
const table = fc
  .uniqueArray(fc.tuple(fc.nat(300), values), {
    minLength: 1,
    maxLength: 60,
    selector: ([id]) => id,
  })
  .map((rows) => new Map<number, Values>(rows))

test('cells by key are those that a look-up by key finds, whatever the codec and the row groups', async () => {
  const layout = fc.tuple(
    fc.constantFrom<Codec>('UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI'),
    fc.constantFrom(7, 1000),
  )
  await fc.assert(
    fc.asyncProperty(
      table,
      fc.array(fc.tuple(fc.nat(300), values), { maxLength: 6 }),
      fc.array(fc.nat(100), { maxLength: 4 }),
      layout,
      layout,
      async (before, sets, deletes, [codecA, sizeA], [codecB, sizeB]) => {
        const after = new Map(before)
        for (const [id, row] of sets) after.set(id, row)
        for (const index of deletes) {
          const id = [...after.keys()][index]
          if (id !== undefined && after.size > 1) after.delete(id)
        }
        const a = parquet(before, codecA, sizeA)
        const b = parquet(after, codecB, sizeB)
        const found = await differ(a, b, ['id'])
        assert.equal(found.rows, { before: before.size, after: after.size })
        assert.equal(found.changes.map(lineOf).sort(), expected(before, after).sort())
      },
    ),
    { numRuns: RUNS },
  )
})

function expected(before: Rows, after: Rows): string[] {
  const names = ['name', 'score', 'flag'] as const
  const text = (value: unknown): string => (Object.is(value, -0) ? '-0' : String(value))
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((id) => {
    const [old, now] = [before.get(id), after.get(id)]
    if (old === undefined) return [`+ ${id}`]
    if (now === undefined) return [`- ${id}`]
    const cells = names.flatMap((name, i) =>
      Object.is(old[i], now[i])
        ? []
        : [`${name} ${old[i] === null ? '' : text(old[i])}>${now[i] === null ? '' : text(now[i])}`],
    )
    return cells.length === 0 ? [] : [`~ ${id} ${cells.join(';')}`]
  })
}

function lineOf(change: RowChange): string {
  if (change.kind === 'added') return `+ ${change.after['id']}`
  if (change.kind === 'removed') return `- ${change.before['id']}`
  const { key, before, after } = change
  const names = ['name', 'score', 'flag'].filter((name) => name in before || name in after)
  return `~ ${key['id']} ${names.map((name) => `${name} ${before[name] ?? ''}>${after[name] ?? ''}`).join(';')}`
}

test('columns that were added, removed, or are of another type', async () => {
  const write = (type: 'INT32' | 'INT64', name: string): Uint8Array =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 'id', data: type === 'INT64' ? [1n, 2n] : [1, 2], type },
          { name, data: ['a', 'b'], type: 'STRING' },
        ],
      }),
    )
  const found = await differ(write('INT32', 'old'), write('INT64', 'new'))
  assert.equal([found.added, found.removed, found.changed], [0, 0, 0])
  assert.equal([found.columns.added, found.columns.removed], [['new'], ['old']])
  assert.equal(found.columns.retyped, [{ name: 'id', before: 'INT32', after: 'INT64' }])
})

test('what Apache Arrow writes: zstd, decimals, times, lists, records, bytes', async () => {
  const [before, after] = ['before', 'after'].map((name) =>
    readFileSync(`test/content-diff/arrow-${name}.parquet`),
  )
  const found = await differ(before as Buffer, after as Buffer, ['id'])
  assert.equal(
    found.changes.map(
      (change) => change.kind === 'changed' && [change.key, change.before, change.after],
    ),
    [
      [{ id: '1' }, { price: '12345678901234567890.12' }, { price: '12345678901234567890.13' }],
      [
        { id: '2' },
        { at: '2026-05-01T10:00:00.123456', nanos: '2026-05-01T10:00:00.123456789' },
        { at: '2026-05-01T10:00:00.123457', nanos: '2026-05-01T10:00:00.123456790' },
      ],
      [{ id: '3' }, { tags: '["a","b"]' }, { tags: '["a"]' }],
      [{ id: '4' }, { raw: '0x00ff' }, { raw: '0x00fe' }],
      [{ id: '5' }, { big: '9007199254740993' }, { big: '9007199254740992' }],
      [{ id: '6' }, { point: '{"x":"1","y":2.5}' }, { point: '{"x":"1","y":3.5}' }],
      [{ id: '7' }, { day: '2026-05-01' }, {}],
    ],
  )
})

test('what is no Parquet is compared by its bytes, and says why', async () => {
  const good = parquet(new Map([[1, ['a', 1, true]]]), 'SNAPPY', 10)
  const found = await compareContents(
    sourceOf(good, 't.parquet'),
    sourceOf('PAR1nonePAR1', 't.parquet'),
    OPTIONS,
  )
  assert.match(found.notes.join(), /^Not compared as Parquet: it can't be read/)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }),
      async (edits) => {
        const bad = Buffer.from(good)
        for (const [at, byte] of edits) bad[at] = byte
        await compareContents(sourceOf(good, 't.parquet'), sourceOf(bad, 't.parquet'), {
          ...OPTIONS,
          patience: 500,
        })
      },
    ),
    { numRuns: RUNS },
  )
})

test.run()
