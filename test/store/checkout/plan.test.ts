import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CheckoutPlan, planCheckout } from '../../../src/store/checkout/plan.ts'
import { equalEntries } from '../../../src/store/tree/entry.ts'
import type { Entry } from '../../../src/types.ts'
import { arrange, directory, file, reference, symlink } from '../tree/trees.ts'

const test = suite('plan')

async function* later(entries: readonly Entry[]): AsyncGenerator<Entry> {
  for (const entry of entries) yield await Promise.resolve(entry)
}

function plan(
  current: readonly Entry[],
  bound: readonly Entry[],
  wanted: readonly Entry[],
  paths: readonly string[] = [],
): Promise<CheckoutPlan> {
  return planCheckout({ dir: '/dir', current: later(current), bound, wanted, paths })
}

function paths(entries: readonly { readonly path: string }[]): string[] {
  return entries.map(({ path }) => path)
}

const anyEntry: fc.Arbitrary<Entry> = fc
  .tuple(
    fc.constantFrom('a', 'a.b', 'a/b', 'a/c', 'b', 'b/a', 'c'),
    fc.constantFrom('one', 'two'),
    fc.constantFrom('file', 'executable', 'symlink', 'directory'),
  )
  .map(([path, text, kind]) => {
    if (kind === 'symlink') return symlink(path, text)
    return kind === 'directory' ? directory(path) : file(path, text, kind === 'executable')
  })

const anyTree = fc.array(anyEntry, { maxLength: 8, size: 'max' }).map(arrange)

test('what is as wanted stays; all else is written or removed; what is in neither version would be lost', async () => {
  await fc.assert(
    fc.asyncProperty(anyTree, anyTree, anyTree, async (current, bound, wanted) => {
      const [now, before, goal] = [current, bound, wanted].map(
        (tree) => new Map(tree.map((entry) => [entry.path as string, entry])),
      ) as [Map<string, Entry>, Map<string, Entry>, Map<string, Entry>]
      const is = (a: Entry | undefined, b: Entry | undefined): boolean =>
        a !== undefined && b !== undefined && equalEntries(a, b)
      const { write, remove, replaced, lost, blocked, unchanged } = await plan(
        current,
        bound,
        wanted,
      )

      assert.equal(
        write,
        wanted.filter((entry) => !is(now.get(entry.path), entry)),
      )
      assert.is(unchanged, wanted.length - write.length)
      const goes = current.filter((entry) => !is(entry, goal.get(entry.path)))
      // A file or link gives way to another one without being removed before.
      const givesWay = goes.filter((entry) => {
        const other = goal.get(entry.path)
        return other !== undefined && (entry.kind === 'directory') === (other.kind === 'directory')
      })
      assert.equal([...replaced].sort(), paths(givesWay).sort())
      assert.equal(
        remove,
        goes.filter((entry) => !givesWay.includes(entry)),
      )
      const unknown = goes.filter(
        (entry) => entry.kind !== 'directory' && !is(entry, before.get(entry.path)),
      )
      assert.equal(lost, paths(unknown))
      assert.equal(blocked, [])
    }),
    { numRuns: 300 },
  )
})

test('only what is asked for is planned', async () => {
  const current = [file('a', 'old'), file('dir/x', 'old'), file('dir.txt', 'old')]
  const wanted = [file('a', 'new'), file('dir/x', 'new'), file('dir/y', 'new')]
  const { write, remove, lost } = await plan(arrange(current), arrange(current), wanted, ['dir'])
  assert.equal(paths(write), ['dir/x', 'dir/y'])
  assert.equal([remove, lost], [[], []])
})

test('a reference is not written; what stands in its place goes', async () => {
  const entry = reference('r', 's3://bucket/key')
  const { write, remove, lost } = await plan([file('r')], [], [entry])
  assert.equal(write, [])
  assert.equal(paths(remove), ['r'])
  assert.equal(lost, ['r'])
  assert.equal((await plan([], [], [entry])).write, [])
})

test.run()
