import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Change } from '../../../src/store/log/change.ts'
import { decodeOperation } from '../../../src/store/log/operation.ts'
import type { VersionRenumber } from '../../../src/store/log/sync-change.ts'
import type { ArtifactId } from '../../../src/types.ts'
import { sampleArtifact, sampleId, sampleObject, sampleVersion } from '../log/samples.ts'
import { type MemoryState, memoryState } from './memory-state.ts'

const test = suite('fold of what other stores bring')

const GOLDEN = new URL('../../../../test/golden/log-4/', import.meta.url)
const BIKE = sampleArtifact('bike')
const SHELF = sampleArtifact('shelf')
const [V0, V1, V2] = [0, 1, 2].map((i) => sampleVersion(BIKE, i, sampleObject(i))) as [
  ReturnType<typeof sampleVersion>,
  ReturnType<typeof sampleVersion>,
  ReturnType<typeof sampleVersion>,
]
const create: Change = {
  kind: 'artifact.create',
  artifact: BIKE,
  project: 'p',
  name: 'bike',
  type: 'model',
}
const shelf: Change = {
  kind: 'artifact.create',
  artifact: SHELF,
  project: 'p',
  name: 'shelf',
  type: 'model',
  portfolio: true,
}

test('folds the golden log', () => {
  const { state } = foldGolden()
  const bike = state.artifactByName('vision', 'bike')
  assert.is.not(bike, undefined)
  const of = bike?.id ?? BIKE
  const versions = state.everyVersion(of)
  assert.equal(
    versions.map(({ number, partial }) => [number, partial]),
    [
      [0, undefined],
      [1, true],
      [2, undefined],
      [3, undefined],
      [4, undefined],
    ],
  )
  const [p0, p1, v0, v1, v2] = versions.map(({ id }) => id)
  assert.is(state.nextNumber(of), 5)
  assert.equal(
    state.partialVersions().map(({ id }) => id),
    [p1],
  )
  assert.not.ok(state.isPartial(p0 ?? V0.version))
  assert.ok(state.isPartial(p1 ?? V0.version))
  assert.is(state.closureOf(v0 ?? V0.version), undefined)
  const closures = [v1, v2].map((id) => state.closureOf(id ?? V0.version))
  assert.equal(
    closures.map((closure) => [closure?.packs.length, closure !== undefined && 'list' in closure]),
    [
      [2, false],
      [1, true],
    ],
  )
  assert.equal(
    [0, 1, 2, 3, 4].map((number) => state.renumbered(of, number).map(({ version }) => version)),
    [[v0], [v1], [v2], [], []],
  )
  const shelved = state.artifactByName('vision', 'shelf')?.id ?? SHELF
  assert.equal(
    state.links(shelved).map(({ number, version }) => [number, version]),
    [
      [0, v1],
      [1, v0],
    ],
  )
  assert.is(state.nextNumber(shelved), 3)
  assert.equal(
    [0, 1, 2].map((number) => state.renumbered(shelved, number).map(({ version }) => version)),
    [[v0], [v1], []],
  )
  const [there] = state.joinedIds(of)
  assert.equal(state.artifactByJoinedId(there ?? of), bike)
  assert.equal(
    [1, 2, 3, 4, 5, 6].map((n) => state.operation(n)?.final),
    [false, false, false, true, true, true],
  )
  assert.is(state.newestUndoable('ann', 'laptop')?.n, 3)
})

test('takes no number that another has, and none that a version has not', () => {
  const { state, apply } = memoryState()
  apply(create, V0, V1)
  const good = move(V0.version, 0, 2)
  for (const bad of [
    { ...good, number: 1 },
    { ...good, old: 1 },
    { ...good, version: V1.version },
    { ...good, version: V2.version },
    { ...good, artifact: SHELF },
  ])
    assert.throws(() => apply(bad), JSON.stringify(bad))
  apply(good)
  assert.is(state.versionByNumber(BIKE, 0), undefined)
  assert.is(state.nextNumber(BIKE), 3)
  const { updated, operation = 0 } = state.versionById(V0.version) ?? {}
  assert.ok((updated ?? 0) > operation)
  // The number that is free is for what has it elsewhere.
  apply(sampleVersion(BIKE, 0, sampleObject(7)))
  assert.is(state.nextNumber(BIKE), 3)
})

test('keeps no number that a version had in the course of one operation only', () => {
  const { state, apply } = memoryState()
  apply(create, V0)
  apply(V1, move(V1.version, 1, 5), move(V0.version, 0, 7), move(V0.version, 7, 1))
  assert.equal(
    [0, 1, 5, 7].map((number) => state.renumbered(BIKE, number).map(({ version }) => version)),
    [[V0.version], [], [], []],
  )
  // One number may have been left by several.
  const v2 = sampleVersion(BIKE, 0, sampleObject(7))
  apply(v2)
  apply(move(v2.version, 0, 9))
  assert.equal(
    state.renumbered(BIKE, 0).map(({ version }) => version),
    [v2.version, V0.version],
  )
})

test('moves links, also those that are removed, which come back only where they are', () => {
  const { state, apply } = memoryState()
  const link = { portfolio: SHELF, number: 0, version: V0.version }
  apply(create, V0, V1, shelf)
  apply({ kind: 'link.add', ...link })
  assert.throws(() => apply(move(V1.version, 0, 4, SHELF)))
  apply({ kind: 'link.remove', ...link })
  apply(move(V0.version, 0, 4, SHELF))
  assert.is(state.linkedAt(SHELF, 0), undefined)
  assert.is(state.linkedAt(SHELF, 4), V0.version)
  apply({ kind: 'link.add', portfolio: SHELF, number: 0, version: V1.version })
  assert.throws(() => apply(move(V1.version, 0, 4, SHELF)))
  assert.throws(() => apply({ kind: 'link.add', ...link }))
  apply({ kind: 'link.add', ...link, number: 4 })
  assert.equal(
    state.linksOf(V0.version).map(({ number }) => number),
    [4],
  )
})

test('takes an id for one artifact only', () => {
  const { state, apply } = memoryState()
  const other = sampleArtifact('other')
  const join = { kind: 'artifact.join', artifact: BIKE, as: other } as const
  assert.throws(() => apply(join))
  apply(create, shelf)
  for (const bad of [
    { ...join, as: BIKE },
    { ...join, as: SHELF },
  ])
    assert.throws(() => apply(bad))
  apply(join)
  assert.throws(() => apply(join))
  assert.throws(() => apply({ ...join, artifact: SHELF }))
  assert.throws(() => apply({ ...create, artifact: other, name: 'other' } as Change))
  assert.is(state.artifactByJoinedId(other)?.id, BIKE)
  assert.is(state.artifactByJoinedId(BIKE)?.id, BIKE)
  assert.is(state.artifactByJoinedId(sampleArtifact('nobody')), undefined)
  assert.is(state.artifactById(other), undefined)
})

test('fetches only what is partial and not purged', () => {
  const { state, apply } = memoryState()
  const partial = { ...V1, partial: true } as const
  const fetch = (version: Change & { readonly version: string }, whole?: true): Change => ({
    kind: 'version.fetch',
    artifact: BIKE,
    version: version.version as typeof V0.version,
    ...(whole && { whole }),
  })
  apply(create, V0, partial, { ...V2, partial: true })
  assert.throws(() => apply(fetch(V0)))
  apply(fetch(V1))
  assert.ok(state.isPartial(V1.version))
  apply(fetch(V1, true))
  assert.not.ok(state.isPartial(V1.version))
  assert.throws(() => apply(fetch(V1)))
  const gone = { artifact: BIKE, version: V2.version }
  apply({ kind: 'version.delete', ...gone }, { kind: 'version.purge', ...gone })
  assert.throws(() => apply(fetch(V2, true)))
  assert.equal(state.partialVersions(), [])
})

test('an operation with a pull is final, whatever else it holds', () => {
  const { state, apply } = memoryState()
  apply({ kind: 'pull', store: sampleId('there').slice(0, 32), n: 1 }, create, V0)
  apply({ kind: 'version.delete', artifact: BIKE, version: V0.version })
  assert.equal(
    [1, 2].map((n) => state.operation(n)?.final),
    [true, false],
  )
})

function move(
  version: VersionRenumber['version'],
  old: number,
  number: number,
  artifact: ArtifactId = BIKE,
): VersionRenumber {
  return { kind: 'version.renumber', artifact, version, number, old }
}

function foldGolden(): MemoryState {
  const memory = memoryState()
  let prev = readFileSync(new URL('format.json', GOLDEN), 'utf8').split('\n')[1] ?? ''
  for (let n = 1; n <= 6; n++) {
    const path = `${String(n).padStart(12, '0')}.json`
    const entry = decodeOperation(readFileSync(new URL(path, GOLDEN)), { n, prev, path })
    if (entry.kind !== 'operation') throw new Error(entry.why)
    memory.apply(...entry.operation.changes)
    prev = entry.hash
  }
  return memory
}

test.run()
