import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type KeepRules, planPrune } from '../../../src/store/log/plan-prune.ts'
import type { Metadata, VersionObject } from '../../../src/types.ts'
import { throwsCode } from '../../support/rejects.ts'
import { type MemoryState, memoryState } from '../index/memory-state.ts'
import { BIKE, numbersOf } from './bikes.ts'
import { sampleObject } from './samples.ts'

const test = suite('plan of pruning')

const DAY = 24 * 3600 * 1000
const NOW = Date.parse('2026-11-20T00:00:00.000Z')

interface Sample {
  readonly daysAgo?: number
  readonly metadata?: Metadata
  readonly aliases?: readonly string[]
}

/** Versions v0, v1, … of one artifact. */
function versions(...samples: readonly Sample[]): MemoryState {
  const memory = memoryState()
  for (const [i, { daysAgo = 0, metadata, aliases = [] }] of samples.entries()) {
    const createdAt = new Date(NOW - daysAgo * DAY).toISOString()
    const object: VersionObject = { ...sampleObject(i), createdAt }
    memory.commit('bike', object, { aliases, ...(metadata === undefined ? {} : { metadata }) })
  }
  return memory
}

function prune({ state }: MemoryState, rules: KeepRules): ReturnType<typeof planPrune> {
  return planPrune(state, { artifact: BIKE, name: 'bike', rules, now: NOW })
}

function removed(memory: MemoryState, rules: KeepRules): number[] {
  return numbersOf(prune(memory, rules).outcome.removed)
}

test('keeps those with the highest numbers', () => {
  const memory = versions({}, {}, {}, {})
  assert.equal(removed(memory, { last: 1 }), [0, 1, 2])
  assert.equal(removed(memory, { last: 3 }), [0])
  assert.equal(removed(memory, { last: 9 }), [])
  assert.equal(prune(memory, { last: 9 }).changes, [])
})

test('keeps those that are young enough', () => {
  const memory = versions({ daysAgo: 10 }, { daysAgo: 3 }, { daysAgo: 5 }, { daysAgo: 1 })
  assert.equal(removed(memory, { within: 3 * DAY }), [0, 2])
  assert.equal(removed(memory, { within: 3 * DAY - 1 }), [0, 1, 2])
})

test('keeps the one with the best number, of equals the newest', () => {
  const memory = versions(
    { metadata: { acc: 0.5, loss: 3 } },
    { metadata: { acc: 0.9, loss: 1 } },
    { metadata: { acc: 0.9, eval: { f1: 2 } } },
    { metadata: { acc: 'high', 'eval.f1': 1 } },
    {},
  )
  assert.equal(removed(memory, { best: { key: 'acc', order: 'max' } }), [0, 1, 3, 4])
  assert.equal(removed(memory, { best: { key: 'loss', order: 'min' } }), [0, 2, 3, 4])
  assert.equal(removed(memory, { best: { key: 'eval.f1', order: 'max' } }), [0, 1, 3, 4])
  assert.equal(removed(memory, { best: { key: 'eval.f1', order: 'min' } }), [0, 1, 2, 4])
  const error = throwsCode(
    () => prune(memory, { best: { key: 'typo', order: 'max' } }),
    'ERR_NOT_FOUND',
  )
  assert.match(error.message, '"meta.typo"')
})

test('says for each version that stays which rules keep it', () => {
  const memory = versions(
    { aliases: ['good'], metadata: { acc: 1 }, daysAgo: 9 },
    { daysAgo: 9 },
    { metadata: { acc: 0 } },
  )
  const { kept } = prune(memory, {
    last: 1,
    within: DAY,
    aliased: true,
    best: { key: 'acc', order: 'max' },
  }).outcome
  assert.equal(
    kept.map(({ row, reasons }) => [row.number, reasons]),
    [
      [0, ['aliased', 'best']],
      [2, ['last', 'within']],
    ],
  )
})

test('latest falls as it does when versions are removed', () => {
  const memory = versions({ metadata: { acc: 1 } }, {}, {})
  const { changes, outcome } = prune(memory, { best: { key: 'acc', order: 'max' } })
  assert.equal(
    changes.map(({ kind }) => kind),
    ['alias.set', 'version.delete', 'version.delete'],
  )
  assert.is(outcome.aliases[0]?.alias, 'latest')
  memory.apply(...changes)
  assert.equal(numbersOf(memory.state.versions(BIKE)), [0])
})

test('does not remove what an alias holds', () => {
  const memory = versions({ aliases: ['good'] }, { aliases: ['bad', 'worse'] }, {})
  const error = throwsCode(() => prune(memory, { last: 1 }), 'ERR_IN_USE')
  assert.match(error.message, '"bike:v0" (good), "bike:v1" (bad, worse)')
  assert.match(error.hint ?? '', '--keep-aliased')
  assert.equal(removed(memory, { last: 1, aliased: true }), [])
  assert.equal(removed(memory, { last: 3 }), [])
})

test('refuses to go without a rule, and rules that keep nothing', () => {
  const memory = versions({ daysAgo: 9 }, { daysAgo: 9 })
  throwsCode(() => prune(memory, {}), 'ERR_USAGE')
  throwsCode(() => prune(memory, { aliased: false }), 'ERR_USAGE')
  const error = throwsCode(() => prune(memory, { within: DAY }), 'ERR_USAGE')
  assert.match(error.hint ?? '', '`artifacts rm bike --all-versions`')
  throwsCode(() => prune(memory, { aliased: true }), 'ERR_USAGE')
  // Where there is none, there is none to lose.
  assert.equal(removed(memoryState(), { last: 1 }), [])
})

test('every version either stays for a reason or goes', () => {
  const sample = fc.record({ daysAgo: fc.nat(20), acc: fc.option(fc.nat(3)) })
  fc.assert(
    fc.property(
      fc.array(sample, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(20),
      (samples, last, days) => {
        const memory = versions(
          ...samples.map(({ daysAgo, acc }) => ({
            daysAgo,
            ...(acc === null ? {} : { metadata: { acc } }),
          })),
        )
        const { outcome } = prune(memory, { last, within: days * DAY })
        const kept = numbersOf(outcome.kept.map(({ row }) => row))
        assert.equal(
          [...kept, ...numbersOf(outcome.removed)].sort((a, b) => a - b),
          [...samples.keys()],
        )
        for (const [number, { daysAgo }] of samples.entries()) {
          const stays = number >= samples.length - last || daysAgo <= days
          assert.is(kept.includes(number), stays)
        }
      },
    ),
    { numRuns: 50 },
  )
})

test.run()
