import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { classify, type Difference } from '../../../src/store/tree/classify.ts'
import { diffTrees } from '../../../src/store/tree/diff.ts'
import type { Entry } from '../../../src/types.ts'
import {
  anyEntries,
  arrange,
  bigFile,
  directory,
  file,
  Nodes,
  reference,
  symlink,
} from './trees.ts'

const test = suite('classify')

function differences(a: readonly Entry[], b: readonly Entry[], renames?: boolean): Difference[] {
  const nodes = new Nodes()
  const changes = diffTrees(nodes.read, nodes.build(arrange(a)).root, nodes.build(arrange(b)).root)
  return [...classify(changes, renames === undefined ? {} : { renames })]
}

function summary(a: readonly Entry[], b: readonly Entry[], renames?: boolean): string[] {
  return differences(a, b, renames).map((one) =>
    one.kind === 'renamed' ? `renamed ${one.from} ${one.path}` : `${one.kind} ${one.path}`,
  )
}

test('every kind of change has its name', () => {
  const a = [
    file('changed', 'one'),
    file('gone', 'gone'),
    file('mode', 'x'),
    file('mode-and-content', 'x'),
    bigFile('grown', 5000),
    symlink('link', 'a'),
    reference('remote', 'a'),
    file('to-link', 'x'),
    directory('to-file'),
    file('same', 'x'),
  ]
  const b = [
    file('changed', 'two'),
    file('mode', 'x', true),
    file('mode-and-content', 'y', true),
    bigFile('grown', 500_000),
    symlink('link', 'b'),
    reference('remote', 'b'),
    symlink('to-link', 'x'),
    file('to-file', ''),
    file('same', 'x'),
    file('new', 'new'),
  ]
  assert.equal(summary(a, b), [
    'modified changed',
    'removed gone',
    'modified grown',
    'modified link',
    'mode mode',
    'modified mode-and-content',
    'added new',
    'modified remote',
    'type to-file',
    'type to-link',
  ])
})

test('a difference carries both sides', () => {
  const [was, is] = [file('a', 'x'), file('a', 'y')]
  assert.equal(differences([was], [is]), [{ kind: 'modified', path: 'a', before: was, after: is }])
  assert.equal(differences([was], []), [{ kind: 'removed', path: 'a', before: was }])
  assert.equal(differences([], [is]), [{ kind: 'added', path: 'a', after: is }])
  const moved = file('b', 'x', true)
  assert.equal(differences([was], [moved]), [
    { kind: 'renamed', path: 'b', from: 'a', before: was, after: moved },
  ])
})

test('what moved with the same content is renamed, at its new place', () => {
  const a = [file('b/inline', 'x'), bigFile('b/chunk', 500, '1'), bigFile('b/recipe', 300_000, '2')]
  const b = [file('a/inline', 'x'), bigFile('c/chunk', 500, '1'), bigFile('a/recipe', 300_000, '2')]
  assert.equal(
    summary(
      [...a, symlink('l', 't'), reference('r', 'u')],
      [...b, symlink('m', 't'), reference('s', 'u')],
    ),
    [
      'renamed b/inline a/inline',
      'renamed b/recipe a/recipe',
      'renamed b/chunk c/chunk',
      'renamed l m',
      'renamed r s',
    ],
  )
})

test('empty files, directories, other content and copies are not renamed', () => {
  assert.equal(summary([file('a', '')], [file('b', '')]), ['removed a', 'added b'])
  assert.equal(summary([directory('a')], [directory('b')]), ['removed a', 'added b'])
  assert.equal(summary([file('a', 'x')], [file('b', 'y')]), ['removed a', 'added b'])
  assert.equal(summary([file('a', 'x')], [symlink('b', 'x')]), ['removed a', 'added b'])
  assert.equal(summary([file('a', 'x')], [file('a', 'x'), file('b', 'x')]), ['added b'])
  assert.equal(summary([bigFile('a', 500, 'q')], [bigFile('b', 300_000, 'q')]), [
    'removed a',
    'added b',
  ])
})

test('of several with the same content those of the same name go together, then the first in order', () => {
  const a = [file('a/one', 'x'), file('b/two', 'x'), file('c/three', 'x'), file('d/one', 'x')]
  assert.equal(summary(a, [file('z/two', 'x'), file('z/other', 'x'), file('z/one', 'x')]), [
    'removed d/one',
    'renamed a/one z/one',
    'renamed c/three z/other',
    'renamed b/two z/two',
  ])
})

test('each removed entry is the source of one rename at most', () => {
  assert.equal(summary([file('a', 'x')], [file('b', 'x'), file('c', 'x')]), [
    'renamed a b',
    'added c',
  ])
})

test('a path that holds something else now is not the source of a rename', () => {
  assert.equal(summary([file('a', 'x')], [file('a', 'y'), file('b', 'x')]), [
    'modified a',
    'added b',
  ])
})

test('without renames every change stands for itself and comes one by one', () => {
  assert.equal(summary([file('a', 'x')], [file('b', 'x')], false), ['removed a', 'added b'])
  let taken = 0
  const changes = (function* () {
    for (const path of ['a', 'b', 'c']) {
      taken++
      const after = file(path)
      yield { path: after.path, after }
    }
  })()
  assert.is(classify(changes, { renames: false }).next().value?.path, 'a')
  assert.is(taken, 1)
})

test('with its renames split in two a list is the one without renames', () => {
  fc.assert(
    fc.property(anyEntries, anyEntries, (a, b) => {
      const split = differences(a, b).flatMap((one) =>
        one.kind === 'renamed'
          ? [`removed ${one.from}`, `added ${one.path}`]
          : `${one.kind} ${one.path}`,
      )
      assert.equal(split.sort(), summary(a, b, false).sort())
    }),
    { numRuns: 100 },
  )
})

test.run()
