/** Operations that a client should not have written: each is refused, and the store is as it was. */
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { canonicalJson } from '../../../src/store/log/canonical.ts'
import type { Change, VersionAdd } from '../../../src/store/log/change.ts'
import type { Operation } from '../../../src/store/log/operation.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import { operationName } from '../../../src/sync/log/names.ts'
import { packName } from '../../../src/sync/put-pack.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import type { ArtifactId, ObjectId, VersionObject } from '../../../src/types.ts'
import { sampleId } from '../../store/log/samples.ts'
import {
  type Asked,
  following,
  type Push,
  push,
  put,
  type ServedStore,
  type Source,
  servedStore,
  sha256,
  sourceStore,
} from './serving.ts'

const test = suite('serve, forged operations')
const ARTIFACT = '0123456789abcdef0123456789abcdef' as ArtifactId

test('an operation has its place in the log of this store', async () => {
  await using set = await pushedOnce()
  const { served, second } = set
  const right = await following(served.backend, second.operation)
  const attempts: Record<string, [Partial<Operation>, RegExp]> = {
    'another store': [{ prev: '0'.repeat(64) }, /does not follow/],
    'a number ahead': [{ n: right.n + 1 }, /next operation is 2/],
    'another number inside': [{ n: right.n + 5 }, /next operation is 2/],
    'a clock ahead': [{ at: '2990-01-01T00:00:00.000Z' }, /clock/],
  }
  for (const [what, [wrong, said]] of Object.entries(attempts)) {
    const answer = await send(served, { ...right, ...wrong })
    assert.is(answer.status, 400, what)
    assert.match(answer.text, said, what)
  }
  const bytes = encoded(right)
  const elsewhere = await put(served.url + operationName(right.n + 1), bytes)
  assert.is(elsewhere.status, 400)
  assert.is((await send(served, { ...right, n: 1 })).status, 412)
  await expectUntouched(set)
  assert.is((await send(served, right)).status, 201)
})

test('an operation is canonical, whole, and of kinds and fields that are known', async () => {
  await using set = await pushedOnce()
  const { served, second } = set
  const right = await following(served.backend, second.operation)
  const name = served.url + operationName(right.n)
  const line = canonicalJson(right)
  const bodies = [
    '',
    'x',
    line,
    `${line}\n${'0'.repeat(64)}\n`,
    record(` ${line}`),
    record(JSON.stringify({ z: 1, ...right })),
    record('[]'),
    record('null'),
    record(canonicalJson({ ...right, changes: [] })),
    record(canonicalJson({ ...right, extra: 1 })),
    record(canonicalJson({ ...right, changes: [{ kind: 'rule.break' }] })),
    record(canonicalJson({ ...right, changes: [{ ...right.changes[0], more: 1 }] })),
    record('['.repeat(100_000)),
  ]
  for (const body of bodies) {
    const { status } = await put(name, body)
    assert.is(status, 400, body.slice(0, 100))
  }
  await expectUntouched(set)
})

test('what is done where the store is can not be pushed', async () => {
  await using set = await pushedOnce()
  const { served, second } = set
  const right = await following(served.backend, second.operation)
  const version = sampleId('v')
  const [pack] = (await served.store.operation(1)).packs
  const changes: Change[] = [
    { kind: 'packs.drop', packs: [{ id: (pack as { id: ObjectId }).id }] },
    { kind: 'version.purge', artifact: ARTIFACT, version },
    { kind: 'undo', operation: 1 },
    { kind: 'draft.open', draft: '0'.repeat(32), project: 'default', name: 'x', key: 'x' },
    { kind: 'draft.abort', draft: '0'.repeat(32) },
  ]
  for (const change of changes) {
    const answer = await send(served, { ...right, packs: [], changes: [change] })
    assert.is(answer.status, 403, change.kind)
    assert.match(answer.text, change.kind)
  }
  await expectUntouched(set)
})

test('a version comes with its bytes, and says in which packs they lie', async () => {
  await using set = await pushedOnce()
  const { served, second } = set
  const right = await following(served.backend, second.operation)
  const { closure, ...without } = addedBy(second)
  const other = right.changes.filter(({ kind }) => kind !== 'version.add')
  const partial = await send(served, {
    ...right,
    changes: [{ ...addedBy(second), partial: true }, ...other],
  })
  assert.is(partial.status, 403)
  assert.match(partial.text, 'without its bytes')
  const silent = await send(served, { ...right, changes: [without, ...other] })
  assert.is(silent.status, 400)
  assert.match(silent.text, 'in which packs')
  const newest = right.packs.map(({ id }) => id)
  const packs = (closure?.packs ?? []).filter((id) => !newest.includes(id))
  const lying = await send(served, {
    ...right,
    changes: [{ ...without, closure: { packs } }, ...other],
  })
  assert.is(lying.status, 400)
  await expectUntouched(set)
})

test('an operation keeps the rules of the log', async () => {
  await using set = await pushedOnce()
  const { served, second } = set
  const right = await following(served.backend, second.operation)
  const added = addedBy(second)
  const { artifact } = added
  const version = served.store.version('bike:v0').id
  const attempts: Record<string, Change[]> = {
    'a number that was given': [{ ...added, number: 0 }],
    'an artifact that is not there': [{ ...added, artifact: ARTIFACT }],
    'a name that is taken': [
      { kind: 'artifact.create', artifact: ARTIFACT, project: 'default', name: 'bike', type: 'x' },
    ],
    'an alias that was another': [
      { kind: 'alias.set', artifact, alias: 'latest', version, old: sampleId('other') },
    ],
    'an alias of nothing': [
      { kind: 'alias.set', artifact, alias: 'x', version: sampleId('none'), old: null },
    ],
    'a version that goes while an alias names it': [{ kind: 'version.delete', artifact, version }],
    'a version twice': [added, { ...added, number: 7 }],
    'a run that never started': [
      { kind: 'run.finish', run: 'x', state: 'finished', endedAt: right.at },
    ],
  }
  for (const [what, changes] of Object.entries(attempts)) {
    const answer = await send(served, { ...right, changes })
    assert.is(answer.status, 400, what)
    assert.match(answer.text, 'breaks a rule', what)
  }
  const changed = { ...added.object, bytes: added.object.bytes + 1 }
  const liar = await send(served, { ...right, changes: [{ ...added, object: changed }] })
  assert.match(liar.text, 'not the hash of its object')
  await expectUntouched(set)
})

test('the packs of an operation are here, and are what it says of them', async () => {
  await using set = await pushedOnce()
  const { served, second } = set
  const right = await following(served.backend, second.operation)
  const [pack] = right.packs
  if (pack === undefined) throw new Error('no pack')
  const { sha256: _, ...nameless } = pack
  const [offset, length] = pack.toc
  const attempts: Record<string, Operation['packs']> = {
    'without its hash': [nameless],
    'another hash': [{ ...pack, sha256: '0'.repeat(64) }],
    'another length': [{ ...pack, bytes: pack.bytes + 1, toc: [offset + 1, length] }],
    'another table': [{ ...pack, toc: [offset - 1, length + 1] }],
    'one that is not here': [pack, { ...pack, id: sampleId('absent') }],
    'the same twice': [pack, pack],
  }
  for (const [what, packs] of Object.entries(attempts)) {
    const answer = await send(served, { ...right, packs })
    assert.is(answer.status, 400, what)
    assert.match(answer.text, /pack/, what)
  }
  await expectUntouched(set)
  assert.is((await send(served, right)).status, 201)
})

test('a version is refused where any of its objects is missing', async () => {
  await using source = await sourceStore()
  const tree = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`${i % 4}/${i}.bin`, randomBytes(200)]),
  )
  await source.commit({ ...tree, 'large.bin': randomBytes(400_000) })
  const whole = source.push(1)
  assert.ok(whole.packs.size > 0)
  // Another store's packs: right by themselves, and without what is needed.
  await using other = await sourceStore()
  await other.commit({ 'x.bin': randomBytes(300) })
  const foreign = other.push(1)
  await using served = await servedStore()
  for (const [id, bytes] of [...whole.packs, ...foreign.packs]) {
    await served.backend.putIfAbsent(packName(id), bytesSource(bytes))
  }
  const right = await following(served.backend, whole.operation)
  for (const packs of [
    [],
    foreign.operation.packs,
    ...right.packs.map((each) => right.packs.filter((pack) => pack !== each)),
  ]) {
    const answer = await send(served, { ...right, packs })
    assert.is(answer.status, 400)
    assert.match(answer.text, /is in no pack|of a closure/)
  }
  assert.equal(served.store.artifacts(), [])
  assert.is((await send(served, right)).status, 201)
})

test('packs that others have put count only for the operation that names them', async () => {
  await using source = await sourceStore()
  await using served = await servedStore()
  const first = source.push(await source.commit({ a: randomBytes(300) }))
  const second = source.push(await source.commit({ a: randomBytes(300), b: randomBytes(300) }))
  for (const [id, bytes] of [...first.packs, ...second.packs]) {
    await served.backend.putIfAbsent(packName(id), bytesSource(bytes))
  }
  const right = await following(served.backend, first.operation)
  const both = [...first.operation.packs, ...second.operation.packs]
  const refused = await send(served, { ...right, packs: both, changes: withoutRoot(first) })
  assert.match(refused.text, 'is in no pack')
  // All of them are known to the index now, and named by nothing.
  const stolen = await send(served, { ...right, packs: second.operation.packs })
  assert.match(stolen.text, /is in no pack|of a closure/)
  assert.is((await send(served, right)).status, 201)
})

test('a version says how many files and bytes it has', async () => {
  await using set = await pushedOnce()
  const { served, second } = set
  const right = await following(served.backend, second.operation)
  const added = addedBy(second)
  for (const lie of [{ files: 1000 }, { bytes: 0 }, { root: sampleId('root') }]) {
    const object: VersionObject = { ...added.object, ...lie }
    const version = versionId(object)
    const changes: Change[] = [{ ...added, object, version }]
    const answer = await send(served, { ...right, changes })
    assert.is(answer.status, 400, JSON.stringify(lie))
  }
  await expectUntouched(set)
})

test.run()

interface PushedOnce extends AsyncDisposable {
  readonly served: ServedStore
  readonly source: Source
  /** Its packs are there. */
  readonly second: Push
  readonly before: string
}

/** A served store with one version, and the packs of the next. */
async function pushedOnce(): Promise<PushedOnce> {
  const source = await sourceStore()
  const served = await servedStore()
  await push(served, source.push(await source.commit({ a: 'one' })))
  const second = source.push(await source.commit({ a: 'two', 'b.bin': randomBytes(5000) }))
  for (const [id, bytes] of second.packs) {
    await served.backend.putIfAbsent(packName(id), bytesSource(bytes))
  }
  return {
    served,
    source,
    second,
    before: pictureOf(served),
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]()
      await source[Symbol.asyncDispose]()
    },
  }
}

function expectUntouched({ served, before }: PushedOnce): void {
  assert.is(pictureOf(served), before)
  assert.equal(served.errors, [])
}

function pictureOf({ store, root }: ServedStore): string {
  const files = ['log', 'packs', 'tmp'].map((folder) => readdirSync(join(root, folder)).sort())
  return JSON.stringify([store.artifacts(), store.history(), files])
}

function addedBy({ operation }: Push): VersionAdd {
  const added = operation.changes.find(({ kind }) => kind === 'version.add')
  if (added?.kind !== 'version.add') throw new Error('adds no version')
  return added
}

/** Changes that are refused after the packs were looked at. */
function withoutRoot(push: Push): Change[] {
  const added = addedBy(push)
  const object: VersionObject = { ...added.object, root: sampleId('nowhere') }
  const created = push.operation.changes.filter(({ kind }) => kind === 'artifact.create')
  return [...created, { ...added, object, version: versionId(object) }]
}

function send({ url }: ServedStore, operation: Operation): Promise<Asked> {
  return put(url + operationName(operation.n), encoded(operation))
}

/** As `encodeOperation`, which writes nothing that is wrong. */
function encoded(operation: Operation): string {
  return record(canonicalJson(operation))
}

function record(line: string): string {
  return `${line}\n${sha256(Buffer.from(line))}\n`
}
