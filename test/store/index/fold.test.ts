import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RuleError } from '../../../src/store/index/rules.ts'
import type { Change, VersionAdd, VersionLabels } from '../../../src/store/log/change.ts'
import { decodeOperation } from '../../../src/store/log/operation.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import type { ObjectId } from '../../../src/types.ts'
import { sampleArtifact, sampleId, sampleObject, sampleVersion } from '../log/samples.ts'
import { type MemoryState, memoryState } from './memory-state.ts'

const test = suite('fold')

const BIKE = sampleArtifact('bike')
const OBJECT = sampleObject(1)
const OTHER = sampleObject(2)
const GOLDEN = new URL('../../../../test/golden/', import.meta.url)
const create: Change = {
  kind: 'artifact.create',
  artifact: BIKE,
  project: 'p',
  name: 'bike',
  type: 'model',
}
const add = sampleVersion(BIKE, 0, OBJECT)
const latest: Change = {
  kind: 'alias.set',
  artifact: BIKE,
  alias: 'latest',
  version: add.version,
  old: null,
}
const second = sampleVersion(BIKE, 1, OTHER)
const v0 = { artifact: BIKE, version: add.version }
const v1 = { artifact: BIKE, version: second.version }
const deleteV1: Change = { kind: 'version.delete', ...v1 }
const purgeV1: Change = { kind: 'version.purge', ...v1 }
const dropPack: Change = { kind: 'packs.drop', packs: [{ id: sampleId('pack') }] }

const TOP = sampleArtifact('top')
const portfolio: Change = { ...create, artifact: TOP, name: 'top', portfolio: true }
const link = { kind: 'link.add', portfolio: TOP, number: 0, version: add.version } as const
const run: Change = {
  kind: 'run.start',
  run: 'r',
  project: 'p',
  startedAt: '2026-11-20T10:00:00.000Z',
  by: { user: 'ann', host: 'laptop' },
}
const use: Change = { kind: 'run.uses', run: 'r', slot: 's', version: add.version }
const finish: Change = {
  kind: 'run.finish',
  run: 'r',
  state: 'failed',
  endedAt: '2026-11-20T10:00:01.000Z',
}

test('applies changes in order, within an operation too', () => {
  const { state, apply } = memoryState()
  apply(create, { ...add, tags: ['b', 'a'], description: 'x', metadata: { k: [1] } }, latest)
  assert.equal(state.artifactByName('p', 'bike'), {
    id: BIKE,
    project: 'p',
    name: 'bike',
    type: 'model',
  })
  assert.equal(state.versionById(versionId(OBJECT)), {
    id: versionId(OBJECT),
    artifact: BIKE,
    number: 0,
    object: OBJECT,
    description: 'x',
    metadata: { k: [1] },
    operation: 1,
    tags: 2,
    updated: 1,
  })
  assert.is(state.alias(BIKE, 'latest'), add.version)
  assert.equal(state.tagsOf(add.version), ['a', 'b'])
})

test('refuses an operation that breaks a rule, and names it', () => {
  const otherArtifact: Change = { ...create, artifact: sampleArtifact('car'), name: 'car' }
  const rules: readonly [string, RegExp, readonly Change[]][] = [
    [
      'a name twice in a project',
      /"p\/bike" is taken/,
      [{ ...create, artifact: sampleArtifact('x') }],
    ],
    ['an artifact id twice', /exists/, [{ ...create, name: 'other' }]],
    ['a number twice', /v0 .* is taken/, [sampleVersion(BIKE, 0, sampleObject(2))]],
    ['a version twice', /exists/, [sampleVersion(BIKE, 1, OBJECT)]],
    [
      'a version in two artifacts',
      /exists/,
      [otherArtifact, { ...add, artifact: sampleArtifact('car') }],
    ],
    ['a version of a portfolio', /is a portfolio/, [portfolio, { ...second, artifact: TOP }]],
    ['a link in an artifact', /is not a portfolio/, [{ ...link, portfolio: BIKE }]],
    ['a link to nothing', /there is no version/, [portfolio, { ...link, version: v1.version }]],
    [
      'a link to a deleted version',
      /linked, and deleted/,
      [portfolio, second, deleteV1, { ...link, version: v1.version }],
    ],
    ['a second link', /linked into .* already/, [portfolio, link, { ...link, number: 1 }]],
    [
      'the number of a link twice',
      /v0 of portfolio .* is taken/,
      [portfolio, link, second, { ...link, version: v1.version }],
    ],
    [
      'the removal of another link',
      /is not version/,
      [portfolio, link, { ...link, kind: 'link.remove', number: 1 }],
    ],
    [
      'the removal of a link with an alias',
      /"prod" names it/,
      [
        portfolio,
        link,
        { ...latest, artifact: TOP, alias: 'prod' },
        { ...link, kind: 'link.remove' },
      ],
    ],
    [
      'the deletion of a linked version',
      /a link names it/,
      [portfolio, second, { ...link, version: v1.version }, deleteV1],
    ],
    [
      'an alias of a portfolio for what is not in it',
      /not linked/,
      [portfolio, { ...latest, artifact: TOP }],
    ],
    ['a run twice', /run "r" exists/, [run, run]],
    ['the use of a version by no run', /no run "r"/, [use]],
    ['an end without a beginning', /no run "r"/, [finish]],
    ['two ends', /has ended already/, [run, finish, finish]],
    [
      'other labels of a run',
      /the job of run "r" was another one/,
      [run, { kind: 'run.update', run: 'r', set: { job: 'a' }, old: { job: 'b' } }],
    ],
    [
      'a version of no artifact',
      /no artifact/,
      [sampleVersion(sampleArtifact('x'), 0, sampleObject(2))],
    ],
    ['an alias of no artifact', /no artifact/, [{ ...latest, artifact: sampleArtifact('x') }]],
    ['an alias for no version', /no version/, [{ ...latest, version: sampleId('x') }]],
    [
      "an alias for another artifact's version",
      /no version/,
      [otherArtifact, { ...latest, artifact: sampleArtifact('car') }],
    ],
  ]
  for (const [what, message, changes] of rules) {
    const { apply } = memoryState()
    apply(create, add, latest)
    assert.throws(
      () => apply(...changes),
      (error: unknown) =>
        error instanceof RuleError && error.n === 2 && message.test(error.message),
      what,
    )
  }
})

test('refuses labels, deletions and undoing that do not fit what they meet', () => {
  const car = sampleArtifact('car')
  const edit = (set: VersionLabels, old: VersionLabels): Change => ({
    kind: 'version.edit',
    ...v1,
    set,
    old,
  })
  const rules: readonly [string, RegExp, readonly Change[]][] = [
    ['another old alias', /did not name/, [{ ...latest, version: second.version }]],
    ['removing no alias', /did not name/, [aliasRemove('best', add.version)]],
    ['removing an alias from elsewhere', /did not name/, [aliasRemove('latest', second.version)]],
    ['another old name', /name .* was not "car"/, [rename('bicycle', 'car')]],
    ['a name that is taken', /"p\/car" is taken/, [rename('car', 'bike')]],
    [
      'another old type',
      /type .* was not "dataset"/,
      [{ kind: 'artifact.edit', artifact: BIKE, set: { type: 't' }, old: { type: 'dataset' } }],
    ],
    [
      'another old description of an artifact',
      /description .* was not "x"/,
      [
        {
          kind: 'artifact.edit',
          artifact: BIKE,
          set: { description: null },
          old: { description: 'x' },
        },
      ],
    ],
    ['another old description', /description/, [edit({ description: 'a' }, { description: null })]],
    ['other old metadata', /metadata/, [edit({ metadata: null }, { metadata: { k: 2 } })]],
    ['another old ttl', /ttl/, [edit({ ttl: 1 }, { ttl: 2 })]],
    ['other old tags', /tags/, [edit({ tags: null }, { tags: ['a'] })]],
    [
      "another artifact's version",
      /no version/,
      [{ kind: 'version.delete', ...v1, artifact: car }],
    ],
    ['deleting what an alias names', /while "latest"/, [{ kind: 'version.delete', ...v0 }]],
    ['deleting twice', /is deleted/, [deleteV1, deleteV1]],
    ['editing what is deleted', /is deleted/, [deleteV1, edit({ ttl: 1 }, { ttl: null })]],
    [
      'an alias for what is deleted',
      /is deleted/,
      [deleteV1, { ...latest, version: second.version, old: add.version }],
    ],
    ['restoring what is live', /not deleted/, [{ kind: 'version.restore', ...v1 }]],
    ['purging what is live', /not deleted/, [{ kind: 'version.purge', ...v1 }]],
    [
      'restoring what is purged',
      /is purged/,
      [deleteV1, purgeV1, { kind: 'version.restore', ...v1 }],
    ],
    ['purging twice', /is purged/, [deleteV1, purgeV1, purgeV1]],
    ['dropping twice', /dropped already/, [dropPack, dropPack]],
    ['undoing nothing', /no operation 7/, [{ kind: 'undo', operation: 7 }]],
    ['undoing itself', /no operation 2/, [{ kind: 'undo', operation: 2 }]],
    [
      'undoing twice',
      /undone already/,
      [
        { kind: 'undo', operation: 1 },
        { kind: 'undo', operation: 1 },
      ],
    ],
  ]
  for (const [what, message, changes] of rules) {
    const { apply } = memoryState()
    apply(create, { ...create, artifact: car, name: 'car' }, add, latest, {
      ...second,
      description: 'x',
      metadata: { k: 1 },
      tags: ['a', 'b'],
    })
    assert.throws(
      () => apply(...changes),
      (error: unknown) =>
        error instanceof RuleError && error.n === 2 && message.test(error.message),
      what,
    )
  }
})

test('changes labels, and takes them away', () => {
  const { state, apply } = memoryState()
  apply(create, { ...add, tags: ['a'], metadata: { k: 1 } })
  const set = { description: 'x', metadata: { l: [2] }, tags: ['b', 'c'], ttl: 60 }
  const none = { description: null, metadata: null, tags: null, ttl: null }
  apply({ kind: 'version.edit', ...v0, set, old: { ...none, tags: ['a'], metadata: { k: 1 } } })
  const row = state.versionById(add.version)
  assert.equal([row?.description, row?.metadata, row?.ttl], ['x', { l: [2] }, 60])
  assert.equal(state.tagsOf(add.version), ['b', 'c'])
  apply({ kind: 'version.edit', ...v0, set: none, old: set })
  const bare = state.versionById(add.version)
  assert.equal([bare?.description, bare?.metadata, bare?.ttl], [undefined, undefined, undefined])
  assert.equal(state.tagsOf(add.version), [])
  apply({ kind: 'version.edit', ...v0, set: { ttl: 'never' }, old: { ttl: null } })
  assert.is(state.versionById(add.version)?.ttl, 'never')

  const old = { type: 'model', description: null }
  apply({ kind: 'artifact.edit', artifact: BIKE, set: { type: 't', description: 'all' }, old })
  apply(rename('bicycle', 'bike'))
  assert.is(state.artifactByName('p', 'bike'), undefined)
  assert.equal(state.artifactByName('p', 'bicycle'), {
    id: BIKE,
    project: 'p',
    name: 'bicycle',
    type: 't',
    description: 'all',
  })
})

test('hides a deleted version, keeps its number and its labels, and shows it again when restored', () => {
  const { state, apply } = memoryState()
  apply(create, add, { ...second, tags: ['a'], description: 'x' })
  apply(deleteV1)
  assert.equal(numbers(state.versions(BIKE)), [0])
  assert.equal(numbers(state.everyVersion(BIKE)), [0, 1])
  assert.is(state.highestLive(BIKE)?.number, 0)
  assert.is(state.lowestLive(BIKE)?.number, 0)
  assert.is(state.countLive(BIKE), 1)
  assert.equal(numbers(state.newestVersions(9)), [0])
  assert.is(state.nextNumber(BIKE), 2)
  assert.is(state.versionByRoot(BIKE, OTHER.root), undefined)
  assert.is(state.versionBefore(BIKE, 1, 0)?.number, 0)
  assert.is(state.versionById(second.version)?.deleted, 2)
  assert.is(state.versionByNumber(BIKE, 1)?.description, 'x')
  apply({ kind: 'version.restore', ...v1 })
  assert.is(state.highestLive(BIKE)?.number, 1)
  assert.equal(numbers(state.newestVersions(9)), [1, 0])
  assert.equal(numbers(state.newestVersions(1, BIKE)), [1])
  assert.is(state.versionById(second.version)?.deleted, undefined)
  assert.equal(state.tagsOf(second.version), ['a'])
  apply(deleteV1, purgeV1)
  assert.equal(
    [state.versionByNumber(BIKE, 1)?.deleted, state.versionByNumber(BIKE, 1)?.purged],
    [4, 4],
  )
})

test('notes each move of an alias', () => {
  const { state, apply } = memoryState()
  apply(create, add, second, latest)
  apply({ ...latest, version: second.version, old: add.version })
  apply(aliasRemove('latest', second.version))
  const moves = state.aliasMoves('latest')
  assert.equal(
    moves.map(({ old, version, operation }) => [old, version, operation]),
    [
      [null, add.version, 1],
      [add.version, second.version, 2],
      [second.version, null, 3],
    ],
  )
  assert.equal(state.aliasMoves('latest', BIKE), moves)
  assert.equal(state.aliasMoves('latest', sampleArtifact('car')), [])
})

test('knows what is undone, along a chain of undoing and doing again', () => {
  const { state, apply } = memoryState()
  const undo = (operation: number): void => apply({ kind: 'undo', operation })
  const undone = (): unknown[] => [1, 2, 3, 4].map((n) => state.operation(n)?.undone)
  apply(create)
  undo(1)
  assert.equal(undone(), [2, undefined, undefined, undefined])
  assert.is(state.operation(2)?.undoes, 1)
  assert.is(state.newestUndoable('ann', 'laptop'), undefined)
  undo(2)
  assert.equal(undone(), [undefined, 3, undefined, undefined])
  assert.is(state.newestUndoable('ann', 'laptop')?.n, 1)
  undo(3)
  assert.equal(undone(), [2, undefined, 4, undefined])
  undo(2)
  assert.equal(undone(), [undefined, 5, 4, undefined])
  assert.is(state.newestUndoable('bob', 'laptop'), undefined)
  assert.is(state.newestUndoable('ann', 'desktop'), undefined)
})

test('does not offer to undo what only drops bytes', () => {
  const { state, apply } = memoryState()
  apply(create, add, second)
  apply(deleteV1)
  apply(purgeV1, dropPack)
  assert.is(state.newestUndoable('ann', 'laptop')?.n, 2)
  assert.equal(
    state.operationsBefore(4, 2).map(({ n, final }) => [n, final]),
    [
      [3, true],
      [2, false],
    ],
  )
})

function foldGolden(directory: string, operations = 12): MemoryState {
  const memory = memoryState()
  const golden = new URL(`${directory}/`, GOLDEN)
  let prev = readFileSync(new URL('format.json', golden), 'utf8').split('\n')[1] ?? ''
  for (let n = 1; n <= operations; n++) {
    const name = `${String(n).padStart(12, '0')}.json`
    const entry = decodeOperation(readFileSync(new URL(name, golden)), { n, prev, path: name })
    if (entry.kind !== 'operation') throw new Error(entry.why)
    memory.apply(...entry.operation.changes)
    prev = entry.hash
  }
  return memory
}

test('folds the golden log of runs and portfolios', () => {
  const { state } = foldGolden('log-2')
  const run = state.run('k3v9w0q2m5xa')
  assert.equal(
    [run?.name, run?.job, run?.group, run?.tags, run?.config],
    ['Daten größer', 'prepare', 'g1', ['a b', 'c'], { lr: 0.001, layers: [1, 2] }],
  )
  assert.equal([run?.state, run?.exitCode, run?.source?.dirty], ['finished', 0, true])
  assert.equal(
    state.runs({ project: 'vision', state: 'failed' }, 9).map(({ id, exitCode }) => [id, exitCode]),
    [['train-2', 137]],
  )
  assert.equal(
    state
      .edgesOfRun('train-2')
      .map((edge) => [
        edge.direction,
        edge.slot,
        state.versionById(edge.version)?.number ?? edge.name,
        edge.deduplicated,
      ]),
    [
      ['input', 'bike', 0, false],
      ['input', 'base model', 'other/base:v7', false],
      ['output', 'bike', 0, true],
      ['output', 'bike', 1, false],
    ],
  )
  const [v0, v1] = state.everyVersion(state.artifactByName('vision', 'bike')?.id ?? BIKE)
  const portfolio = state.artifactByName('registry', 'champion')
  assert.is(portfolio?.portfolio, true)
  assert.equal(
    state.links(portfolio?.id ?? BIKE).map(({ number, version }) => [number, version]),
    [
      [0, v1?.id],
      [1, v0?.id],
    ],
  )
  assert.equal(state.aliasesOf(v1?.id ?? add.version, portfolio?.id), ['prod'])
  assert.equal(
    [v0, v1].map((row) => state.isUsed(row?.id ?? add.version)),
    [true, false],
  )
  assert.is(state.nextNumber(portfolio?.id ?? BIKE), 2)
})

test('counts an edge once, and the uses of a version before the store has it', () => {
  const { state, apply } = memoryState()
  apply(create, run, use, use)
  assert.is(state.edgesOfRun('r').length, 1)
  assert.not.ok(state.isUsed(add.version))
  apply(add)
  assert.ok(state.isUsed(add.version))
})

test('folds the golden log of drafts', () => {
  const { connection, state } = foldGolden('log-3', 8)
  assert.equal(state.openDrafts(), [])
  const [first, second] = connection
    .all<{ id: string }>('SELECT id FROM draft ORDER BY operation')
    .map(({ id }) => state.draft(id))
  assert.equal(
    [first?.key, first?.type, first?.base, first?.parts, first?.state],
    ['größe 7', 'result', undefined, 3, 'finished'],
  )
  assert.equal([second?.type, second?.base, second?.state], [undefined, first?.version, 'aborted'])
  assert.is(state.artifactByName('vision', 'sweep')?.type, 'result')
  assert.equal(
    state
      .draftParts(first?.id ?? '')
      .map(({ part, writer, run, overwrite, removed }) => [part, writer, run, overwrite, removed]),
    [
      [0, 'run w1', 'w1', false, []],
      [1, 'run w2', 'w2', true, []],
      [2, 'ann@laptop:77', undefined, false, ['old', 'dir/ä']],
    ],
  )
})

test('takes no second draft of a name, no part out of order and none after the end', () => {
  const { state, apply } = memoryState()
  const draft = sampleId('draft').slice(0, 32)
  const open: Change = { kind: 'draft.open', draft, project: 'p', name: 'bike', key: 'k' }
  const part = (n: number): Change => {
    const root = sampleId(n)
    return { kind: 'draft.part', draft, part: n, root, files: 1, bytes: 1, writer: 'ann' }
  }
  apply(open, part(0))
  const second = { ...open, draft: sampleId('other').slice(0, 32) }
  for (const bad of [open, second, part(0), part(2)]) assert.throws(() => apply(bad))
  assert.throws(() => apply({ kind: 'draft.finish', draft, version: add.version }))
  assert.is(state.openDraft('p', 'bike', 'k')?.parts, 1)
  apply({ kind: 'draft.abort', draft })
  for (const bad of [part(1), { kind: 'draft.abort', draft } as const]) {
    assert.throws(() => apply(bad))
  }
  apply(second)
  assert.is(state.openDrafts().length, 1)
})

test('folds the golden log', () => {
  const { connection, state } = foldGolden('log')
  const artifact = state.artifactByName('default', 'bicycle')
  assert.equal([artifact?.type, artifact?.description], ['model', 'all our bikes'])
  const [first, last] = state.everyVersion(artifact?.id ?? BIKE)
  assert.equal([first?.ttl, first?.deleted], ['never', undefined])
  assert.equal([last?.ttl, last?.deleted, last?.purged], [2592000, 11, 12])
  assert.equal(state.tagsOf(last?.id ?? add.version), ['prod'])
  assert.equal(state.aliases(artifact?.id ?? BIKE), [{ alias: 'latest', version: first?.id }])
  assert.equal(
    [9, 10, 11].map((n) => state.operation(n)?.undone),
    [undefined, 11, undefined],
  )
  assert.is(connection.value<number>("SELECT count(*) FROM pack WHERE state = 'dropped'"), 2)
})

test('takes the same name in another project, and gaps in numbers', () => {
  const { state, apply } = memoryState()
  const other = sampleArtifact('other')
  apply(
    create,
    { ...create, artifact: other, project: 'q' },
    add,
    sampleVersion(BIKE, 7, sampleObject(2)),
  )
  apply(sampleVersion(BIKE, 3, sampleObject(3)))
  assert.equal(
    state.versions(BIKE).map(({ number }) => number),
    [0, 3, 7],
  )
  assert.is(state.nextNumber(BIKE), 8)
  assert.is(state.nextNumber(other), 0)
})

test('comes to the same state however the changes are cut into operations', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(11), { maxLength: 40 }), fc.array(fc.boolean()), (picks, cuts) => {
      const changes = changesOf(picks)
      const whole = memoryState()
      if (changes.length > 0) whole.apply(...changes)
      const cut = memoryState()
      let from = 0
      for (let i = 1; i <= changes.length; i++) {
        if (i < changes.length && cuts[i] !== true) continue
        cut.apply(...changes.slice(from, i))
        from = i
      }
      assert.equal(contentOf(cut), contentOf(whole))
    }),
    { numRuns: 60 },
  )
})

/** Valid changes, from numbers: which artifact, and what happens to it. */
function changesOf(picks: readonly number[]): Change[] {
  const changes: Change[] = []
  const versions = new Map<number, VersionAdd[]>()
  const deleted = new Set<ObjectId>()
  const aliases = new Map<string, ObjectId>()
  for (const [i, pick] of picks.entries()) {
    const artifact = sampleArtifact(pick % 3)
    const had = versions.get(pick % 3)
    const newest = had?.at(-1)
    if (had === undefined) {
      versions.set(pick % 3, [])
      const name = `a${pick % 3}`
      changes.push({ kind: 'artifact.create', artifact, project: 'p', name, type: 't' })
    } else if (newest === undefined || pick < 6) {
      const added = { ...sampleVersion(artifact, had.length, sampleObject(i)), tags: [`t${pick}`] }
      had.push(added)
      changes.push(added)
    } else if (deleted.delete(newest.version)) {
      changes.push({ kind: 'version.restore', artifact, version: newest.version })
    } else if (pick < 9 || [...aliases.values()].includes(newest.version)) {
      const key = `a${pick}`
      const old = aliases.get(key) ?? null
      aliases.set(key, newest.version)
      changes.push({ kind: 'alias.set', artifact, alias: key, version: newest.version, old })
    } else {
      deleted.add(newest.version)
      changes.push({ kind: 'version.delete', artifact, version: newest.version })
    }
  }
  return changes
}

function aliasRemove(alias: string, old: ObjectId): Change {
  return { kind: 'alias.remove', artifact: BIKE, alias, old }
}

function rename(name: string, old: string): Change {
  return { kind: 'artifact.rename', artifact: BIKE, name, old }
}

function numbers(versions: readonly { readonly number: number }[]): number[] {
  return versions.map(({ number }) => number)
}

function contentOf({ connection }: MemoryState): unknown {
  return ['artifact', 'version', 'alias', 'alias_move', 'tag'].map((table) =>
    connection
      .all<Record<string, unknown>>(`SELECT * FROM ${table}`)
      .map(({ operation, updated, deleted, sum, ...row }) => ({
        ...row,
        isDeleted: deleted !== null,
      })),
  )
}

test.run()
