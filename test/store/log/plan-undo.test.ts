import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Change } from '../../../src/store/log/change.ts'
import { type Slot, slotKey, touches } from '../../../src/store/log/effects.ts'
import { planAliases } from '../../../src/store/log/plan-aliases.ts'
import { planArtifactEdit, planEdit } from '../../../src/store/log/plan-edit.ts'
import { planRemove, planRestore } from '../../../src/store/log/plan-remove.ts'
import { planRename } from '../../../src/store/log/plan-rename.ts'
import { planUndo, type UndoOutcome } from '../../../src/store/log/plan-undo.ts'
import { memoryState } from '../index/memory-state.ts'
import { BIKE, type Bikes, bike, bikeId, numbersOf } from './bikes.ts'
import { sampleArtifact, sampleId, sampleObject, sampleVersion } from './samples.ts'

const test = suite('plan of undoing')

interface Logged extends Bikes {
  /** The changes of operation n. */
  readonly log: (readonly Change[])[]
  undo(n: number): UndoOutcome
  /** The number of the newest operation. */
  tip(): number
}

/** Three commits, and all that comes after, with the log of it. */
function logged(): Logged {
  const log: (readonly Change[])[] = [[]]
  const memory = memoryState()
  const apply = (...changes: readonly Change[]): void => {
    memory.apply(...changes)
    log.push(changes)
  }
  const made: Logged = {
    ...memory,
    log,
    apply,
    tip: () => log.length - 1,
    commit(name, object, intent) {
      const before = memory.state.operationsBefore(1e9, 1)[0]?.n
      const plan = memory.commit(name, object, intent)
      if (memory.state.operationsBefore(1e9, 1)[0]?.n !== before) log.push(plan.changes)
      return plan
    },
    write(plan) {
      const planned = plan(memory.state)
      if (planned.changes.length > 0) apply(...planned.changes)
      return planned
    },
    undo: (n) =>
      made.write((state) => planUndo(state, { operation: n, undone: log[n] ?? [] })).outcome,
  }
  made.commit('bike', sampleObject(0))
  made.commit('bike', sampleObject(1), { aliases: ['best'], tags: ['a'] })
  made.commit('bike', sampleObject(2))
  return made
}

function remove({ write }: Bikes, ...numbers: readonly number[]): void {
  write((now) => planRemove(now, { versions: numbers.map(bike), aliases: true }))
}

function alias({ write }: Bikes, number: number, ...aliases: readonly string[]): void {
  write((now) => planAliases(now, { ...bike(number), mode: 'add', aliases }))
}

test('undoing a commit deletes its version and moves its aliases back', () => {
  const made = logged()
  made.undo(3)
  assert.equal(made.log[4], [
    { kind: 'undo', operation: 3 },
    { kind: 'alias.set', artifact: BIKE, alias: 'latest', version: bikeId(1), old: bikeId(2) },
    { kind: 'version.delete', artifact: BIKE, version: bikeId(2) },
  ])
  made.undo(2)
  assert.equal(made.state.aliases(BIKE), [{ alias: 'latest', version: bikeId(0) }])
  made.undo(1)
  assert.equal(made.state.versions(BIKE), [])
  assert.is(made.state.artifactById(BIKE)?.name, 'bike')
})

test('undoing an undo does it again', () => {
  const made = logged()
  made.undo(3)
  assert.is(made.undo(4).kind, 'undone')
  assert.equal(numbersOf(made.state.versions(BIKE)), [0, 1, 2])
  assert.is(made.state.alias(BIKE, 'latest'), bikeId(2))
  assert.is(made.undo(3).kind, 'undone')
  assert.equal(numbersOf(made.state.versions(BIKE)), [0, 1])
})

test('undoes labels, names, deletions and restorations', () => {
  const made = logged()
  const { state, write } = made
  write((now) =>
    planEdit(now, { ...bike(1), description: 'x', ttl: 5, metadata: { merge: { k: 1 } } }),
  )
  write((now) => planArtifactEdit(now, { artifact: BIKE, type: 'model', description: 'd' }))
  write((now) => planRename(now, { artifact: BIKE, name: 'bicycle' }))
  remove(made, 1, 2)
  write((now) => planRestore(now, [bike(2)]))
  for (let n = made.tip(); n > 3; n--) assert.is(made.undo(n).kind, 'undone', `operation ${n}`)
  const row = state.versionById(bikeId(1))
  assert.equal([row?.description, row?.ttl, row?.metadata], [undefined, undefined, undefined])
  const { name, type, description } = state.artifactById(BIKE) ?? {}
  assert.equal([name, type, description], ['bike', 'dataset', undefined])
  assert.equal(numbersOf(state.versions(BIKE)), [0, 1, 2])
  assert.equal(state.aliases(BIKE), [
    { alias: 'best', version: bikeId(1) },
    { alias: 'latest', version: bikeId(2) },
  ])
})

test('undoes what does not touch later operations, whenever it was', () => {
  const made = logged()
  alias(made, 0, 'first')
  const n = made.tip()
  made.commit('bike', sampleObject(5))
  remove(made, 1)
  assert.is(made.undo(n).kind, 'undone')
  assert.is(made.state.alias(BIKE, 'first'), undefined)
})

test('refuses where a value is no longer what the operation set, and names the value', () => {
  const cases: readonly [string, (made: Logged) => number, string][] = [
    ['latest has moved on', () => 2, slotKey({ kind: 'alias', artifact: BIKE, alias: 'latest' })],
    [
      'an alias holds the version',
      (made) => {
        alias(made, 2, 'mine')
        return 3
      },
      slotKey({ kind: 'alias', artifact: BIKE, alias: 'mine' }),
    ],
    [
      'the alias was moved',
      (made) => {
        alias(made, 0, 'mine')
        alias(made, 1, 'mine')
        return 4
      },
      slotKey({ kind: 'alias', artifact: BIKE, alias: 'mine' }),
    ],
    [
      'the version it was on is deleted',
      (made) => {
        alias(made, 0, 'mine')
        alias(made, 1, 'mine')
        remove(made, 0)
        return 5
      },
      slotKey({ kind: 'life', artifact: BIKE, version: bikeId(0) }),
    ],
    [
      'the version is restored',
      (made) => {
        remove(made, 0)
        made.write((now) => planRestore(now, [bike(0)]))
        return 4
      },
      slotKey({ kind: 'life', artifact: BIKE, version: bikeId(0) }),
    ],
    [
      'the metadata was changed',
      (made) => {
        for (const k of [1, 2])
          made.write((now) => planEdit(now, { ...bike(0), metadata: { merge: { k } } }))
        return 4
      },
      slotKey({ kind: 'version', artifact: BIKE, version: bikeId(0), field: 'metadata' }),
    ],
    [
      'the version that was edited is deleted',
      (made) => {
        made.write((now) => planEdit(now, { ...bike(0), ttl: 9 }))
        remove(made, 0)
        return 4
      },
      slotKey({ kind: 'life', artifact: BIKE, version: bikeId(0) }),
    ],
    [
      'the name was changed',
      (made) => {
        for (const name of ['x', 'y'])
          made.write((now) => planRename(now, { artifact: BIKE, name }))
        return 4
      },
      slotKey({ kind: 'artifact', artifact: BIKE, field: 'name' }),
    ],
    [
      'the old name is taken',
      (made) => {
        made.write((now) => planRename(now, { artifact: BIKE, name: 'x' }))
        made.commit('bike', sampleObject('other'), { newArtifact: sampleArtifact('other') })
        return 4
      },
      slotKey({ kind: 'name', project: 'default', name: 'bike' }),
    ],
  ]
  for (const [what, prepare, slot] of cases) {
    const made = logged()
    const n = prepare(made)
    const before = made.tip()
    const outcome = made.undo(n)
    if (outcome.kind !== 'conflict') throw new Error(`${what}: ${outcome.kind}`)
    assert.is(slotKey(outcome.slot), slot, what)
    assert.is(made.tip(), before, what)
    const later = made.log.slice(n + 1).some((changes) => writesTo(changes, outcome.slot))
    assert.ok(later, `${what}: a later operation wrote to it`)
  }
})

test('takes a value that came back for the one that was set', () => {
  const made = logged()
  alias(made, 0, 'mine')
  alias(made, 1, 'mine')
  alias(made, 0, 'mine')
  assert.is(made.undo(4).kind, 'undone')
})

test('gives a name back that only an artifact without live versions has', () => {
  const made = logged()
  made.write((now) => planRename(now, { artifact: BIKE, name: 'bicycle' }))
  const other = sampleArtifact('other')
  made.commit('bike', sampleObject('other'), { newArtifact: other })
  assert.is(made.undo(5).kind, 'undone')
  const outcome = made.undo(4)
  assert.equal(outcome.kind === 'undone' && outcome.changes, [
    { kind: 'artifact.rename', artifact: other, name: 'bike-deleted', old: 'bike' },
    { kind: 'artifact.rename', artifact: BIKE, name: 'bike', old: 'bicycle' },
  ])
  assert.is(made.undo(7).kind, 'undone')
  assert.is(made.undo(6).kind, 'undone')
  assert.is(made.state.artifactByName('default', 'bike')?.id, other)
  assert.equal(numbersOf(made.state.versions(other)), [0])
})

test('refuses what is undone already', () => {
  const made = logged()
  made.undo(3)
  assert.equal(made.undo(3), { kind: 'already', by: 4 })
})

test('leaves drops and purges alone, and refuses an operation of nothing else', () => {
  const made = logged()
  const drop: Change = { kind: 'packs.drop', packs: [{ id: sampleId('p') }] }
  remove(made, 0)
  made.apply({ kind: 'version.purge', artifact: BIKE, version: bikeId(0) }, drop)
  assert.equal(made.undo(5), { kind: 'final' })
  const outcome = made.undo(4)
  assert.equal(outcome, {
    kind: 'purged',
    slot: { kind: 'life', artifact: BIKE, version: bikeId(0) },
  })
  const other: Change = { kind: 'packs.drop', packs: [{ id: sampleId('q') }] }
  const set: Change = {
    kind: 'alias.set',
    artifact: BIKE,
    alias: 'x',
    version: bikeId(2),
    old: null,
  }
  made.apply(other, set)
  const undone = made.undo(6)
  assert.equal(undone.kind === 'undone' && undone.changes.map(({ kind }) => kind), ['alias.remove'])
})

test('knows which changes write to a slot', () => {
  const made = logged()
  const slot: Slot = { kind: 'name', project: 'default', name: 'bike' }
  assert.equal(
    made.log.map((changes) => changes.some((change) => touches(change, slot))),
    [false, true, false, false],
  )
  const rename: Change = { kind: 'artifact.rename', artifact: BIKE, name: 'bike', old: 'x' }
  assert.ok(touches(rename, slot))
  assert.not.ok(touches({ ...rename, name: 'y' }, slot))
})

function writesTo(changes: readonly Change[], slot: Slot): boolean {
  return changes.some((change) => touches(change, slot))
}

test('brings a link back only under the number that it still has', () => {
  const portfolio = sampleArtifact('shelf')
  const made = logged()
  const { apply, undo, tip, state } = made
  const [first, second] = [bikeId(0), bikeId(1)]
  const link = { portfolio, number: 0, version: first } as const
  const create = {
    kind: 'artifact.create',
    artifact: portfolio,
    project: 'p',
    name: 'shelf',
  } as const
  apply({ ...create, type: 'dataset', portfolio: true }, { kind: 'link.add', ...link })
  apply({ kind: 'link.remove', ...link })
  const removal = tip()
  // A pull: elsewhere another version has the number.
  const move = { kind: 'version.renumber', artifact: portfolio, version: first } as const
  apply({ ...move, old: 0, number: 1 }, { kind: 'link.add', ...link, version: second })
  assert.equal(undo(removal), {
    kind: 'conflict',
    slot: { kind: 'link', portfolio, version: first },
  })
  apply({ kind: 'link.remove', ...link, version: second })
  assert.is(undo(tip()).kind, 'undone')
  assert.is(state.linkedAt(portfolio, 0), second)
})

test('`latest` goes to the newest version where a pull has brought or deleted some since', () => {
  for (const isDeleted of [false, true]) {
    const made = logged()
    const { apply, undo, tip, state, log } = made
    const [before, own] = [bikeId(1), bikeId(2)]
    const commit = tip()
    const their = sampleVersion(BIKE, 2, sampleObject('theirs'))
    const move = { kind: 'version.renumber', artifact: BIKE, version: own } as const
    apply(
      { kind: 'pull', store: '0'.repeat(32), n: 1 },
      { ...move, old: 2, number: 3 },
      their,
      ...(isDeleted
        ? ([
            { kind: 'alias.remove', artifact: BIKE, alias: 'best', old: before },
            { kind: 'version.delete', artifact: BIKE, version: before },
          ] as const)
        : []),
    )
    assert.is(undo(commit).kind, 'undone')
    assert.is(state.alias(BIKE, 'latest'), their.version)
    assert.is.not(state.versionById(own)?.deleted, undefined)
    assert.is(undo(tip()).kind, 'undone')
    assert.is(state.alias(BIKE, 'latest'), own)
    assert.is(log.length - 1, tip())
  }
})

test.run()
