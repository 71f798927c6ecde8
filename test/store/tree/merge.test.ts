import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { entries } from '../../../src/store/tree/cursor.ts'
import { diffTrees } from '../../../src/store/tree/diff.ts'
import { type EntryEdit, type MergeOptions, mergeEntries } from '../../../src/store/tree/merge.ts'
import type { Entry, EntryPath } from '../../../src/types.ts'
import { throwsCode } from '../../support/rejects.ts'
import { anyEntries, arrange, directory, file, Nodes } from './trees.ts'

const test = suite('merge')

function add(...paths: string[]): EntryEdit[] {
  return paths.map((path) => ({ path: path as EntryPath, entry: file(path, 'new') }))
}

function remove(...paths: string[]): EntryEdit[] {
  return paths.map((path) => ({ path: path as EntryPath }))
}

function merged(
  base: readonly string[],
  edits: readonly EntryEdit[],
  options?: MergeOptions,
): string[] {
  const found = mergeEntries(
    base.map((path) => file(path, 'old')),
    edits,
    options,
  )
  return Array.from(found, (entry) =>
    entry.kind === 'file' && entry.size === 3 ? label(entry) : entry.path,
  )
}

function label(entry: Entry): string {
  const isNew =
    entry.kind === 'file' && entry.content.kind === 'inline' && entry.content.bytes[0] === 0x6e
  return isNew ? `+${entry.path}` : entry.path
}

test('entries are added, replaced and removed', () => {
  assert.equal(merged(['b', 'd', 'f'], []), ['b', 'd', 'f'])
  assert.equal(merged([], add('a', 'b')), ['+a', '+b'])
  assert.equal(merged(['b', 'd', 'f'], [...add('a', 'b'), ...remove('d'), ...add('e', 'g')]), [
    '+a',
    '+b',
    '+e',
    'f',
    '+g',
  ])
})

test('removing what is not there changes nothing', () => {
  assert.equal(merged(['b'], remove('a', 'b/c', 'c')), ['b'])
})

test('from any version the edits lead to the same tree as building it anew', () => {
  fc.assert(
    fc.property(anyEntries, anyEntries, (a, b) => {
      const nodes = new Nodes()
      const [before, after] = [nodes.build(a).root, nodes.build(b)]
      const edits = Array.from(diffTrees(nodes.read, before, after.root), (change) => ({
        path: change.path,
        ...(change.after && { entry: change.after }),
      }))
      const built = nodes.build(mergeEntries(entries(nodes.read, before), edits))
      assert.equal({ ...built, nodes: 0 }, { ...after, nodes: 0 })
    }),
    { numRuns: 100 },
  )
})

test('with replace any set of new entries takes its place', () => {
  fc.assert(
    fc.property(anyEntries, anyEntries, (base, added) => {
      const edits = added.map((entry) => ({ path: entry.path, entry }))
      const clashes = (path: string): boolean =>
        added.some((one) => path.startsWith(`${one.path}/`) || one.path.startsWith(`${path}/`))
      const expected = arrange([...added, ...base.filter(({ path }) => !clashes(path))])
      assert.equal([...mergeEntries(base, edits, { replace: true })], expected)
    }),
    { numRuns: 200 },
  )
})

test('a new entry above or below one of the base is refused, naming both', () => {
  for (const [base, added] of [
    [['a/b'], 'a'],
    [['a.b', 'a/b/c', 'b'], 'a'],
    [['a'], 'a/b'],
    [['a', 'a.b', 'a.c'], 'a/b/c'],
  ] as const) {
    const error = throwsCode(() => merged(base, add(added)), 'ERR_INVALID_PATH')
    assert.match(error.message, `path "${added}" cannot be added: "${error.data['other']}"`)
    assert.ok(base.includes(error.data['other'] as never))
  }
})

test('the clash goes away when the same edits remove what stands in the way', () => {
  assert.equal(merged(['a/b', 'c'], [...add('a'), ...remove('a/b')]), ['+a', 'c'])
  assert.equal(merged(['a', 'a.b'], [...remove('a'), ...add('a/b')]), ['a.b', '+a/b'])
  assert.equal(merged(['a', 'a.b'], [...add('a.c'), ...remove('a/b')]), ['a', 'a.b', '+a.c'])
})

test('with replace the new entry takes the place of what stood in the way', () => {
  const replace = { replace: true }
  assert.equal(merged(['a.b', 'a/b', 'a/c/d', 'b'], add('a'), replace), ['+a', 'a.b', 'b'])
  assert.equal(merged(['a', 'a.b', 'b'], add('a/b'), replace), ['a.b', '+a/b', 'b'])
})

test('a name that only begins alike is no clash', () => {
  assert.equal(merged(['ab', 'b', 'c/x'], add('a', 'bb', 'c.x')), [
    '+a',
    'ab',
    'b',
    '+bb',
    '+c.x',
    'c/x',
  ])
})

test('a directory of the base gives way when something is put below it', () => {
  const base = [directory('a'), directory('b')]
  const found = mergeEntries(base, add('a/x'))
  assert.equal(
    Array.from(found, ({ path }) => path),
    ['a/x', 'b'],
  )
})

test('a directory of the base that a new entry lies above is refused', () => {
  throwsCode(() => [...mergeEntries([directory('a/b')], add('a'))], 'ERR_INVALID_PATH')
})

test('edits out of order are a mistake of the program', () => {
  assert.throws(() => merged([], add('b', 'a')), 'edits must ascend: "a" stands behind "b"')
  assert.throws(() => merged([], add('a', 'a')), 'edits must ascend')
})

test('the base is read only as far as it is asked for', () => {
  let taken = 0
  const base = (function* () {
    for (const path of ['a', 'b', 'c']) {
      taken++
      yield file(path)
    }
  })()
  assert.is(mergeEntries(base, add('b')).next().value?.path, 'a')
  assert.is(taken, 1)
})

test.run()
