import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { followedEntries } from '../src/links.ts'
import { comparePaths } from '../src/store/tree/paths.ts'
import type { Entry } from '../src/types.ts'
import { directory, file, Nodes, symlink } from './store/tree/trees.ts'
import { throwsCode } from './support/rejects.ts'

const test = suite('links')

test('without links the files come as they are, and empty directories do not', () => {
  assert.equal(seen([file('a', '1'), directory('b'), file('c/d', '2')]), { a: '1', 'c/d': '2' })
})

test('a link to a file is that file, through other links and through directories', () => {
  const found = seen([
    file('data/one.txt', 'one'),
    symlink('data/two.txt', './one.txt'),
    symlink('deep/er/three.txt', '../../data/two.txt'),
    symlink('via', 'deep/er'),
    symlink('four.txt', 'via/three.txt'),
  ])
  assert.equal(found, {
    'data/one.txt': 'one',
    'data/two.txt': 'one',
    'deep/er/three.txt': 'one',
    'four.txt': 'one',
    'via/three.txt': 'one',
  })
})

test('what is below a link to a directory stands where its path belongs', () => {
  const found = seen([
    file('b/x', '1'),
    file('b/y/z', '2'),
    symlink('a', 'b'),
    file('a!', 'before a/'),
    file('a0', 'after a/'),
  ])
  assert.equal(found, {
    'a!': 'before a/',
    'a/x': '1',
    'a/y/z': '2',
    a0: 'after a/',
    'b/x': '1',
    'b/y/z': '2',
  })
})

test('two links to directories whose paths lie within each other keep the order', () => {
  const found = seen([
    file('d/x', '1'),
    file('d/y', '2'),
    symlink('m', 'd'),
    symlink('m!', 'd'),
    symlink('m0', 'd'),
  ])
  assert.equal(Object.keys(found), ['d/x', 'd/y', 'm!/x', 'm!/y', 'm/x', 'm/y', 'm0/x', 'm0/y'])
})

const LEADS_NOWHERE: Readonly<Record<string, readonly Entry[]>> = {
  'to nothing': [symlink('a', 'gone')],
  'outside by an absolute path': [symlink('a', '/etc/passwd')],
  'outside by its parents': [symlink('d/a', '../../x'), file('x')],
  'to itself': [symlink('a', 'a')],
  'to another that leads back': [symlink('a', 'b'), symlink('b', 'a')],
  'to a directory around itself': [symlink('d/a', '.'), file('d/b')],
  'to all of the version': [symlink('d/a', '..'), file('d/b')],
  'to a directory with a link back into it': [
    file('d/b'),
    symlink('d/c', '../e'),
    symlink('e/f', '../d'),
  ],
}

for (const [where, all] of Object.entries(LEADS_NOWHERE)) {
  test(`a link that leads ${where} is refused by name`, () => {
    const link = all.find(({ kind }) => kind === 'symlink')
    const { message } = throwsCode(() => seen(all), 'ERR_UNSUPPORTED')
    assert.match(message, `"${link?.path}"`)
  })
}

test.run()

/** What files are seen at which paths, in their order. */
function seen(all: readonly Entry[]): Record<string, string> {
  const nodes = new Nodes()
  const sorted = [...all].sort((a, b) => comparePaths(a.path, b.path))
  const { root } = nodes.build(sorted)
  const found: Record<string, string> = {}
  for (const { path, entry } of followedEntries(nodes.read, root)) {
    assert.ok(entry.kind === 'file' && entry.content.kind === 'inline')
    if (entry.kind === 'file' && entry.content.kind === 'inline') {
      found[path] = Buffer.from(entry.content.bytes).toString()
    }
  }
  return found
}
