import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CandidateList, CandidateReader } from '../../../src/store/object/candidates.ts'

const test = suite('candidates')

test('what is added is read back in order', () => {
  const candidate = fc.record({
    distance: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 40 })),
    strong: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.nat(), fc.array(candidate, { maxLength: 600 }), (start, candidates) => {
      const list = new CandidateList(start)
      let position = start
      const expected = candidates.map(({ distance, strong }) => {
        position += distance
        list.add(position, strong)
        return [position, strong]
      })
      assert.equal(readAll(list.bytes(), start), expected)
    }),
  )
})

test('candidates at every position cost a byte each', () => {
  const list = new CandidateList(2 ** 45)
  for (let i = 0; i < 100_000; i++) list.add(2 ** 45 + i, true)
  assert.is(list.bytes().length, 100_000)
})

function readAll(bytes: Uint8Array, start: number): [number, boolean][] {
  const reader = new CandidateReader(bytes, start)
  const all: [number, boolean][] = []
  while (reader.next()) all.push([reader.position, reader.isStrong])
  return all
}

test.run()
