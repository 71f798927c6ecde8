import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RuleError } from '../../../src/store/index/fold.ts'
import type { Change } from '../../../src/store/log/change.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import { sampleArtifact, sampleId, sampleObject, sampleVersion } from '../log/samples.ts'
import { type MemoryState, memoryState } from './memory-state.ts'

const test = suite('fold')

const BIKE = sampleArtifact('bike')
const OBJECT = sampleObject(1)
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
    [
      'a version of no artifact',
      /no artifact/,
      [sampleVersion(sampleArtifact('x'), 0, sampleObject(2))],
    ],
    ['an alias of no artifact', /no artifact/, [{ ...latest, artifact: sampleArtifact('x') }]],
    ['an alias for no version', /no live version/, [{ ...latest, version: sampleId('x') }]],
    [
      "an alias for another artifact's version",
      /no live version/,
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

/** Valid changes, from numbers: which artifact, and whether a version or an alias. */
function changesOf(picks: readonly number[]): Change[] {
  const changes: Change[] = []
  const versions = new Map<number, Change[]>()
  for (const [i, pick] of picks.entries()) {
    const artifact = sampleArtifact(pick % 3)
    const had = versions.get(pick % 3)
    if (had === undefined) {
      versions.set(pick % 3, [])
      changes.push({
        kind: 'artifact.create',
        artifact,
        project: 'p',
        name: `a${pick % 3}`,
        type: 't',
      })
      continue
    }
    const newest = had.at(-1)
    if (pick < 6 || newest?.kind !== 'version.add') {
      const added: Change = {
        ...sampleVersion(artifact, had.length, sampleObject(i)),
        tags: [`t${pick}`],
      }
      had.push(added)
      changes.push(added)
    } else {
      changes.push({
        kind: 'alias.set',
        artifact,
        alias: `a${pick}`,
        version: newest.version,
        old: null,
      })
    }
  }
  return changes
}

function contentOf({ connection }: MemoryState): unknown {
  return ['artifact', 'version', 'alias', 'tag'].map((table) =>
    connection
      .all<Record<string, unknown>>(`SELECT * FROM ${table}`)
      .map(({ operation, sum, ...row }) => row),
  )
}

test.run()
