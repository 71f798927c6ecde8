import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { versionId } from '../../../src/store/log/version-object.ts'
import type { MergeInput } from '../../../src/sync/merge/input.ts'
import { merge } from '../../../src/sync/merge/merge.ts'
import type { ArtifactState, VersionState } from '../../../src/sync/merge/state.ts'
import type { ObjectId } from '../../../src/types.ts'
import { aliased, committed, deleted, empty, fold, labelled, someObject } from './stores.ts'

const test = suite('merge')

test('what the remote has added is added, with its numbers and labels', () => {
  const base = committed(empty(), someObject())
  const object = someObject()
  const labels = { description: 'red', metadata: { a: 1 }, tags: ['x'], ttl: 60 }
  const theirs = labelled(committed(base, object), versionId(object), labels)
  const ours = pulled({ base, ours: base, theirs })
  assert.equal(plain(ours), plain(theirs))
  assert.equal(plain(pulled({ base: undefined, ours: undefined, theirs })), plain(theirs))
})

test('the primary’s numbers stand; what it lacks moves behind them in order of creation', () => {
  const base = committed(empty(), someObject(0))
  const [late, early, their] = [someObject(30), someObject(20), someObject(25)]
  const ours = committed(committed(base, late), early)
  const theirs = committed(base, their)
  const merged = pulled({ base, ours, theirs })
  assert.equal(numbersOf(merged, [their, early, late]), [1, 2, 3])
  assert.is(merged.aliases.get('latest'), versionId(late))
  // Again: nothing moves.
  assert.equal(merge(pullOf({ base: theirs, ours: merged, theirs })).changes, [])
})

test('numbers that are behind those of the primary stay, with their gaps', () => {
  const base = committed(empty(), someObject())
  const [a, b] = [someObject(9), someObject(5)]
  const ours = committed({ ...committed({ ...base, next: 5 }, a), next: 8 }, b)
  const theirs = committed(base, someObject(1))
  assert.equal(numbersOf(pulled({ base, ours, theirs }), [a, b]), [5, 8])
})

test('from another remote a version keeps its number where it is free, and nothing here moves', () => {
  const [mine, other, third] = [someObject(), someObject(), someObject()]
  const ours = committed(empty(), mine)
  const theirs = committed({ ...committed(empty(), other), next: 4 }, third)
  const input = { base: undefined, ours, theirs, areTheyPrimary: false }
  const merged = pulled(input)
  assert.equal(numbersOf(merged, [mine, other, third]), [0, 1, 4])
})

test('numbers that two remotes gave crosswise are brought to the primary’s', () => {
  const objects = [someObject(), someObject(), someObject()]
  const ours = objects.reduce(committed, empty())
  const theirs = [objects[2], objects[0], objects[1]].reduce(
    (state, object) => committed(state, object ?? someObject()),
    empty(),
  )
  const merged = pulled({ base: undefined, ours, theirs })
  assert.equal(numbersOf(merged, objects), [1, 2, 0])
})

test('aliases, descriptions and keys of metadata that one side changed are that side’s', () => {
  const object = someObject()
  const id = versionId(object)
  const base = labelled(committed(empty(), object), id, { metadata: { a: 1, b: 1, c: 1 } })
  const ours = aliased(labelled(base, id, { metadata: { a: 2, b: 1, c: 1, d: 4 } }), 'mine', id)
  const theirs = aliased(
    labelled(base, id, { metadata: { a: 1, b: 3 }, description: 'red' }),
    'best',
    id,
  )
  const { changes, remarks } = merge(pullOf({ base, ours, theirs }))
  const merged = fold(ours, changes)
  assert.equal(merged.versions.get(id)?.metadata, { a: 2, b: 3, d: 4 })
  assert.is(merged.versions.get(id)?.description, 'red')
  assert.equal([...merged.aliases.keys()].sort(), ['best', 'latest', 'mine'])
  assert.equal(remarks, [])
})

test('what both changed is as the remote has it, and the other value is told', () => {
  const [a, b] = [someObject(), someObject()]
  const [one, two] = [versionId(a), versionId(b)]
  const base = committed(committed(empty(), a), b)
  const ours = aliased(labelled(base, one, { description: 'mine', ttl: 5 }), 'best', one)
  const theirs = aliased(labelled(base, one, { description: 'theirs', ttl: 5 }), 'best', two)
  const pull = merge(pullOf({ base, ours, theirs }))
  assert.is(fold(ours, pull.changes).aliases.get('best'), two)
  assert.equal(pull.remarks, [
    { kind: 'conflict', field: 'description', version: one, kept: 'theirs', dropped: 'mine' },
    { kind: 'conflict', field: 'alias best', kept: two, dropped: one },
  ])
  // The same remote, seen from its own side.
  const push = merge({ base, ours: theirs, theirs: ours, wins: 'ours', areTheyPrimary: false })
  assert.equal(push.changes, [])
  assert.equal(push.remarks, pull.remarks)
})

test('tags that either side added are there, and those that either removed are not', () => {
  const object = someObject()
  const id = versionId(object)
  const base = labelled(committed(empty(), object), id, { tags: ['a', 'b', 'c'] })
  const ours = labelled(base, id, { tags: ['b', 'c', 'mine'] })
  const theirs = labelled(base, id, { tags: ['theirs', 'b', 'a'] })
  const merged = pulled({ base, ours, theirs })
  assert.equal(merged.versions.get(id)?.tags, ['b', 'mine', 'theirs'])
})

test('a version that one side deleted goes, and one that the other side needs stays', () => {
  const [a, b] = [someObject(), someObject()]
  const [one] = [versionId(a)]
  const base = committed(committed(empty(), a), b)
  const gone = deleted(base, one)
  assert.ok(pulled({ base, ours: base, theirs: gone }).versions.get(one)?.isDeleted)
  const child = someObject(99, [one])
  const needs: [ArtifactState, string][] = [
    [aliased(base, 'best', one), 'alias:best'],
    [labelled(base, one, { users: ['run:x'] }), 'run:x'],
    [committed(base, child), `version:${versionId(child)}`],
  ]
  for (const [needing, user] of needs) {
    for (const [ours, theirs] of [
      [needing, gone],
      [gone, needing],
    ] as const) {
      const { changes, remarks } = merge(pullOf({ base, ours, theirs }))
      assert.is(fold(ours, changes).versions.get(one)?.isDeleted, false)
      assert.equal(remarks, [{ kind: 'kept', version: one, users: [user] }])
    }
  }
})

test('what was restored on one side is live on both', () => {
  const object = someObject()
  const id = versionId(object)
  const live = committed(empty(), object)
  const base = deleted(live, id)
  assert.is(pulled({ base, ours: base, theirs: live }).versions.get(id)?.isDeleted, false)
  assert.is(pulled({ base, ours: live, theirs: base }).versions.get(id)?.isDeleted, false)
})

test('latest is the highest live version after either side has grown, else an alias like others', () => {
  const [a, b, c] = [someObject(), someObject(), someObject()]
  const base = committed(committed(empty(), a), b)
  const moved = aliased(base, 'latest', versionId(a))
  assert.is(pulled({ base, ours: base, theirs: moved }).aliases.get('latest'), versionId(a))
  const grown = committed(base, c)
  assert.is(pulled({ base, ours: grown, theirs: moved }).aliases.get('latest'), versionId(c))
  const shrunk = deleted(base, versionId(b))
  const both = pulled({ base, ours: shrunk, theirs: deleted(moved, versionId(a)) })
  assert.not(both.aliases.has('latest'))
})

test('random histories of three stores, a primary and another remote come together, and lose nothing', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
      const world = new World()
      for (const { kind, who, pick, value } of steps) world.act(kind, who, pick, value)
      world.settle()
      for (const local of world.locals) assert.equal(plain(local), plain(world.remotes[0]))
      for (const [id, who] of world.added) {
        // What was deleted before it was ever pushed stays where it is.
        const isThere = world.remotes[0].versions.has(id)
        assert.ok(isThere || world.locals[who]?.versions.get(id)?.isDeleted)
      }
    }),
    { numRuns: 200 },
  )
})

test.run()

function pullOf(
  input: Pick<MergeInput, 'base' | 'ours' | 'theirs'> & Partial<MergeInput>,
): MergeInput {
  return { wins: 'theirs', areTheyPrimary: true, ...input }
}

/** Our state after a pull. */
function pulled(input: Parameters<typeof pullOf>[0]): ArtifactState {
  const { changes } = merge(pullOf(input))
  return fold(input.ours ?? empty(), changes)
}

function numbersOf(state: ArtifactState, objects: Parameters<typeof versionId>[0][]): unknown[] {
  return objects.map((object) => state.versions.get(versionId(object))?.number)
}

/** Without what a merge does not carry, and without what was deleted before the other side saw it. */
function plain({ versions, aliases, description, type }: ArtifactState): unknown {
  return {
    type,
    description,
    aliases: Object.fromEntries([...aliases].sort()),
    versions: Object.fromEntries(
      [...versions]
        .filter(([, { isDeleted }]) => !isDeleted)
        .map(([id, { users: _, object: __, tags, ...rest }]) => [
          id,
          { ...rest, tags: [...tags].sort() },
        ])
        .sort(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
    ),
  }
}

const KINDS = [
  ...['commit', 'commit', 'delete', 'alias', 'unalias', 'describe', 'tag', 'use'],
  ...['push', 'pull', 'push elsewhere', 'pull elsewhere'],
] as const
const PRIMARY = 0
const ELSEWHERE = 1

const step = fc.record({
  kind: fc.constantFrom(...KINDS),
  who: fc.nat(2),
  pick: fc.nat(50),
  value: fc.nat(3),
})

/** A primary remote, another one, and three stores that work without each other. */
class World {
  readonly remotes: [ArtifactState, ArtifactState] = [empty(), empty()]
  readonly locals = [empty(), empty(), empty()]
  /** The remotes as each store saw them last. */
  readonly bases = new Map<string, ArtifactState>()
  /** Who made each version. */
  readonly added = new Map<ObjectId, number>()
  /** A number of the primary never changes its meaning. */
  readonly meanings = new Map<number, ObjectId>()
  #minute = 0

  act(kind: string, who: number, pick: number, value: number): void {
    const local = this.locals[who] ?? empty()
    const live = [...local.versions].filter(([, { isDeleted }]) => !isDeleted)
    const [id] = live[pick % Math.max(1, live.length)] ?? []
    const [verb, where] = kind.split(' ')
    if (verb === 'pull' || verb === 'push') {
      this.#sync(verb, who, where === undefined ? PRIMARY : ELSEWHERE)
    } else if (kind === 'commit') {
      const object = someObject(this.#minute++, id !== undefined && value === 0 ? [id] : [])
      this.added.set(versionId(object), who)
      this.locals[who] = committed(local, object)
    } else if (id !== undefined) {
      this.locals[who] = changed(local, kind, id, pick, value)
    }
  }

  /** All push, once more for what the others have brought back, and then learn what those after them have pushed. */
  settle(): void {
    for (const who of [0, 1, 2, 0, 1, 2]) this.#sync('push', who, PRIMARY)
    for (const who of this.locals.keys()) this.#sync('pull', who, PRIMARY)
  }

  #sync(verb: 'push' | 'pull', who: number, where: typeof PRIMARY | typeof ELSEWHERE): void {
    const local = this.locals[who] ?? empty()
    const remote = this.remotes[where]
    const key = `${who} ${where}`
    const input = { base: this.bases.get(key), ours: local, theirs: remote }
    const { changes } = merge(pullOf({ ...input, areTheyPrimary: where === PRIMARY }))
    const after = withUsers(fold(local, changes), remote)
    this.locals[who] = after
    this.bases.set(key, remote)
    assert.equal(merge(pullOf({ base: remote, ours: after, theirs: remote })).remarks, [])
    if (verb === 'pull') return
    const push = { base: remote, ours: remote, theirs: after, wins: 'ours' } as const
    const pushed = fold(remote, merge({ ...push, areTheyPrimary: false }).changes)
    this.remotes[where] = withUsers(pushed, after)
    this.bases.set(key, this.remotes[where])
    if (where === PRIMARY) this.#checkNumbers(after)
  }

  #checkNumbers(local: ArtifactState): void {
    for (const [id, { number }] of this.remotes[PRIMARY].versions) {
      assert.is(this.meanings.get(number) ?? id, id)
      this.meanings.set(number, id)
      // The store that has pushed calls everything as the primary does.
      assert.is(local.versions.get(id)?.number ?? number, number)
    }
  }
}

/** Runs come along with what they use. */
function withUsers(state: ArtifactState, other: ArtifactState): ArtifactState {
  const versions = [...state.versions].map(([id, version]): [ObjectId, VersionState] => {
    const users = new Set([...version.users, ...(other.versions.get(id)?.users ?? [])])
    return [id, { ...version, users: [...users] }]
  })
  return { ...state, versions: new Map(versions) }
}

function changed(
  state: ArtifactState,
  kind: string,
  id: ObjectId,
  pick: number,
  value: number,
): ArtifactState {
  const version = state.versions.get(id)
  const alias = `a${value}`
  if (kind === 'alias') return aliased(state, alias, id)
  if (kind === 'unalias') {
    const old = state.aliases.get(alias)
    if (old === undefined) return state
    return fold(state, [{ kind: 'alias.remove', artifact: state.id, alias, old }])
  }
  if (kind === 'describe') {
    return labelled(state, id, { description: `d${value}`, metadata: { [`k${pick % 2}`]: value } })
  }
  if (kind === 'use')
    return labelled(state, id, { users: [...(version?.users ?? []), `run:${pick}`] })
  if (kind === 'tag') {
    const tags = new Set(version?.tags)
    if (!tags.delete(`t${value}`)) tags.add(`t${value}`)
    return labelled(state, id, { tags: [...tags] })
  }
  const named = [...state.aliases].filter(([, each]) => each === id)
  return named.every(([name]) => name === 'latest') ? deleted(state, id) : state
}
