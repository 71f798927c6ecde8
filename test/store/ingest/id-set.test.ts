import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { IdSet } from '../../../src/store/ingest/id-set.ts'
import { seededRandom } from '../../support/random.ts'

const test = suite('id-set')

test('it answers as a Set of the same ids does, also for ids that begin alike', () => {
  // Few first bytes make long runs of neighbours; few ids make repetitions.
  const anyId = fc
    .tuple(fc.constantFrom(0, 1, 0xff), fc.constantFrom(0, 0xff), fc.nat(40))
    .map(([first, second, last]) => {
      const id = Buffer.alloc(32, second)
      id[0] = first
      id[31] = last
      return id
    })
  fc.assert(
    fc.property(fc.array(anyId, { maxLength: 300, size: 'max' }), (ids) => {
      const set = new IdSet()
      const model = new Set<string>()
      for (const id of ids) {
        const hex = id.toString('hex')
        assert.is(set.has(id, 0), model.has(hex))
        assert.is(set.add(id, 0), !model.has(hex))
        assert.ok(set.has(id, 0))
        model.add(hex)
      }
    }),
    { numRuns: 50 },
  )
})

test('it keeps what it has while it grows to a hundred thousand', () => {
  const ids = seededRandom(1).bytes(100_000 * 32)
  const others = seededRandom(2).bytes(10_000 * 32)
  const set = new IdSet()
  for (let at = 0; at < ids.length; at += 32) assert.ok(set.add(ids, at))
  for (let at = 0; at < ids.length; at += 32) assert.not.ok(set.add(ids, at))
  for (let at = 0; at < others.length; at += 32) assert.not.ok(set.has(others, at))
})

test('an id is read from where it lies among others, and copied', () => {
  const set = new IdSet()
  const ids = seededRandom(3).bytes(64)
  set.add(ids, 32)
  assert.not.ok(set.has(ids, 0))
  const second = Buffer.from(ids.subarray(32))
  ids.fill(0)
  assert.ok(set.has(second, 0))
})

test('when it is full it starts empty with the next id', () => {
  const set = new IdSet(100)
  const ids = seededRandom(4).bytes(101 * 32)
  for (let index = 0; index < 100; index++) assert.ok(set.add(ids, index * 32))
  assert.not.ok(set.add(ids, 0))
  assert.ok(set.add(ids, 100 * 32))
  assert.ok(set.has(ids, 100 * 32))
  assert.not.ok(set.has(ids, 0))
  assert.ok(set.add(ids, 0))
})

test.run()
