import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CompareOptions, compareContents } from '../../src/content-diff/compare.ts'
import type { RowChange, TableDifference } from '../../src/content-diff/difference.ts'
import { OPTIONS, sourceOf } from './sources.ts'

const test = suite('differences of tables')

async function differ(
  before: string,
  after: string,
  options: Partial<CompareOptions> = {},
  path = 't.csv',
): Promise<TableDifference> {
  const found = await compareContents(sourceOf(before, path), sourceOf(after, path), {
    ...OPTIONS,
    ...options,
  })
  if (found.kind !== 'table') throw new Error(`Compared as ${found.kind}: ${found.notes}`)
  return found
}

type Table = readonly (readonly string[])[]

/** CSV of rows, each cell with or without quotes as `quotes` says, where it can do without. */
function csvOf(rows: Table, quotes: number, end: string, isEnded: boolean): string {
  let at = 0
  const cell = (text: string): string => {
    const mustQuote = /[",\r\n]/.test(text) || (text === '' && rows[0]?.length === 1)
    const isQuoted = mustQuote || ((quotes >> (at++ % 8)) & 1) === 1
    return isQuoted ? `"${text.replaceAll('"', '""')}"` : text
  }
  // An empty line is no row.
  const line = (row: readonly string[], index: number): string =>
    row.map(cell).join(',') + (quotes % 3 === 0 && index % 4 === 3 ? end : '')
  const text = rows.map(line).join(end)
  return text + (isEnded ? end : '')
}

/** How often each row is there, as the number of times more than in the other table. */
function surplus(of: Table, beside: Table): Map<string, number> {
  const counts = new Map<string, number>()
  for (const row of of) counts.set(JSON.stringify(row), (counts.get(JSON.stringify(row)) ?? 0) + 1)
  for (const row of beside) {
    const key = JSON.stringify(row)
    if (counts.has(key)) counts.set(key, (counts.get(key) as number) - 1)
  }
  return new Map([...counts].filter(([, count]) => count > 0))
}

function listed(changes: readonly RowChange[], side: 'before' | 'after'): Map<string, number> {
  const counts = new Map<string, number>()
  for (const change of changes) {
    if (change.kind !== (side === 'before' ? 'removed' : 'added')) continue
    const row = Object.values(side in change ? (change as never)[side] : {})
    const key = JSON.stringify(row)
    counts.set(key, (counts.get(key) ?? 0) + change.count)
  }
  return counts
}

function sorted(counts: Map<string, number>): [string, number][] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
}

function sum(counts: Map<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0)
}

const cell = fc.constantFrom(
  '',
  'a',
  'b',
  '1',
  '0.5',
  'x,y',
  'say "no"',
  'two\nlines',
  'ü€',
  ' ',
  '"',
)
const HEADER = ['one', 'two', 'three']
const row = fc.array(cell, { minLength: 3, maxLength: 3 })
const style = fc.record({
  quotes: fc.nat(255),
  end: fc.constantFrom('\n', '\r\n'),
  isEnded: fc.boolean(),
})
/** [where, rows that go, rows that come] */
const edit = fc.tuple(fc.nat(200), fc.nat(3), fc.array(row, { maxLength: 3 }))

function edited(rows: Table, edits: readonly [number, number, Table][]): Table {
  const made = [...rows]
  for (const [where, gone, come] of edits) made.splice(where % (made.length + 1), gone, ...come)
  return made
}

test('rows as multisets are those that a count of all rows finds', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'csv-'))
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 150 }),
      fc.array(edit, { maxLength: 4 }),
      style,
      fc.option(style),
      fc.boolean(),
      async (before, edits, styleA, styleB, isSmall) => {
        const after = edited(before, edits)
        const write = (rows: Table, { quotes, end, isEnded }: typeof styleA): string =>
          csvOf([HEADER, ...rows], quotes, end, isEnded)
        // In memory alone, and by files.
        const memory = isSmall ? { bound: 4, scratch: () => folder } : {}
        const found = await differ(write(before, styleA), write(after, styleB ?? styleA), memory)
        assert.equal(found.rows, { before: before.length, after: after.length })
        const [gone, come] = [surplus(before, after), surplus(after, before)]
        assert.equal(sorted(listed(found.changes, 'before')), sorted(gone))
        assert.equal(sorted(listed(found.changes, 'after')), sorted(come))
        assert.equal([found.removed, found.added, found.changed], [sum(gone), sum(come), 0])
      },
    ),
    { numRuns: 200 },
  )
  assert.equal(readdirSync(folder), [])
})

test('cells by key are those that a look-up by key finds', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'csv-'))
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(400), { maxLength: 120 }),
      fc.array(fc.tuple(fc.nat(400), cell, cell), { maxLength: 12 }),
      fc.array(fc.nat(400), { maxLength: 6 }),
      style,
      fc.boolean(),
      fc.boolean(),
      async (ids, sets, deletes, { quotes, end, isEnded }, isMoved, isSmall) => {
        const before = new Map(ids.map((id) => [`${id}`, ['a', `b${id}`]]))
        const after = new Map(before)
        for (const [id, one, two] of sets) after.set(`${id}`, [one, two])
        for (const id of deletes) after.delete(`${id}`)
        const order = isMoved ? [...after].reverse() : [...after]
        const write = (rows: Iterable<[string, string[]]>, names: string[]): string =>
          csvOf([names, ...Array.from(rows, ([id, cells]) => [...cells, id])], quotes, end, isEnded)
        const found = await differ(
          write(before, ['x', 'y', 'id']),
          write(order, ['x', 'y', 'id']),
          {
            keys: ['id'],
            ...(isSmall ? { bound: 4, scratch: () => folder } : {}),
          },
        )
        const expected: string[] = []
        for (const id of new Set([...before.keys(), ...after.keys()])) {
          const [old, now] = [before.get(id), after.get(id)]
          if (old === undefined) expected.push(`+ ${id} ${now}`)
          else if (now === undefined) expected.push(`- ${id} ${old}`)
          else if (`${old}` !== `${now}`) expected.push(`~ ${id} ${changedCells(old, now)}`)
        }
        assert.equal(found.changes.map(lineOf).sort(), expected.sort())
        assert.is(found.added + found.removed + found.changed, expected.length)
      },
    ),
    { numRuns: 200 },
  )
  assert.equal(readdirSync(folder), [])
})

function changedCells(old: readonly string[], now: readonly string[]): string {
  return ['x', 'y']
    .flatMap((name, i) => (old[i] === now[i] ? [] : [`${name}:${old[i]}>${now[i]}`]))
    .join(';')
}

function lineOf(change: RowChange): string {
  if (change.kind === 'added')
    return `+ ${change.after['id']} ${change.after['x']},${change.after['y']}`
  if (change.kind === 'removed') {
    return `- ${change.before['id']} ${change.before['x']},${change.before['y']}`
  }
  const cells = Object.keys(change.before).map(
    (name) => `${name}:${change.before[name]}>${change.after[name]}`,
  )
  return `~ ${change.key['id']} ${cells.join(';')}`
}

test('equal chunks of a large table are read on one side only', async () => {
  const rows = Array.from({ length: 60_000 }, (_, i) => [`${i}`, `name ${i * 7}`, `"${i % 9}"`])
  const before = csvOf([['id', 'name', 'q'], ...rows], 0, '\n', true)
  rows[30_000] = ['30000', 'another', 'q']
  const after = csvOf([['id', 'name', 'q'], ...rows], 0, '\n', true)
  const a = sourceOf(before, 't.csv', 1000)
  const b = sourceOf(after, 't.csv', 1000)
  const found = await compareContents(a, b, { ...OPTIONS, keys: ['id'] })
  if (found.kind !== 'table') throw new Error(found.kind)
  assert.equal(found.rows, { before: 60_000, after: 60_000 })
  assert.equal(found.changes, [
    {
      kind: 'changed',
      count: 1,
      key: { id: '30000' },
      before: { name: 'name 210000', q: '"3"' },
      after: { name: 'another', q: 'q' },
    },
  ])
  assert.ok(a.bytesRead + b.bytesRead < before.length * 1.5, `${a.bytesRead}, ${b.bytesRead}`)
})

test('columns that were added, removed or moved do not make every row a changed one', async () => {
  const found = await differ(
    'id,old,name\n1,x,ann\n2,x,bob\n3,x,eve\n',
    'name,id,new\nann,1,n\nbob2,2,n\neve,3,n\n',
    { keys: ['id'] },
  )
  assert.equal(found.columns.added, ['new'])
  assert.equal(found.columns.removed, ['old'])
  assert.is(found.columns.reordered, true)
  assert.equal(found.changes, [
    {
      kind: 'changed',
      count: 1,
      key: { id: '2' },
      before: { name: 'bob' },
      after: { name: 'bob2' },
    },
  ])
})

test('a key of several columns, a key that is not unique, and a key that is not there', async () => {
  const two = await differ('a,b,c\n1,1,x\n1,2,y\n', 'a,b,c\n1,2,z\n1,1,x\n', { keys: ['a', 'b'] })
  assert.equal([two.changed, two.changes[0]?.kind], [1, 'changed'])
  const twice = await differ('k,v\n1,a\n1,b\n1,c\n', 'k,v\n1,c\n1,d\n', { keys: ['k'] })
  assert.equal([twice.changed, twice.removed, twice.added], [1, 1, 0])
  assert.match(twice.notes.join(), '1 key stands for several rows')
  const none = await differ('k,v\n1,a\n', 'k,v\n1,b\n', { keys: ['id'] })
  assert.equal([none.removed, none.added, none.key.length], [1, 1, 0])
  assert.match(none.notes.join(), 'no column "id"')
})

test('tables without a header, with other delimiters, with rows too short or too long', async () => {
  const iris = await differ('5.1,3.5,setosa\n4.9,3.0,setosa\n', '5.1,3.5,setosa\n4.9,3.1,setosa\n')
  assert.equal(iris.columns.before, ['1', '2', '3'])
  assert.equal([iris.rows.before, iris.added, iris.removed], [2, 1, 1])
  const german = await differ('a;b\n1,5;2\n', 'a;b\n1,5;3\n', { keys: ['a'] })
  assert.equal(german.changes[0], {
    kind: 'changed',
    count: 1,
    key: { a: '1,5' },
    before: { b: '2' },
    after: { b: '3' },
  })
  const tabs = await differ('a\tb\n1\t,\n', 'a\tb\n1\t;\n', {}, 't.tsv')
  assert.equal([tabs.added, tabs.format], [1, 'tsv'])
  const ragged = await differ('a,b\n1\n2,\n3,x,y\n', 'a,b\n1,\n2,\n3,x,z\n', { keys: ['a'] })
  assert.equal(ragged.changed, 2)
  assert.equal(ragged.changes[1], {
    kind: 'changed',
    count: 1,
    key: { a: '3' },
    before: { '#3': 'y' },
    after: { '#3': 'z' },
  })
})

test('the same rows written or ordered differently: no row differs, and that is said', async () => {
  const found = await differ('\ufeffa,b\r\n1,"x"\r\n\r\n2,y', 'a,b\n2,y\n1,x\n')
  assert.equal([found.added, found.removed, found.rows.before], [0, 0, 2])
  assert.match(found.notes.join(), 'The same rows')
})

test('no file is too strange', async () => {
  const hostile: [string, RegExp][] = [
    ['a,b\n1,\0\n', /not text/],
    [`a,b\n"${'x'.repeat(5 << 20)}\n1,2\n`, /too long/],
    [`a\n${','.repeat(100_000)}\n`, /too many cells/],
  ]
  for (const [text, note] of hostile) {
    const before = sourceOf(text, 't.csv', 5000)
    const found = await compareContents(before, sourceOf(`${text}1,2\n`, 't.csv', 5000), OPTIONS)
    assert.is.not(found.kind, 'table')
    assert.match(found.notes.join(), note)
  }
  const empty = await differ('', 'a,b\n1,2\n')
  assert.equal([empty.rows.before, empty.columns.added], [0, ['a', 'b']])
  const random = fc.uint8Array({ maxLength: 200 })
  await fc.assert(
    fc.asyncProperty(random, random, async (before, after) => {
      const options = { ...OPTIONS, keys: ['1'] }
      await compareContents(sourceOf(before, 't.csv'), sourceOf(after, 't.csv'), options)
    }),
    { numRuns: 200 },
  )
})

test.run()
