import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { STAGING_PREFIX, temporaryName } from '../../../src/store/layout.ts'
import { pathAt, WalkKind } from '../../../src/store/workspace/batch.ts'
import { readNames } from '../../../src/store/workspace/directory-names.ts'
import { type WalkOptions, walk } from '../../../src/store/workspace/walk.ts'
import { writeTree } from '../../support/files.ts'
import { throwsCode } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('walk')

interface Nested {
  readonly [name: string]: 'file' | 'link' | Nested
}

/** Names that sort differently as UTF-16, as parts of a path, or as whole paths. */
const names = fc.constantFrom(
  'a',
  'a-b',
  'a.b',
  'a b',
  'a0',
  'A',
  'é',
  '\ufffd',
  '\ue000',
  '\u{10000}',
  'a\n',
  '\u0001',
  'x'.repeat(90),
)
const { tree: nested } = fc.letrec<{ tree: Nested }>((tie) => ({
  tree: fc.dictionary(
    names,
    fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { weight: 2, arbitrary: fc.constantFrom('file' as const, 'link' as const) },
      { weight: 2, arbitrary: tie('tree') },
    ),
    { maxKeys: 5 },
  ),
}))

function make(directory: string, tree: Nested): void {
  fs.mkdirSync(directory)
  for (const [name, item] of Object.entries(tree)) {
    const path = join(directory, name)
    if (item === 'file') fs.writeFileSync(path, name)
    else if (item === 'link') fs.symlinkSync(`to ${name}`, path)
    else make(path, item)
  }
}

function pathsOf(tree: Nested, prefix = ''): string[] {
  return Object.entries(tree).flatMap(([name, item]) =>
    typeof item === 'string' || Object.keys(item).length === 0
      ? [prefix + name]
      : pathsOf(item, `${prefix}${name}/`),
  )
}

function pathsBelow(root: string, options: WalkOptions = {}): string[] {
  return [...walk(root, options)].flatMap((batch) =>
    Array.from({ length: batch.length }, (_, index) => pathAt(batch, index) as string),
  )
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

test('yields the paths of all files, symlinks and empty directories in the order of their bytes', async () => {
  await using temporary = await temporaryDirectory()
  let number = 0
  fc.assert(
    fc.property(nested, (tree) => {
      const root = join(temporary.path, String(number++))
      make(root, tree)
      assert.equal(pathsBelow(root), pathsOf(tree).sort(byBytes))
    }),
    { numRuns: 50 },
  )
})

test('puts an empty directory before the siblings that begin with its name, a filled one behind them', async () => {
  await using temporary = await temporaryDirectory()
  writeTree(temporary.path, { run: null, 'run-1': 'x', 'run.2/x': 'x', 'up/x': 'x', 'up-1': 'x' })
  assert.equal(pathsBelow(temporary.path), ['run', 'run-1', 'run.2/x', 'up-1', 'up/x'])
})

test('tells kind, size, times, inode, owner execute bit and target', async () => {
  await using temporary = await temporaryDirectory()
  writeTree(temporary.path, {
    plain: { content: 'four', mode: 0o674 },
    tool: { content: '', mode: 0o700 },
    'to ü': { symlink: '../elsewhere/ü' },
    void: null,
  })
  const [batch, ...rest] = walk(temporary.path)
  assert.equal(rest, [])
  if (batch === undefined) throw new Error('no batch')
  const { file, symlink, directory } = WalkKind
  assert.equal(batch.names, ['plain', 'to ü', 'tool', 'void'])
  assert.equal([...batch.kinds], [file, symlink, file, directory])
  assert.equal([...batch.sizes], [4, 15, 0, 0])
  assert.equal([...batch.executables], [0, 0, 1, 0])
  assert.equal([...batch.targets], [[1, '../elsewhere/ü']])
  const stat = fs.lstatSync(join(temporary.path, 'plain'))
  assert.is(batch.mtimes[0], stat.mtimeMs)
  assert.is(batch.ctimes[0], stat.ctimeMs)
  assert.is(batch.inodes[0], stat.ino)
  assert.is(batch.device, stat.dev)
})

test('cuts a directory with many files into batches of 1,024', async () => {
  await using temporary = await temporaryDirectory()
  for (let n = 0; n < 2500; n++) fs.writeFileSync(join(temporary.path, `${n}`), '')
  const batches = [...walk(temporary.path)]
  assert.equal(
    batches.map(({ length }) => length),
    [1024, 1024, 452],
  )
  assert.is(new Set(batches.flatMap((batch) => batch.names)).size, 2500)
})

test('reads a directory in pieces with the same result', async () => {
  await using temporary = await temporaryDirectory()
  for (let n = 0; n < 1500; n++) fs.writeFileSync(join(temporary.path, `${n}`), '')
  writeTree(temporary.path, { 'd/x': '', link: { symlink: 'x' } })
  const whole = readNames(temporary.path, 0, 'none')
  const pieces = readNames(temporary.path, 1 << 30, 'none')
  assert.is(whole.keys.length, 1502)
  assert.equal([...pieces.keys].sort(), [...whole.keys].sort())
})

test('follows the root when it is a symlink, and no other', async () => {
  await using temporary = await temporaryDirectory()
  writeTree(temporary.path, {
    'real/file': 'x',
    'real/inner': { symlink: '../other' },
    'other/hidden': 'x',
    root: { symlink: 'real' },
  })
  assert.equal(pathsBelow(join(temporary.path, 'root')), ['file', 'inner'])
})

test('names FIFOs, sockets and devices as skipped without opening them', async () => {
  await using temporary = await temporaryDirectory()
  const at = (name: string): string => join(temporary.path, name)
  writeTree(temporary.path, { 'a/file': 'x', b: null })
  execFileSync('mkfifo', [at('b/fifo')])
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(at('a/socket'), resolve))
  const expected = [
    { path: 'a/socket', reason: 'a socket' },
    { path: 'b/fifo', reason: 'a FIFO' },
  ]
  // Only root makes devices, and not in every container.
  if (spawnSync('mknod', [at('device'), 'c', '1', '3']).status === 0) {
    expected.push({ path: 'device', reason: 'a device' })
  }
  try {
    const walked = walk(temporary.path)
    const paths = [...walked].flatMap((batch) => batch.names)
    assert.equal(paths, ['file', 'b'])
    const named = [...walked.findings.skipped.named]
    assert.equal(
      named.sort((x, y) => byBytes(x.path, y.path)),
      expected,
    )
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
})

test('never looks at what is called .git or .artifacts, in any case, the store itself, or a staging directory', async () => {
  await using temporary = await temporaryDirectory()
  writeTree(temporary.path, {
    '.git/config': 'x',
    'sub/.GIT': 'gitdir: elsewhere',
    'sub/.Artifacts/format.json': 'x',
    '.gitignore': 'x',
    'x.git/file': 'x',
    'sub/deep/kept': 'x',
    'sub/deep/store/format.json': 'x',
    'sub/deep/store-2/x': 'x',
    '.artifacts-mine': 'x',
    [`${STAGING_PREFIX}${temporaryName()}/half`]: 'x',
  })
  const store = join(temporary.path, 'sub/deep/store')
  assert.equal(pathsBelow(temporary.path, { store }), [
    '.artifacts-mine',
    '.gitignore',
    'sub/deep/kept',
    'sub/deep/store-2/x',
    'x.git/file',
  ])
})

test('refuses names and targets that are not UTF-8, and no others', async () => {
  await using temporary = await temporaryDirectory()
  const raw = (...parts: (string | number)[]): Buffer =>
    Buffer.concat([
      Buffer.from(`${temporary.path}/`),
      ...parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))),
    ])
  try {
    fs.writeFileSync(raw('bad', 0xff, '\n'), 'x')
  } catch (error) {
    // macOS refuses such names itself.
    assert.is((error as NodeJS.ErrnoException).code, 'EILSEQ')
    return
  }
  fs.writeFileSync(raw('bad\ufffd\n'), 'the name that Node shows for the one above')
  fs.mkdirSync(raw('dir', 0xc0))
  fs.writeFileSync(raw('dir', 0xc0, '/x'), 'x')
  fs.symlinkSync(raw(0x80), raw('link'))
  const walked = walk(temporary.path)
  assert.equal(
    [...walked].flatMap((batch) => batch.names),
    ['bad\ufffd\n'],
  )
  assert.is(walked.findings.refused.count, 3)
  assert.equal(walked.findings.refused.named.map(({ path }) => path).sort(), [
    'bad\\xff\\x0a',
    'dir\\xc0',
    'link',
  ])
})

test('counts directories that it cannot read, and names ten', async () => {
  if (process.geteuid?.() !== 0) return
  await using temporary = await temporaryDirectory()
  fs.chmodSync(temporary.path, 0o755)
  for (let n = 0; n < 12; n++) {
    const directory = join(temporary.path, `d${n}`)
    writeTree(directory, { x: 'x' })
    fs.chmodSync(directory, n === 0 ? 0o744 : 0o711)
  }
  writeTree(temporary.path, { 'kept/.artifactsignore': { content: 'x', mode: 0o600 } })
  const script = `
    const { walk } = await import(process.argv[1])
    process.seteuid(65534)
    const walked = walk(process.argv[2])
    const names = [...walked].flatMap((batch) => batch.names)
    console.log(JSON.stringify({ names, ...walked.findings.unreadable }))`
  const module = new URL('../../../src/store/workspace/walk.js', import.meta.url).href
  const args = ['--input-type=module', '-e', script, module, temporary.path]
  const {
    names: walked,
    count,
    named,
  } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  assert.equal(walked, [])
  assert.is(count, 13)
  assert.is(named.length, 10)
  // Its names can be listed, but nothing in it can be looked at.
  assert.equal(named[0], { path: 'd0/x', reason: 'EACCES' })
  assert.equal(named[1], { path: 'd1', reason: 'EACCES' })
})

test('says which root is missing or no directory', async () => {
  await using temporary = await temporaryDirectory()
  writeTree(temporary.path, { file: 'x' })
  const missing = join(temporary.path, 'missing')
  const { message } = throwsCode(() => walk(missing), 'ERR_NOT_FOUND')
  assert.match(message, `"${missing}"`)
  throwsCode(() => walk(join(temporary.path, 'file')), 'ERR_INVALID_PATH')
})

test('leaves out what disappears, and reports what becomes something else, while it walks', async () => {
  await using temporary = await temporaryDirectory()
  const at = (name: string): string => join(temporary.path, name)
  writeTree(temporary.path, { 'a/x': '', b: '', 'c/x': '', d: '', 'e/x': '', 'f/x': '' })
  const walked = walk(temporary.path)
  const paths: string[] = []
  for (const batch of walked) {
    paths.push(...batch.names.map((_, index) => pathAt(batch, index)))
    if (batch.directory !== 'a') continue
    fs.rmSync(at('b'))
    fs.rmSync(at('c'), { recursive: true })
    fs.rmSync(at('d'))
    fs.mkdirSync(at('d'))
    fs.rmSync(at('e'), { recursive: true })
    fs.symlinkSync('f', at('e'))
  }
  assert.equal(paths, ['a/x', 'f/x'])
  assert.equal(walked.findings.unreadable.named, [
    { path: 'd', reason: 'it is no file any more' },
    { path: 'e', reason: 'it is no directory any more' },
  ])
})

test('keeps the order when a directory becomes empty after its siblings were yielded', async () => {
  await using temporary = await temporaryDirectory()
  writeTree(temporary.path, { 'run-1/x': '', 'run/x': '', 'up/x': '' })
  const paths: string[] = []
  for (const batch of walk(temporary.path)) {
    paths.push(...batch.names.map((_, index) => pathAt(batch, index)))
    if (batch.directory === 'run-1') fs.rmSync(join(temporary.path, 'run/x'))
  }
  assert.equal(paths, ['run-1/x', 'up/x'])
})

test.run()
