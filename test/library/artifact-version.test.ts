/** Versions as objects: what they say, their files, and changing what is said about them. */
import fs from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact, type ArtifactVersion, Store } from '../../src/index.ts'
import { readTree } from '../support/files.ts'
import { rejects } from '../support/rejects.ts'
import { type Workspace, workspace } from './workspace.ts'

const test = suite('artifact-version')

/** Logs a version of `bike` with these files. */
async function log(
  ws: Workspace,
  files: Record<string, string>,
  options: { readonly aliases?: readonly string[]; readonly tags?: readonly string[] } = {},
): Promise<ArtifactVersion> {
  const artifact = new Artifact('bike', {
    type: 'dataset',
    description: 'rides',
    metadata: { rows: 2, source: { city: 'Bonn' } },
  })
  fs.rmSync(ws.at('data'), { recursive: true, force: true })
  await artifact.addDir(ws.write('data', files))
  return ws.store.commit(artifact, { jobs: 0, ...options })
}

test('a version says what it is', async () => {
  await using ws = await workspace()
  const before = Date.now()
  const version = await log(ws, { a: '12345', b: '67' }, { aliases: ['best'], tags: ['x', 'x'] })
  assert.match(version.id, /^[0-9a-f]{64}$/)
  assert.is(version.commitHash, version.id)
  assert.is(version.digest, ws.store.version('bike').digest)
  assert.is(version.name, 'bike')
  assert.is(version.ref, 'bike:v0')
  assert.is(version.qualifiedName, `${ws.store.entity}/default/bike:v0`)
  assert.is(version.project, ws.store.project)
  assert.is(version.version, 'v0')
  assert.is(version.type, 'dataset')
  assert.is(version.size, 7)
  assert.is(version.fileCount, 2)
  assert.is(version.state, 'committed')
  assert.equal([...version.aliases].sort(), ['best', 'latest'])
  assert.equal(version.tags, ['x'])
  assert.is(version.description, 'rides')
  assert.equal(version.metadata, { rows: 2, source: { city: 'Bonn' } })
  assert.equal(version.ttl, { kind: 'inherit' })
  assert.ok(version.createdAt.getTime() >= before)
  assert.is(await version.wait(), version)
  assert.equal(version.toJSON(), {
    _type: 'artifactVersion',
    _version: 'v0',
    id: version.id,
    version: 'v0',
    sequenceName: 'bike',
    usedAs: null,
  })
})

test('versions are found by ref, id, name and type', async () => {
  await using ws = await workspace()
  const { store } = ws
  const first = await log(ws, { a: '1' }, { aliases: ['best'] })
  const second = await log(ws, { a: '2' })
  const { entity } = store
  for (const ref of ['bike:best', 'bike:v0', 'default/bike:v0', `${entity}/default/bike:v0`]) {
    assert.is((await store.artifact(ref)).id, first.id, ref)
  }
  assert.is((await store.artifact('bike')).id, second.id)
  assert.is((await store.artifact('bike', { type: 'dataset' })).id, second.id)
  await rejects(store.artifact('bike', { type: 'model' }), 'ERR_TYPE_MISMATCH')
  const missing = await rejects(store.artifact('bik'), 'ERR_NOT_FOUND')
  assert.match(missing.hint ?? '', '"bike"')
  assert.is((await store.fromId(first.id)).ref, 'bike:v0')
  assert.is((await store.fromId(first.id.slice(0, 12))).ref, 'bike:v0')
  assert.is(await store.expectedType('bike'), 'dataset')
  assert.is(await store.expectedType('bike:v7'), 'dataset')
  assert.is(await store.expectedType('car'), undefined)
  assert.ok(await store.artifactExists('bike:v1'))
  assert.ok(await store.artifactExists('bike:v1', { type: 'dataset' }))
  assert.not.ok(await store.artifactExists('bike:v1', { type: 'model' }))
  assert.not.ok(await store.artifactExists('bike:v2'))
  await rejects(store.artifactExists('bike:v2:v3'), 'ERR_INVALID_NAME')
})

test('versions are listed by artifact, type, project and tags, in both directions', async () => {
  await using ws = await workspace()
  const { store } = ws
  const make = async (name: string, type: string, tags: readonly string[], project = 'default') => {
    const artifact = new Artifact(name, { type, project })
    const file = artifact.newFile('a')
    file.write(String(Math.random()))
    await file.close()
    await store.commit(artifact, { tags })
  }
  await make('bike', 'dataset', ['a'])
  await make('bike', 'dataset', ['a', 'b'])
  await make('car', 'model', ['b', 'a'])
  await make('bike', 'dataset', [], 'other')
  const refs = async (filter: Parameters<Store['artifacts']>[0]): Promise<string[]> => {
    const found: string[] = []
    for await (const { ref } of store.artifacts(filter)) found.push(ref)
    return found
  }
  assert.equal(await refs({}), ['other/bike:v0', 'car:v0', 'bike:v1', 'bike:v0'])
  assert.equal(await refs({ name: 'bike' }), ['bike:v1', 'bike:v0'])
  assert.equal(await refs({ name: 'bike', reverse: true }), ['bike:v0', 'bike:v1'])
  assert.equal(await refs({ name: 'bike', project: 'other' }), ['other/bike:v0'])
  assert.equal(await refs({ project: 'other' }), ['other/bike:v0'])
  assert.equal(await refs({ type: 'model' }), ['car:v0'])
  assert.equal(await refs({ tags: ['a', 'b'] }), ['car:v0', 'bike:v1'])
  assert.equal(await store.types(), ['dataset', 'model'])
  assert.equal(await store.types({ project: 'other' }), ['dataset'])
  await rejects(refs({ name: 'train' }), 'ERR_NOT_FOUND')
})

test('files are told by name, prefix and where an earlier reader stopped', async () => {
  await using ws = await workspace()
  const version = await log(ws, { 'a/1': '1', 'a/2': '22', ab: '3', 'c/d/e': '4' })
  const paths = async (options?: Parameters<ArtifactVersion['files']>[0]): Promise<string[]> => {
    const found: string[] = []
    for await (const { path } of version.files(options)) found.push(path)
    return found
  }
  assert.equal(await paths(), ['a/1', 'a/2', 'ab', 'c/d/e'])
  assert.equal(await paths({ prefix: 'a' }), ['a/1', 'a/2', 'ab'])
  assert.equal(await paths({ prefix: 'a/' }), ['a/1', 'a/2'])
  assert.equal(await paths({ names: ['ab', 'a/2', 'x'] }), ['a/2', 'ab'])
  assert.equal(await paths({ start: 'a/2' }), ['ab', 'c/d/e'])
  assert.equal(await paths({ perPage: 1, start: 'a/1', prefix: 'a/' }), ['a/2'])
})

test('an entry knows its digest and its version, and gives its bytes', async () => {
  await using ws = await workspace()
  const large = Array.from({ length: 60_000 }, (_, n) => `line ${n}\n`).join('')
  const version = await log(ws, { 'a/small': 'abc', large: large })
  fs.symlinkSync('small', ws.at('data/a/link'))
  const small = await version.entry('a/small')
  assert.is(small.size, 3)
  assert.is(small.kind, 'file')
  assert.equal(small.digest, {
    algorithm: 'sha256',
    value: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  })
  assert.is(small.url, `artifacts://${version.id}/a/small`)
  assert.is(small.uri, undefined)
  assert.is(await small.parent(), version)
  const text = async (stream: AsyncIterable<Buffer>): Promise<string> => {
    const pieces: Buffer[] = []
    for await (const piece of stream) pieces.push(piece)
    return Buffer.concat(pieces).toString()
  }
  assert.is(await text(version.read('large')), large)
  assert.is(
    await text(version.read('large', { start: 70_000, end: 400_000 })),
    large.slice(70_000, 400_000),
  )
  assert.is(await text(small.read({ start: 1, end: 2 })), 'b')
  await rejects(version.entry('a'), 'ERR_NOT_FOUND')
  await rejects((async () => version.read('a/big'))(), 'ERR_NOT_FOUND')
  const path = await (await version.entry('a/small')).download(ws.at('one'))
  assert.is(path, ws.at('one/a/small'))
  assert.equal(readTree(ws.at('one')), { 'a/small': 'abc' })
})

test('an entry whose name is a pattern downloads that file alone', async () => {
  await using ws = await workspace()
  const files = {
    '[a] *?!.txt': '1',
    a: '2',
    '#x ': '3',
    '!x': '4',
    'b\\c': '5',
    '[a] *?!.txt2': '6',
  }
  const version = await log(ws, files)
  for (const [name, content] of Object.entries(files)) {
    const dir = ws.at(`out${content}`)
    await (await version.entry(name)).download(dir)
    assert.equal(readTree(dir), { [name]: content })
  }
})

test('a version is downloaded beside what is there, whole or in part', async () => {
  await using ws = await workspace()
  const version = await log(ws, { 'a/1': '1', 'a/2': '2', ab: '3' })
  ws.write('out', { mine: 'm' })
  assert.is(await version.download(ws.at('out'), { prefix: 'a/' }), ws.at('out'))
  assert.equal(readTree(ws.at('out')), { 'a/1': '1', 'a/2': '2', mine: 'm' })
  await version.download(ws.at('out'), { prefix: 'ab' })
  assert.is(readTree(ws.at('out'))['ab'], '3')
  const error = await rejects(version.file(ws.at('file')), 'ERR_USAGE')
  assert.match(error.message, '3 files')
  const one = await log(ws, { only: 'x' })
  assert.is(await one.file(ws.at('file')), ws.at('file/only'))
  const report = await one.checkout(ws.at('file'))
  assert.is(report.unchanged, 1)
})

test('verifying throws what differs', async () => {
  await using ws = await workspace()
  const version = await log(ws, { a: '1', b: '2' })
  assert.ok((await version.verify()).ok)
  const dir = await version.download(ws.at('out'))
  assert.ok((await version.verify(dir)).ok)
  fs.writeFileSync(`${dir}/a`, 'x')
  fs.writeFileSync(`${dir}/c`, 'x')
  fs.rmSync(`${dir}/b`)
  const error = await rejects(version.verify(dir), 'ERR_VERIFY')
  const { report } = error.data as { report: Record<string, unknown> }
  assert.equal([report['missing'], report['changed'], report['extra']], [['b'], ['a'], ['c']])
  assert.match(error.message, '"b" is missing')
})

test('an update changes all labels in one operation, or none', async () => {
  await using ws = await workspace()
  const { store } = ws
  const first = await log(ws, { a: '1' }, { aliases: ['best'], tags: ['x'] })
  const version = await log(ws, { a: '2' }, { tags: ['x', 'y'] })
  const count = (): number => Array.from(store.operations()).length
  const before = count()
  const same = await version.update({
    description: 'new',
    aliases: { add: ['best', 'prod'], remove: ['latest'] },
    tags: { add: ['z'], remove: ['x'] },
    metadata: { set: { rows: 3 }, unset: ['source'] },
    ttl: 60,
  })
  assert.is(count(), before + 1)
  assert.is(same, version)
  const facts = async (): Promise<unknown[]> => {
    const { description, aliases, tags, metadata } = await store.artifact('bike:v1')
    return [description, [...aliases].sort(), [...tags].sort(), metadata]
  }
  assert.equal(await facts(), ['new', ['best', 'prod'], ['y', 'z'], { rows: 3 }])
  assert.equal(version.metadata, { rows: 3 })
  assert.equal(version.ttl, {
    kind: 'after',
    seconds: 60,
    expiresAt: new Date(version.createdAt.getTime() + 60_000),
  })
  assert.equal((await store.artifact('bike:v0')).aliases, [])
  await version.update({
    aliases: ['only'],
    tags: [],
    metadata: { replace: { a: 1 } },
    description: null,
  })
  assert.equal(await facts(), [undefined, ['only'], [], { a: 1 }])
  const tip = count()
  await rejects(version.update({ description: 'lost', aliases: ['v3'] }), 'ERR_INVALID_NAME')
  await rejects(version.update({ description: 'lost', tags: { add: [' '] } }), 'ERR_INVALID_NAME')
  const bad = { set: { n: Number.POSITIVE_INFINITY } }
  await rejects(version.update({ description: 'lost', metadata: bad }), 'ERR_USAGE')
  await version.update({ aliases: { add: ['only'] } })
  assert.is(count(), tip)
  assert.equal((await store.artifact(`@${first.id}`)).tags, ['x'])
})

test('deleting asks about aliases, and is seen', async () => {
  await using ws = await workspace()
  const version = await log(ws, { a: '1' }, { aliases: ['best'] })
  await rejects(version.delete(), 'ERR_IN_USE')
  await version.delete({ aliases: true })
  assert.is(version.state, 'deleted')
  assert.equal(version.aliases, [])
  await rejects(version.update({ description: 'x' }), 'ERR_NOT_FOUND')
  await rejects(version.entry('a'), 'ERR_NOT_FOUND')
  assert.throws(() => version.newDraft())
  await ws.store.restore([`@${version.id}`])
  assert.is((await ws.store.artifact('bike')).id, version.id)
})

test('a new draft starts with the entries, and becomes the next version', async () => {
  await using ws = await workspace()
  const version = await log(
    ws,
    { a: '1', 'b/c': '2', 'b/d': '3' },
    { aliases: ['best'], tags: ['x'] },
  )
  const draft = version.newDraft()
  assert.is(draft.description, 'rides')
  assert.equal(draft.metadata, version.metadata)
  ws.write('more', { c: 'changed', e: 'new', a: '1' })
  await draft.addFile(ws.at('more/a'))
  await rejects(draft.addFile(ws.at('more/c'), { as: 'b/c' }), 'ERR_EXISTS')
  await rejects(draft.addFile(ws.at('more/c'), { as: 'a/c' }), 'ERR_INVALID_PATH')
  await rejects(draft.addFile(ws.at('more/c'), { as: 'b' }), 'ERR_INVALID_PATH')
  await draft.addFile(ws.at('more/c'), { as: 'b/c', overwrite: true })
  await draft.addFile(ws.at('more/e'))
  assert.is(await draft.remove('b/d'), 1)
  await rejects(draft.remove('b/d'), 'ERR_NOT_FOUND')
  draft.metadata['rows'] = 3
  const next = await ws.store.commit(draft)
  assert.is(next.ref, 'bike:v1')
  assert.equal(next.parents, [version.id])
  assert.equal(next.tags, [])
  assert.equal(next.metadata['rows'], 3)
  assert.equal((await ws.store.artifact('bike:v0')).aliases, ['best'])
  const dir = await next.download(ws.at('out'))
  assert.equal(readTree(dir), { a: '1', 'b/c': 'changed', e: 'new' })
  const gone = next.newDraft()
  assert.is(await gone.remove('b'), 1)
  await gone.addFile(ws.at('more/c'), { as: 'b' })
  assert.equal(readTree(await (await ws.store.commit(gone)).download(ws.at('out2'))), {
    a: '1',
    b: 'changed',
    e: 'new',
  })
})

test('an incremental draft adds to the newest version', async () => {
  await using ws = await workspace()
  const first = await log(ws, { a: '1', b: '2' })
  const artifact = new Artifact('bike', { type: 'dataset', incremental: true })
  ws.write('more', { b: 'new', c: '3' })
  await artifact.addDir(ws.at('more'))
  const next = await ws.store.commit(artifact)
  assert.equal(next.parents, [first.id])
  assert.equal(readTree(await next.download(ws.at('out'))), { a: '1', b: 'new', c: '3' })
})

test('the same draft logged again is the same version, and a new one when others came between', async () => {
  await using ws = await workspace()
  const artifact = new Artifact('bike', { type: 'dataset' })
  await artifact.addDir(ws.write('first', { a: '1' }))
  assert.is((await ws.store.commit(artifact)).version, 'v0')
  fs.rmSync(ws.at('first'), { recursive: true })
  const again = await ws.store.commit(artifact, { aliases: ['best'] })
  assert.is(again.version, 'v0')
  assert.ok(again.aliases.includes('best'))
  await log(ws, { a: '2' })
  const third = await ws.store.commit(artifact)
  assert.is(third.version, 'v2')
  assert.equal(third.parents, [])
  assert.is((await ws.store.commit(artifact, { reuse: 'any' })).version, 'v2')
})

test('numbers follow the order of the calls, awaited or not', async () => {
  await using ws = await workspace()
  const versions = await Promise.all(
    Array.from({ length: 12 }, async (_, n) => {
      const artifact = new Artifact('bike', { type: 'dataset', metadata: { n } })
      const file = ws.write(`d${n}`, { a: 'x'.repeat(n === 0 ? 3_000_000 : n) })
      void artifact.addDir(file)
      return ws.store.commit(artifact)
    }),
  )
  assert.equal(
    versions.map(({ version, metadata }) => [version, metadata['n']]),
    versions.map((_, n) => [`v${n}`, n]),
  )
})

test('the same name with another type is refused before anything is read', async () => {
  await using ws = await workspace()
  await log(ws, { a: '1' })
  const packs = fs.readdirSync(`${ws.store.root}/packs`)
  const artifact = new Artifact('bike', { type: 'model' })
  await artifact.addDir(ws.write('more', { b: 'x'.repeat(100_000) }))
  const error = await rejects(ws.store.commit(artifact), 'ERR_TYPE_MISMATCH')
  assert.match(error.message, '"dataset"')
  assert.equal(fs.readdirSync(`${ws.store.root}/packs`), packs)
  await rejects(ws.store.commit(artifact, { aliases: ['a:b'] }), 'ERR_INVALID_NAME')
  await rejects(ws.store.commit(artifact, { tags: [''] }), 'ERR_INVALID_NAME')
  assert.not.ok(artifact.finalized)
})

test('a store that is left waits for what is being logged', async () => {
  await using ws = await workspace()
  const artifact = new Artifact('bike', { type: 'dataset' })
  await artifact.addDir(ws.write('data', { a: '1' }))
  {
    await using store = await Store.open({ store: ws.store.root })
    void store.commit(artifact)
  }
  assert.is((await ws.store.artifact('bike')).version, 'v0')
})

test.run()
