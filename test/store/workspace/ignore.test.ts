import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pathAt } from '../../../src/store/workspace/batch.ts'
import { IGNORE_FILE } from '../../../src/store/workspace/ignore.ts'
import { type WalkOptions, walk } from '../../../src/store/workspace/walk.ts'
import { type Tree, writeTree } from '../../support/files.ts'
import { throwsCode } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('ignore')

function pathsBelow(root: string, options: WalkOptions = {}): string[] {
  return [...walk(root, options)].flatMap((batch) =>
    Array.from({ length: batch.length }, (_, index) => pathAt(batch, index) as string),
  )
}

async function pathsOf(tree: Tree, options: WalkOptions = {}): Promise<string[]> {
  await using temporary = await temporaryDirectory()
  writeTree(temporary.path, tree)
  return pathsBelow(temporary.path, options)
}

/** Every file and directory below `directory`, whatever any file says. */
function everythingBelow(directory: string, prefix = ''): string[] {
  return fs.readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = prefix + entry.name
    if (!entry.isDirectory()) return [path]
    if (entry.name === '.git') return []
    return [path, ...everythingBelow(join(directory, entry.name), `${path}/`)]
  })
}

const GIT_ENV = {
  PATH: process.env['PATH'],
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
}

function ignoredByGit(repository: string, paths: readonly string[]): Set<string> {
  const args = ['-C', repository, 'check-ignore', '--no-index', '--stdin', '-z']
  const { stdout, stderr, status } = spawnSync('git', args, {
    input: paths.map((path) => `${path}\0`).join(''),
    env: GIT_ENV,
    encoding: 'utf8',
  })
  if (status !== 0 && status !== 1) throw new Error(stderr)
  return new Set(stdout.split('\0'))
}

const name = fc.constantFrom('a', 'b', 'ab', 'a.b', 'b c', '[a]', 'a#')
const path = fc
  .array(name, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.map((part, at) => (at < parts.length - 1 ? `${part}.d` : part)).join('/'))
const segment = fc.oneof(
  name.map((text) => text.replace(/[[\]]/g, '\\$&')),
  name.map((text) => `${text.replace(/[[\]]/g, '\\$&')}.d`),
  fc.constantFrom(
    '*',
    '**',
    '?',
    'a*',
    '*b',
    '*.d',
    '[ab]',
    '[!a]',
    '[[:alpha:]]',
    '\\a',
    'a?',
    '.*',
  ),
)
const pattern = fc
  .record({
    negated: fc.boolean(),
    anchored: fc.boolean(),
    segments: fc.array(segment, { minLength: 1, maxLength: 3 }),
    end: fc.constantFrom('', '', '/', '  ', '\\ '),
  })
  .map(
    ({ negated, anchored, segments, end }) =>
      `${negated ? '!' : ''}${anchored ? '/' : ''}${segments.join('/')}${end}`,
  )
const line = fc.oneof(
  { weight: 8, arbitrary: pattern },
  { weight: 1, arbitrary: fc.constantFrom('', '# a', '\\#', '!', '/', '\\', '[', 'a\\', '*/') },
)
const patterns = fc
  .array(line, { minLength: 1, maxLength: 6 })
  .map((lines) => `${lines.join('\n')}\n`)
const where = fc.oneof(
  fc.constant(''),
  path.map((text) => `${text}.d/`),
)

test('leaves out exactly what git check-ignore says', async () => {
  if (spawnSync('git', ['--version']).status !== 0) return
  await using temporary = await temporaryDirectory()
  const root = join(temporary.path, 'work')
  execFileSync('git', ['init', '-q', temporary.path], { env: GIT_ENV })
  const tree = fc.record({
    paths: fc.uniqueArray(path, { minLength: 5, maxLength: 25 }),
    files: fc.dictionary(where, patterns, { minKeys: 1, maxKeys: 4 }),
  })
  fc.assert(
    // Many at once, for one git.
    fc.property(fc.array(tree, { minLength: 1, maxLength: 20 }), (trees) => {
      fs.rmSync(root, { recursive: true, force: true })
      for (const [number, { paths, files }] of trees.entries()) {
        const top = join(root, String(number))
        writeTree(top, Object.fromEntries(paths.map((each) => [each, 'x'])))
        for (const [directory, text] of Object.entries(files)) {
          writeTree(top, { [`${directory}${IGNORE_FILE}`]: text, [`${directory}.gitignore`]: text })
        }
      }
      const all = everythingBelow(root)
      const ignored = ignoredByGit(root, all)
      const kept = all.filter((each) => !ignored.has(each))
      const parents = new Set(kept.map(dirname))
      const entries = kept.filter((each) => !parents.has(each))
      assert.equal(pathsBelow(root).sort(), entries.sort())
    }),
    { numRuns: 12 },
  )
})

test('a deeper file decides over an upper one, and opens a directory that the upper one hides', async () => {
  const tree = {
    [IGNORE_FILE]: '*.log\nout\n',
    'a/.artifactsignore': '!keep.log\n!out/\n',
    'a/keep.log': '',
    'a/other.log': '',
    'a/out/x': '',
    'a/out/x.log': '',
    'a/out/deep/out': '',
    'out/x': '',
  }
  assert.equal(await pathsOf(tree), [
    IGNORE_FILE,
    'a/.artifactsignore',
    'a/keep.log',
    'a/out/deep',
    'a/out/x',
  ])
  assert.equal((await pathsOf(tree, { ignore: false })).length, Object.keys(tree).length)
})

test('opens a directory whatever characters its name has', async () => {
  const odd = 'a[b]*?\\ !#\n '
  assert.equal(
    await pathsOf({
      [IGNORE_FILE]: 'top/*\n*.x\n',
      'top/.artifactsignore': '!*/\n',
      [`top/${odd}/kept`]: '',
      [`top/${odd}/lost.x`]: '',
      'top/a/kept': '',
    }),
    [IGNORE_FILE, 'top/a/kept', `top/${odd}/kept`],
  )
})

test('does not read .gitignore, nor an ignore file that is a link, a FIFO or a directory', async () => {
  await using temporary = await temporaryDirectory()
  const root = temporary.path
  writeTree(root, {
    '.gitignore': '*',
    'link/.artifactsignore': { symlink: '../.gitignore' },
    'link/x': '',
    'fifo/x': '',
    'directory/.artifactsignore/x': '',
  })
  execFileSync('mkfifo', [join(root, 'fifo', IGNORE_FILE)])
  assert.equal(pathsBelow(root), [
    '.gitignore',
    'directory/.artifactsignore/x',
    'fifo/x',
    'link/.artifactsignore',
    'link/x',
  ])
})

test('a directory in which everything is ignored is an empty directory, an ignored one is nothing', async () => {
  assert.equal(await pathsOf({ [IGNORE_FILE]: '*.log\nout/\n', 'a/x.log': '', 'out/x': '' }), [
    IGNORE_FILE,
    'a',
  ])
})

test('names differ by case', async () => {
  assert.equal(await pathsOf({ [IGNORE_FILE]: 'readme\n', README: '' }), [IGNORE_FILE, 'README'])
})

test('--exclude decides over the files, also with !', async () => {
  const tree = {
    [IGNORE_FILE]: 'out\n*.log\n',
    'out/x': '',
    'out/y.log': '',
    'src/x': '',
    'src/z': '',
  }
  assert.equal(await pathsOf(tree, { exclude: ['!out', 'src/x', IGNORE_FILE] }), ['out/x', 'src/z'])
})

test('--include keeps what matches and what lies in a directory that does', async () => {
  const tree = {
    [IGNORE_FILE]: 'x.csv\n',
    'a.csv': '',
    'a/x.csv': '',
    'a/y.csv': '',
    'a/y.txt': '',
    'b/c/any': '',
    'b/c/none': null,
    'b/other': null,
  }
  assert.equal(await pathsOf(tree, { include: ['*.csv', 'b/c/'] }), [
    'a.csv',
    'a/y.csv',
    'b/c/any',
    'b/c/none',
  ])
  assert.equal(await pathsOf(tree, { include: ['*.csv', '!/a.csv'], exclude: ['y.*'] }), [])
})

test('refuses an ignore file of more than 4 MiB', async () => {
  await using temporary = await temporaryDirectory()
  writeTree(temporary.path, { [IGNORE_FILE]: Buffer.alloc((4 << 20) + 1, '#') })
  throwsCode(() => pathsBelow(temporary.path), 'ERR_CONFIG')
})

test('forgets the paths that it has tested', async () => {
  await using temporary = await temporaryDirectory()
  writeTree(temporary.path, { [IGNORE_FILE]: '*5\n' })
  for (let n = 0; n < 12_000; n++) fs.writeFileSync(join(temporary.path, `f${n}`), '')
  assert.is(pathsBelow(temporary.path).length, 1 + 12_000 - 1200)
})

test.run()
