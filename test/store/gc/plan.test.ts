import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Census, CountedPack } from '../../../src/store/gc/census.ts'
import {
  batchesOf,
  type Copied,
  type Letting,
  lettingOf,
} from '../../../src/store/gc/collection.ts'
import { mergeGroups, PACK_COST, planPacks } from '../../../src/store/gc/plan.ts'
import type { PackKind } from '../../../src/store/log/operation.ts'
import type { OpenedStore } from '../../../src/store/opened.ts'
import { sampleArtifact, sampleId, samplePack } from '../log/samples.ts'

const test = suite('plan')

const MIB = 1 << 20
let row = 0

/** A pack of so many bytes, of which a share is reached. */
function pack(bytes: number, share: number, kind: PackKind = 'data'): CountedPack {
  row++
  const reachedBytes = Math.floor((bytes - PACK_COST) * share)
  return {
    row,
    id: sampleId(row),
    bytes,
    kind,
    state: 'present',
    offsets: new Uint32Array(),
    owners: new Int32Array(),
    reached: share > 0 ? 1 : 0,
    reachedBytes,
  }
}

test('drops what nobody needs, and copies what more than three tenths of is needless', () => {
  const packs = [pack(10 * MIB, 0), pack(10 * MIB, 0.69), pack(10 * MIB, 0.71), pack(10 * MIB, 1)]
  const { dead, groups } = planPacks(packs)
  assert.equal(dead, [packs[0]])
  assert.equal(groups, [{ copies: 'reached', packs: [packs[1]] }])
})

test('merges small packs only when there are more than 64', () => {
  const small = Array.from({ length: 65 }, () => pack(1000, 1, 'mixed'))
  assert.equal(planPacks(small.slice(0, 64)).groups, [])
  assert.equal(planPacks(small).groups, [{ copies: 'whole', packs: small }])
  const exactly = Array.from({ length: 65 }, () => pack(MIB, 1))
  assert.equal(planPacks(exactly).groups, [])
})

test('keeps kinds apart, and copies no pack whole by itself', () => {
  const data = Array.from({ length: 40 }, () => pack(1000, 1, 'data'))
  const meta = Array.from({ length: 40 }, () => pack(1000, 1, 'meta'))
  const lone = pack(1000, 1, 'mixed')
  assert.equal(planPacks([...data, lone, ...meta]).groups, [
    { copies: 'whole', packs: data },
    { copies: 'whole', packs: meta },
  ])
})

test('puts no more into one pack than it can hold', () => {
  const packs = Array.from({ length: 30 }, () => pack(10 * MIB, 0.5))
  const { groups } = planPacks(packs)
  assert.equal(
    groups.flatMap((group) => group.packs),
    packs,
  )
  assert.ok(groups.length === 3)
  for (const group of groups) {
    const bytes = group.packs.reduce((sum, each) => sum + each.reachedBytes, PACK_COST)
    assert.ok(bytes <= 64 * MIB)
  }
  const nearly = Array.from({ length: 65 }, () => pack(MIB - 1, 1))
  assert.equal(
    mergeGroups(nearly).map((group) => group.packs.length),
    [64],
  )
})

test('lets everything go by one operation, versions before packs', () => {
  const [batch, ...more] = batchesOf(letting(2, 3))
  assert.equal(more, [])
  assert.equal(
    batch?.changes.map(({ kind }) => kind),
    ['version.purge', 'version.purge', 'packs.drop'],
  )
  assert.equal(batch?.packs, [samplePack('made')])
  assert.equal(batchesOf({ copied: [], dead: [], strays: [], purged: [] }), [])
})

test('purges all before it drops anything where one operation has no room for all', () => {
  for (const most of [1, 2, 3, 4, 5, 7, 100]) {
    const batches = batchesOf(letting(4, 6), most)
    const changes = batches.flatMap((batch) => batch.changes)
    const kinds = changes.map(({ kind }) => kind)
    assert.is(kinds.lastIndexOf('version.purge') < kinds.indexOf('packs.drop'), true)
    assert.is(kinds.filter((kind) => kind === 'version.purge').length, 4)
    const drops = changes.flatMap((change) => (change.kind === 'packs.drop' ? change.packs : []))
    assert.equal(
      drops.map(({ id }) => id),
      batchesOf(letting(4, 6))[0]?.changes.flatMap((change) =>
        change.kind === 'packs.drop' ? change.packs.map(({ id }) => id) : [],
      ),
    )
    for (const { changes, packs } of batches) {
      const size = changes.reduce(
        (sum, change) => sum + (change.kind === 'packs.drop' ? change.packs.length : 1),
        0,
      )
      assert.ok(size > 0 && size <= most)
      const into = changes.flatMap((change) =>
        change.kind === 'packs.drop' ? change.packs.flatMap(({ into }) => into ?? []) : [],
      )
      assert.equal(
        packs.map(({ id }) => id),
        [...new Set(into)],
      )
    }
  }
})

test('leaves a copy out that does not hold all that is needed by now, and drops no copy', () => {
  const counted = (id: string, needed: readonly boolean[]): CountedPack => ({
    ...pack(10 * MIB, needed.includes(true) ? 1 : 0),
    id: sampleId(id),
    offsets: Uint32Array.from(needed.keys()),
    owners: Int32Array.from(needed, (is) => (is ? 1 : 0)),
  })
  const copyOf = (id: string, offsets: readonly number[]): Copied => ({
    copies: 'reached',
    pack: { ...samplePack(id), id: sampleId(`copy of ${id}`) },
    sources: [{ id: sampleId(id), bytes: 100, wants: (offset) => offsets.includes(offset) }],
  })
  const packs = [
    counted('whole', [true, false, true]),
    counted('more', [true, true, false]),
    counted('copy of whole', [false]),
    counted('dead', [false, false]),
  ]
  const letting = lettingOf(
    { index: { read: () => undefined } } as unknown as OpenedStore,
    {
      head: 1,
      versions: [],
      census: { packs, unreadable: [] } as unknown as Census,
      files: {
        strays: [
          { id: sampleId('copy of more'), bytes: 1 },
          { id: sampleId('stray'), bytes: 1 },
        ],
        young: [],
        dropped: [],
      },
      counted: new Map(),
    },
    [copyOf('whole', [0, 2]), copyOf('more', [0]), copyOf('gone', [0])],
  )
  assert.equal(
    letting.copied.map(({ sources }) => sources[0]?.id),
    [sampleId('whole')],
  )
  assert.equal(
    letting.dead.map(({ id }) => id),
    [sampleId('dead')],
  )
  assert.equal(
    letting.strays.map(({ id }) => id),
    [sampleId('stray')],
  )
})

/** So many versions to purge, and packs to drop, of which two were copied. */
function letting(versions: number, packs: number): Letting {
  const source = (n: number) => ({ id: sampleId(`source ${n}`), bytes: 100, wants: () => true })
  return {
    copied: [{ copies: 'reached', pack: samplePack('made'), sources: [source(1), source(2)] }],
    dead: Array.from({ length: packs - 3 }, (_, n) => ({ id: sampleId(`dead ${n}`), bytes: 1 })),
    strays: [{ id: sampleId('stray'), bytes: 1 }],
    purged: Array.from({ length: versions }, (_, n) => ({
      artifact: sampleArtifact(n),
      version: sampleId(`version ${n}`),
      root: sampleId(n),
      ref: `bike:v${n}`,
      files: 1,
      bytes: 1,
      stays: false,
      reason: 'deleted' as const,
      aliases: [],
      owner: 0,
    })),
  }
}

test.run()
