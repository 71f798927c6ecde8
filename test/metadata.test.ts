/** What metadata can hold, and what is refused by its place. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact, type Metadata } from '../src/index.ts'
import { workspace } from './library/workspace.ts'
import { rejects, throwsCode } from './support/rejects.ts'

const test = suite('metadata')

function draft(metadata: unknown): Artifact {
  return new Artifact('bike', { type: 'dataset', metadata: metadata as Metadata })
}

test('it is a deep copy of what JSON can hold', () => {
  const given = { a: { b: [1, 'x', true, null] }, date: new Date(0), bytes: new Uint8Array([1, 2]) }
  const { metadata } = draft(given)
  given.a.b.push(2)
  assert.equal(metadata, {
    a: { b: [1, 'x', true, null] },
    date: '1970-01-01T00:00:00.000Z',
    bytes: [1, 2],
  })
  assert.equal(draft({ n: Number.NaN, list: [Number.NaN] }).metadata, { n: null, list: [null] })
  assert.equal(Object.keys(draft(JSON.parse('{"__proto__": 1}')).metadata), ['__proto__'])
  const shared = { x: 1 }
  assert.equal(draft({ a: shared, b: shared }).metadata, { a: { x: 1 }, b: { x: 1 } })
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`k${n}`, n]))
  assert.equal(draft(many).metadata, many)
})

test('anything else is refused, and its place is named', () => {
  const circle: Record<string, unknown> = {}
  circle['self'] = [circle]
  let deep: unknown = 1
  for (let level = 0; level < 64; level++) deep = { in: deep }
  const bad: readonly (readonly [unknown, string])[] = [
    [{ a: { b: [0, Number.POSITIVE_INFINITY] } }, '"metadata.a.b[1]"'],
    [{ a: Number.NEGATIVE_INFINITY }, '"metadata.a"'],
    [{ a: undefined }, '"metadata.a"'],
    [{ a: () => 1 }, '"metadata.a"'],
    [{ a: Symbol('x') }, '"metadata.a"'],
    [{ a: 1n }, '"metadata.a"'],
    [{ 'a b': 1n }, 'metadata["a b"]'],
    [{ a: new Map() }, 'Map'],
    [{ a: new Date(Number.NaN) }, '"metadata.a"'],
    [{ a: new BigInt64Array(1) }, '"metadata.a"'],
    [{ a: '\ud800' }, '"metadata.a"'],
    [{ '\ud800': 1 }, 'half a character'],
    [{ a: new Array(2) }, '"metadata.a[0]"'],
    [circle, '"metadata.self[0]"'],
    [{ deep }, 'more than 64 levels'],
    [[1], 'a list'],
    ['{}', 'a string'],
    [null, 'null'],
    [new Date(), 'Date'],
  ]
  for (const [value, place] of bad) {
    const error = throwsCode(() => draft(value), 'ERR_USAGE')
    assert.match(error.message, place)
  }
})

test('it is checked again when the draft is logged, and nothing is lost', async () => {
  await using ws = await workspace()
  const artifact = draft({ rows: 1 })
  ;(artifact.metadata as Record<string, unknown>)['rows'] = Number.POSITIVE_INFINITY
  await rejects(ws.store.commit(artifact), 'ERR_USAGE')
  throwsCode(() => {
    artifact.metadata = { rows: undefined } as unknown as Metadata
  }, 'ERR_USAGE')
  artifact.metadata = { rows: 2 }
  artifact.metadata['more'] = [1]
  const version = await ws.store.commit(artifact)
  assert.equal(version.metadata, { rows: 2, more: [1] })
})

test('what is as deep as allowed comes back from the log', async () => {
  await using ws = await workspace()
  let deep: Metadata = { end: 1 }
  for (let level = 0; level < 62; level++) deep = { in: deep }
  const version = await ws.store.commit(draft({ deep }))
  assert.equal((await ws.store.fromId(version.id)).metadata, { deep })
})

test.run()
