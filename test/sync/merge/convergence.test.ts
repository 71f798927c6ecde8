import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { World } from './world.ts'

const test = suite('histories of several stores')

const FULL = process.env['ARTIFACTS_TEST_FULL'] === '1'

const KINDS = [
  ...['commit', 'commit', 'commit', 'delete', 'delete', 'restore', 'describe', 'tag', 'retype'],
  ...['alias', 'unalias', 'link', 'link', 'unlink', 'shelve', 'run', 'use', 'note', 'finish'],
  ...['sync', 'sync', 'pull', 'push', 'part', 'sync elsewhere', 'pull elsewhere', 'part elsewhere'],
  ...['torn', 'cut', 'torn elsewhere', 'cut elsewhere'],
] as const

const stepOf = (kinds: readonly string[]): fc.Arbitrary<Step> =>
  fc.record({
    kind: fc.constantFrom(...kinds),
    who: fc.nat(2),
    pick: fc.nat(50),
    value: fc.nat(3),
  })

interface Step {
  readonly kind: string
  readonly who: number
  readonly pick: number
  readonly value: number
}

test('random histories of three stores, a primary and another remote come together, and lose nothing', () => {
  fc.assert(
    fc.property(fc.array(stepOf(KINDS), { minLength: 5, maxLength: 60 }), (steps) => {
      using world = new World()
      for (const { kind, who, pick, value } of steps) world.act(kind, who, pick, value)
      world.settle()
      for (const store of world.stores) assert.equal(world.seen(store), world.seen(world.primary))
      world.checkThatNothingIsLost()
    }),
    { numRuns: FULL ? 1000 : 20 },
  )
})

test('so do they with renames, unless two artifacts want one name', () => {
  fc.assert(
    fc.property(
      fc.array(stepOf([...KINDS, 'rename', 'rename', 'call', 'call']), {
        minLength: 5,
        maxLength: 60,
      }),
      (steps) => {
        using world = new World()
        for (const { kind, who, pick, value } of steps) world.act(kind, who, pick, value)
        if (world.settle().some(({ kind }) => kind === 'name-taken')) return
        for (const store of world.stores) assert.equal(world.seen(store), world.seen(world.primary))
        world.checkThatNothingIsLost()
      },
    ),
    { numRuns: FULL ? 1000 : 12 },
  )
})

test.run()
