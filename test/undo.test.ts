import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError } from '../src/index.ts'
import { commitOperation } from '../src/store/index/commit-point.ts'
import { planAliases } from '../src/store/log/plan-aliases.ts'
import { openStore } from '../src/store/open.ts'
import { type Bikes, bikes, tip } from './stores.ts'
import { rejects } from './support/rejects.ts'

const test = suite('undo')

test('takes back the newest operation, then the one before, and so on', async () => {
  await using bike = await bikes()
  const { store } = bike
  await store.remove(['bike:v2'])
  const last = tip(store)
  const { undone, summary, words, operation } = await store.undo()
  assert.equal([undone, summary, operation], [last, 'rm bike:v2', last + 1])
  assert.equal(words, ['version bike:v2 restored', 'alias bike:latest: bike:v1 -> bike:v2'])
  assert.is((await store.undo()).summary, 'commit bike:v2')
  assert.is((await store.undo()).summary, 'alias bike:v1 best')
  await store.undo()
  await store.undo()
  assert.equal(store.artifacts(), [])
  const error = await rejects(store.undo(), 'ERR_NOT_FOUND')
  assert.match(error.message, /no operation of ".+" on ".+" to undo/)
})

test('takes back one operation by its number, and the taking back too', async () => {
  await using bike = await bikes()
  const { store } = bike
  const { operation = 0 } = await store.alias('bike:v0', ['first'])
  await store.tag('bike:v0', ['x'])
  const undo = await store.undo(operation)
  assert.equal(store.version('bike:v0').aliases, [])
  assert.is(store.operation(operation).undone, undo.operation)
  const redo = await store.undo(undo.operation)
  assert.is(redo.summary, `undo ${operation}`)
  assert.equal(store.version('bike:v0').aliases, ['first'])
  assert.is(store.operation(operation).undone, undefined)
})

test('names the later operation that is in the way', async () => {
  await using bike = await bikes()
  const { store } = bike
  const { operation: first = 0 } = await store.alias('bike:v0', ['prod'])
  await store.tag('bike:v0', ['x'])
  const { operation: second } = await store.alias('bike:v1', ['prod'])
  const { operation: third } = await store.alias('bike:v2', ['prod'])
  const before = tip(store)
  const error = await rejects(store.undo(first), 'ERR_CONFLICT')
  assert.match(
    error.message,
    `operation ${third} (alias bike:v2 prod) has changed the alias "prod"`,
  )
  assert.match(error.hint ?? '', `artifacts undo ${third}`)
  assert.equal(error.data, { operation: first, later: third })
  assert.is(tip(store), before)
  await store.undo(third)
  await store.undo(second)
  await store.undo(first)
  assert.is(store.version('bike:v0').aliases.length, 0)
})

test('says what is undone already, and what was never there', async () => {
  await using bike = await bikes()
  const { store } = bike
  const { undone, operation } = await store.undo()
  const error = await rejects(store.undo(undone), 'ERR_CONFLICT')
  assert.match(error.message, `undone already, by operation ${operation}`)
  await rejects(store.undo(0), 'ERR_NOT_FOUND')
  await rejects(store.undo(999), 'ERR_NOT_FOUND')
})

test('never touches a directory', async () => {
  await using bike = await bikes()
  const { store, path } = bike
  await store.undo()
  const { changes } = await store.diff({ ref: 'bike:v1' }, { dir: `${path}/bike-data` })
  assert.equal(
    changes.map((change) => [change.kind, change.path]),
    [['added', 'c.txt']],
  )
})

test('as many undos as calls give the first state back', async () => {
  const call = fc.tuple(
    fc.constantFrom('commit', 'alias', 'tag', 'edit', 'rename', 'rm', 'restore'),
    fc.nat(4),
    fc.nat(4),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 3, maxLength: 12 }), async (calls) => {
      await using bike = await bikes()
      const { store } = bike
      const first = bike.picture()
      const start = tip(store)
      for (const [kind, a, b] of calls) await tolerant(() => perform(bike, kind, a, b))
      const last = bike.picture()
      const count = tip(store) - start
      for (let i = 0; i < count; i++) await store.undo()
      assert.is(bike.picture(), first)
      for (let i = 0; i < count; i++) await store.undo(start + 2 * count - i)
      assert.is(bike.picture(), last)
    }),
    { numRuns: 10 },
  )
})

async function perform(bike: Bikes, kind: string, a: number, b: number): Promise<unknown> {
  const { store } = bike
  const name = ['bike', 'car'][a % 2] ?? ''
  const ref = `${name}:v${b}`
  switch (kind) {
    case 'commit':
      return bike.commit(name, `${b}`)
    case 'alias':
      return store.alias(ref, ['best', 'latest', 'x'].slice(a % 3), {
        mode: (['add', 'remove', 'set'] as const)[b % 3] ?? 'add',
      })
    case 'tag':
      return store.tag(ref, [`t${a}`])
    case 'edit':
      return store.edit(ref, { description: `d${a}`, metadata: { [`k${a}`]: b }, ttl: a + 1 })
    case 'rename':
      return store.rename(name, ['bike', 'car', 'bus'][b % 3] ?? '')
    case 'rm':
      return store.remove([a > 2 ? name : ref], { aliases: a > 0, allVersions: a > 2 })
    default:
      return store.restore([ref])
  }
}

/** What cannot be done is refused, and changes nothing. */
async function tolerant(run: () => Promise<unknown>): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (!(error instanceof ArtifactsError)) throw error
  }
}

test('undoes only what the same user did on the same machine, unless it is named', async () => {
  await using bike = await bikes()
  const { store } = bike
  const { id } = store.version('bike:v0')
  const opened = await openStore({ root: store.root, tool: 'artifacts/0.1.0' })
  const others = { ...opened, by: { user: 'somebody', host: 'elsewhere' } }
  const intent = { version: id, name: 'bike', aliases: ['theirs'], mode: 'add' as const }
  await commitOperation(others, { packs: [], plan: (state) => planAliases(state, intent) })
  opened.close()
  const theirs = tip(store)
  assert.is(store.operation(theirs).user, 'somebody')
  assert.is((await store.undo()).summary, 'commit bike:v2')
  assert.is(store.version('bike:theirs').version, 'v0')
  assert.is((await store.undo(theirs)).undone, theirs)
})

test.run()
