import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pathAt } from '../../../src/store/workspace/batch.ts'
import { IgnoredPaths } from '../../../src/store/workspace/ignored-paths.ts'
import { walk } from '../../../src/store/workspace/walk.ts'
import { listTree } from '../../library/random-trees.ts'
import { writeTree } from '../../support/files.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('workspace/ignored-paths')

test('says of every path what a walk finds', async () => {
  await using dir = await temporaryDirectory()
  writeTree(dir.path, {
    '.artifactsignore': '*.log\nbuild/\n/only-here\n!keep.log\ncache/*\n!cache/back\n',
    'a.log': '',
    'keep.log': '',
    'only-here': '',
    'sub/only-here': '',
    'build/x': '',
    'sub/build/deep/y': '',
    'sub/.artifactsignore': '!b.log\nc.txt\n',
    'sub/b.log': '',
    'sub/c.txt': '',
    'sub/deep/c.txt': '',
    'sub/deep/d.log': '',
    'cache/gone/x': '',
    'cache/back/x': '',
    build2: '',
  })
  const found = new Set<string>()
  for (const batch of walk(dir.path)) {
    for (let index = 0; index < batch.length; index++) found.add(pathAt(batch, index))
  }
  const ignored = new IgnoredPaths(dir.path)
  const files = listTree(dir.path).filter(
    (path) => /[a-z\d]$/.test(path) && !/(sub|deep|build|cache|gone|back)$/.test(path),
  )
  assert.ok(files.length > 12)
  for (const path of files) assert.is(ignored.test(path), !found.has(path), path)
  assert.ok(ignored.test('build/'))
  assert.not(ignored.test('sub/'))
})

test('reads the files anew when told to', async () => {
  await using dir = await temporaryDirectory()
  const ignored = new IgnoredPaths(dir.path)
  assert.not(ignored.test('a'))
  writeFileSync(join(dir.path, '.artifactsignore'), 'a\n')
  assert.not(ignored.test('a'))
  ignored.forget()
  assert.ok(ignored.test('a'))
})

test.run()
