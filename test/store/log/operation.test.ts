import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError } from '../../../src/errors.ts'
import { canonicalJson } from '../../../src/store/log/canonical.ts'
import type { Change } from '../../../src/store/log/change.ts'
import {
  decodeOperation,
  encodeOperation,
  type LogEntry,
  MAX_LINE,
  type Operation,
} from '../../../src/store/log/operation.ts'
import {
  sampleArtifact,
  sampleId,
  sampleObject,
  sampleOperation,
  samplePack,
  sampleVersion,
} from './samples.ts'

const test = suite('operation')

const PREV = sampleId('prev')
const GOLDEN = new URL('../../../../test/golden/', import.meta.url)

function full(): Operation {
  const artifact = sampleArtifact(1)
  const version = {
    ...sampleVersion(artifact, 0, { ...sampleObject(1), run: 'r1', parents: [sampleId(5)] }),
  }
  return sampleOperation(
    7,
    PREV,
    [
      { kind: 'artifact.create', artifact, project: 'vision', name: 'bike', type: 'model' },
      {
        ...version,
        description: 'first',
        metadata: { acc: 0.9, größe: [1, null] },
        tags: ['prod'],
      },
      { kind: 'alias.set', artifact, alias: 'latest', version: version.version, old: null },
    ],
    [samplePack(1), { ...samplePack(2), sha256: sampleId('file') }],
  )
}

test('reads what it writes', () => {
  const operation = full()
  const { bytes, hash } = encodeOperation(operation)
  assert.equal(decode(bytes), { kind: 'operation', operation, hash })
})

test('writes a line of canonical JSON and its SHA-256', () => {
  const { bytes, hash } = encodeOperation(full())
  const [line = '', second, rest] = bytes.toString().split('\n')
  assert.is(line, canonicalJson(JSON.parse(line)))
  assert.is(second, createHash('sha256').update(line).digest('hex'))
  assert.is(second, hash)
  assert.is(rest, '')
})

test('reads the golden operations of every format, and writes them again byte for byte', () => {
  assert.equal(kindsIn('log'), [
    'alias.remove',
    'alias.set',
    'artifact.create',
    'artifact.edit',
    'artifact.rename',
    'packs.drop',
    'undo',
    'version.add',
    'version.delete',
    'version.edit',
    'version.purge',
    'version.restore',
  ])
  assert.equal(kindsIn('log-2'), [
    'alias.remove',
    'alias.set',
    'artifact.create',
    'link.add',
    'link.remove',
    'run.finish',
    'run.logs',
    'run.start',
    'run.update',
    'run.uses',
    'undo',
    'version.add',
  ])
  assert.equal(kindsIn('log-3', 8), [
    'alias.set',
    'artifact.create',
    'draft.abort',
    'draft.finish',
    'draft.open',
    'draft.part',
    'run.logs',
    'run.start',
    'version.add',
  ])
  assert.equal(kindsIn('log-4', 6), [
    'alias.set',
    'artifact.create',
    'artifact.join',
    'link.add',
    'pull',
    'version.add',
    'version.fetch',
    'version.renumber',
  ])
})

/** The kinds of change in a golden log, which is read and written again. */
function kindsIn(directory: string, operations = 12): string[] {
  const golden = new URL(`${directory}/`, GOLDEN)
  let prev = readFileSync(new URL('format.json', golden), 'utf8').split('\n')[1] ?? ''
  const names = readdirSync(golden).filter((name) => /^\d+\.json$/.test(name))
  assert.is(names.length, operations)
  const kinds = new Set<string>()
  for (const [i, name] of names.sort().entries()) {
    const bytes = readFileSync(new URL(name, golden))
    const entry = decodeOperation(bytes, { n: i + 1, prev, path: name })
    if (entry.kind !== 'operation') throw new Error(`${name}: ${entry.why}`)
    assert.equal(encodeOperation(entry.operation).bytes, bytes)
    for (const change of entry.operation.changes) kinds.add(change.kind)
    prev = entry.hash
  }
  return [...kinds].sort()
}

test('takes no byte changed, lost or added', () => {
  const { bytes } = encodeOperation(full())
  for (let i = 0; i < bytes.length; i += 7) {
    const copy = Buffer.from(bytes)
    copy[i] = (copy[i] ?? 0) ^ 1
    assert.throws(() => decode(copy), isDamaged)
    assert.throws(() => decode(bytes.subarray(0, i)), isDamaged)
  }
  assert.throws(() => decode(bytes.subarray(0, -1)), isDamaged)
  assert.throws(() => decode(Buffer.concat([bytes, Buffer.from('\n')])), isDamaged)
  assert.throws(() => decode(Buffer.alloc(0)), isDamaged)
})

test('takes no operation from another place of the log, or of another log', () => {
  const { bytes } = encodeOperation(full())
  assert.throws(() => decodeOperation(bytes, { n: 8, prev: PREV, path: 'x' }), /its number is 7/)
  assert.throws(
    () => decodeOperation(bytes, { n: 7, prev: sampleId(2), path: 'x' }),
    /does not follow/,
  )
})

test('takes no line that has another spelling', () => {
  const line = canonicalJson(full())
  const wrong = [
    ` ${line}`,
    line.replace('{', '{ '),
    line.replace('"n":7', '"n":7.0'),
    line.replace('"n":7', '"n":6,"n":7'),
    line.replace('first', 'f\\u0069rst'),
    `\ufeff${line}`,
    'null',
    '[]',
    line.slice(0, -1),
  ]
  for (const text of wrong)
    assert.throws(() => decode(sealed(Buffer.from(text))), isDamaged, text.slice(0, 20))
  const notUtf8 = Buffer.from(line)
  notUtf8[notUtf8.indexOf('first')] = 0xff
  assert.throws(() => decode(sealed(notUtf8)), isDamaged)
  assert.is(decode(sealed(Buffer.from(line))).kind, 'operation')
})

test('takes no version that is not the hash of its object', () => {
  const operation = full()
  const changes = operation.changes.map((change) =>
    change.kind === 'version.add' ? { ...change, version: sampleId('other') } : change,
  )
  assert.throws(() => decode(sealed(canonicalJson({ ...operation, changes }))), isDamaged)
  assert.throws(() => encodeOperation({ ...operation, changes }), /not the hash of its object/)
})

test('tells what only a newer program understands from damage, and names that program', () => {
  const operation = full()
  const [create, add, set] = operation.changes
  const pack = samplePack(1)
  const edit = { ...versionOf(add), kind: 'version.edit', set: { ttl: 1 }, old: { ttl: null } }
  const artifactEdit = { artifact: sampleArtifact(1), kind: 'artifact.edit' }
  const runEnd = { kind: 'run.finish', run: 'r', state: 'failed', endedAt: operation.at }
  const use = { kind: 'run.uses', run: 'r', slot: 's', version: sampleId(1) }
  const newer: readonly [string, RegExp, object][] = [
    ['a kind', /unknown kind "run\.pause"/, { changes: [{ kind: 'run.pause', run: 'r1' }] }],
    ['no kind', /unknown kind/, { changes: [null] }],
    ['inherited kind', /unknown kind "toString"/, { changes: [{ kind: 'toString' }] }],
    ['a field', /"artifact\.create"/, { changes: [{ ...create, color: 'red' }] }],
    ['a lacking field', /"alias\.set"/, { changes: [{ ...set, old: undefined }] }],
    ['a name', /field "name"/, { changes: [{ ...create, name: 'a..b' }] }],
    ['an alias', /field "alias"/, { changes: [{ ...set, alias: 'v1' }] }],
    ['a number', /field "number"/, { changes: [{ ...add, number: -1 }] }],
    ['a fraction', /field "number"/, { changes: [{ ...add, number: 0.5 }] }],
    ['tags', /field "tags"/, { changes: [{ ...add, tags: ['a', 'a'] }] }],
    ['metadata', /field "metadata"/, { changes: [{ ...add, metadata: [] }] }],
    ['no label', /"version\.edit"/, { changes: [{ ...edit, set: {}, old: {} }] }],
    ['other old labels', /"version\.edit"/, { changes: [{ ...edit, old: { tags: null } }] }],
    ['more old labels', /"version\.edit"/, { changes: [{ ...edit, old: { ttl: 1, tags: null } }] }],
    ['an odd label', /"set\.colou?r"/, { changes: [{ ...edit, set: { color: 1 } }] }],
    ['no tags', /"set\.tags"/, { changes: [{ ...edit, set: { tags: [] }, old: { tags: null } }] }],
    ['a ttl of 0', /"set\.ttl"/, { changes: [{ ...edit, set: { ttl: 0 } }] }],
    ['a ttl in words', /"set\.ttl"/, { changes: [{ ...edit, set: { ttl: '30d' } }] }],
    [
      'an artifact without type',
      /"set\.type"/,
      { changes: [{ ...artifactEdit, set: { type: null }, old: { type: 'model' } }] },
    ],
    ['the id of a run', /"run"/, { changes: [{ ...runEnd, run: 'a/b' }] }],
    ['the state of a run', /"state"/, { changes: [{ ...runEnd, state: 'odd' }] }],
    ['an exit code', /"exitCode"/, { changes: [{ ...runEnd, exitCode: 256 }] }],
    ['an empty slot', /"slot"/, { changes: [{ ...use, slot: '' }] }],
    ['a used version', /"version"/, { changes: [{ ...use, version: 'v3' }] }],
    ['a portfolio that is none', /"portfolio"/, { changes: [{ ...create, portfolio: false }] }],
    ['no pack', /"packs"/, { changes: [{ kind: 'packs.drop', packs: [] }] }],
    ['operation 0', /"operation"/, { changes: [{ kind: 'undo', operation: 0 }] }],
    ['an envelope field', /"color"/, { color: 'red' }],
    ['no change', /"changes"/, { changes: [] }],
    ['a time', /"at"/, { at: '2026-02-30T10:00:00.000Z' }],
    ['a pack kind', /"packs\.0\.kind"/, { packs: [{ ...pack, kind: 'odd' }] }],
    ['a pack size', /"packs\.0\.bytes"/, { packs: [{ ...pack, bytes: 2 ** 26 + 1 }] }],
    ['a table', /"packs\.0"/, { packs: [{ ...pack, toc: [100, 77] }] }],
  ]
  for (const [what, why, change] of newer) {
    const value = { ...operation, tool: 'artifacts/9.0.0', ...change }
    const entry = decode(sealed(canonicalJson(JSON.parse(JSON.stringify(value)))))
    if (entry.kind !== 'unknown') throw new Error(`${what} was taken`)
    assert.match(entry.why, why)
    assert.is(entry.tool, 'artifacts/9.0.0')
    assert.is(entry.n, 7)
  }
})

test('refuses to write what it would not read', () => {
  const operation = full()
  assert.throws(() => encodeOperation({ ...operation, changes: [] }), /"changes"/)
  assert.throws(() => encodeOperation({ ...operation, nonce: 'x' }), /"nonce"/)
  const metadata = { text: 'x'.repeat(MAX_LINE) }
  const [create, add] = operation.changes
  if (create === undefined || add?.kind !== 'version.add') throw new Error('unreachable')
  const large = { ...operation, changes: [create, { ...add, metadata }] }
  assert.throws(
    () => encodeOperation(large),
    (error: unknown) => codeOf(error) === 'ERR_USAGE',
  )
  assert.throws(() => decode(sealed(canonicalJson(large))), isDamaged)
})

test('keeps metadata keys that mean something to JavaScript', () => {
  const operation = full()
  const add = operation.changes[1]
  if (add?.kind !== 'version.add') throw new Error('unreachable')
  const metadata = JSON.parse('{"__proto__":1,"constructor":2,"toString":{"a":3}}')
  const { bytes } = encodeOperation({ ...operation, changes: [{ ...add, metadata }] })
  const entry = decode(bytes)
  const read = entry.kind === 'operation' ? entry.operation.changes[0] : undefined
  assert.is(
    canonicalJson(read?.kind === 'version.add' ? read.metadata : null),
    canonicalJson(metadata),
  )
})

function versionOf(change: Change | undefined): object {
  if (change?.kind !== 'version.add') throw new Error('unreachable')
  return { artifact: change.artifact, version: change.version }
}

function decode(bytes: Buffer): LogEntry {
  return decodeOperation(bytes, { n: 7, prev: PREV, path: 'log/000000000007.json' })
}

function sealed(line: string | Buffer): Buffer {
  const hash = createHash('sha256').update(line).digest('hex')
  return Buffer.concat([Buffer.from(line), Buffer.from(`\n${hash}\n`)])
}

function isDamaged(error: unknown): boolean {
  return codeOf(error) === 'ERR_DAMAGED'
}

function codeOf(error: unknown): string | undefined {
  return error instanceof ArtifactsError ? error.code : undefined
}

test.run()
