import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type NameLimits,
  refuseUnportable,
  unportable,
} from '../../../src/store/checkout/portable.ts'
import { comparePaths } from '../../../src/store/tree/paths.ts'
import type { EntryPath } from '../../../src/types.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('portable')
const ALL: NameLimits = { characters: true, devices: true, folds: true }
const NONE: NameLimits = { characters: false, devices: false, folds: false }

function refused(paths: readonly string[], limits: Partial<NameLimits>): string[] {
  const entries = paths.toSorted(comparePaths).map((path) => ({ path: path as EntryPath }))
  return unportable(entries, { ...NONE, ...limits }).map(({ path }) => path)
}

test('names that Windows has no room for are found in every part of a path', () => {
  const bad = ['a:b', 'x/what?/y', 'd/a\\b', 'tab\there', 'end.', 'space /f', 'q"q']
  const good = ['a.b', '.hidden', 'x y', 'ünïcode', "it's", 'com', '{a}']
  assert.equal(refused([...bad, ...good], { characters: true }), bad.toSorted(comparePaths))
  assert.equal(refused(bad, { devices: true, folds: true }), [])
})

test('names of devices are found, with any ending and in any case', () => {
  const bad = ['AUX', 'con', 'lib/nul.txt', 'Com1.tar.gz', 'lpt9']
  assert.equal(
    refused([...bad, 'console', 'com10', 'nul2', 'a.con'], { devices: true }),
    bad.toSorted(comparePaths),
  )
})

test('names that differ only in case or in how a letter is written are found', () => {
  const paths = ['A', 'a', 'b/X/1', 'b/x/2', 'caf\u00e9', 'cafe\u0301', 'b/X/3', 'd/a', 'd/b']
  assert.equal(refused(paths, { folds: true }), ['a', 'b/x/2', 'caf\u00e9'])
})

test('the same name in different directories is no clash, wherever they lie', () => {
  const paths = ['a', 'a-b/a', 'a.b/A', 'b/a/a/a', 'b/c/A', 'c/b/a']
  assert.equal(refused(paths, ALL), [])
})

test('a directory that clashes is named by what lies in it', () => {
  assert.equal(refused(['Src/a', 'src/a', 'src/b'], { folds: true }), ['src/a'])
})

test('where the file system holds every name, nothing is asked', async () => {
  await using dir = await temporaryDirectory()
  refuseUnportable({ ref: 'a:v0', dir: `${dir.path}/not/there/yet` }, () => {
    throw new Error('asked')
  })
})

test.run()
