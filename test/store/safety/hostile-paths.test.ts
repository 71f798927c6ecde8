/** The path rules at every door: what is added, and what is read from a store that somebody else made. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError, type Store } from '../../../src/index.ts'
import { endsNaturally } from '../../../src/store/tree/boundary.ts'
import { readTree } from '../../support/files.ts'
import { rejects } from '../../support/rejects.ts'
import {
  addVersion,
  directory,
  idOf,
  inline,
  node,
  type RawEntry,
  type RawObject,
  symlink,
} from './hostile-store.ts'
import { newWorkspace, readAll, type Workspace } from './workspace.ts'

const test = suite('hostile paths')

const REFUSED: readonly (string | Buffer)[] = [
  '../x',
  'a/../../x',
  'a/..',
  '..',
  '.',
  './x',
  'a/./b',
  'a//b',
  '/abs',
  '/',
  'a/',
  '',
  'a\0b',
  '.git',
  '.git/config',
  'a/.git/hooks/post-checkout',
  '.GIT/config',
  'a/.gIt',
  '.artifacts/format.json',
  '.ARTIFACTS/x',
  'a/.Artifacts',
  'x'.repeat(256),
  `a/${'ü'.repeat(128)}`,
  'abcdefgh/'.repeat(456),
]
const NOT_UTF8 = [
  Buffer.from([0x61, 0xff]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xc0, 0xaf]),
]

const file = (key: string | Buffer): RawEntry => ({ key, content: inline('evil') })

test('paths that no version can hold are refused when they are given', async () => {
  await using workspace = await newWorkspace()
  mkdirSync(join(workspace.path, 'd'))
  writeFileSync(join(workspace.path, 'd/f'), 'x')
  for (const path of REFUSED) {
    for (const source of ['d/f', 'd']) {
      const as = path as string
      // For a directory an empty path means none; `/` at the end a folder.
      if ((source === 'd' && /^\/?$/.test(as)) || as === 'a/') continue
      await rejects(
        workspace.run((store) => store.commit([join(workspace.path, source)], { name: 'x', as })),
        'ERR_INVALID_PATH',
      )
    }
  }
  assert.equal(await workspace.run((store) => store.artifacts()), [])
})

test('a directory with a name that no version can hold is refused, and the name told', async () => {
  await using workspace = await newWorkspace()
  const dir = join(workspace.path, 'd')
  mkdirSync(dir)
  writeFileSync(Buffer.concat([Buffer.from(`${dir}/`), NOT_UTF8[0] as Buffer]), 'x')
  const error = await rejects(
    workspace.run((store) => store.commit([dir])),
    'ERR_INVALID_PATH',
  )
  assert.match(error.message, 'a\\xff')
})

test('what is called .git or .artifacts is no part of a directory', async () => {
  await using workspace = await newWorkspace()
  const dir = join(workspace.path, 'd')
  for (const name of ['.git', '.Artifacts', 'sub/.GIT']) {
    mkdirSync(join(dir, name), { recursive: true })
    writeFileSync(join(dir, name, 'config'), 'x')
  }
  symlinkSync('/', join(dir, 'sub/.git'))
  writeFileSync(join(dir, 'sub/f'), 'x')
  await workspace.run(async (store) => {
    assert.is((await store.commit([dir])).files, 1)
    assert.equal(
      [...store.entries('d')].map(({ path }) => path),
      ['sub/f'],
    )
  })
})

/** Trees that break a rule, each the root with what it needs. */
const TREES: Record<string, readonly [root: RawObject, ...others: RawObject[]]> = {}
for (const path of [...REFUSED, ...NOT_UTF8]) {
  const name = JSON.stringify(path.toString()).slice(0, 40)
  TREES[`the path ${name}`] = [node([file(path)])]
}
Object.assign(TREES, {
  'a path below a file': [node([file('a'), file('a/b')])],
  'a path below a file, and one between': [node([file('a'), file('a.b'), file('a/b')])],
  'a path below a symlink': [node([{ key: 'a', content: symlink('/') }, file('a/evil')])],
  'a path below a symlink to the parent': [
    node([{ key: 'a', content: symlink('..') }, file('a/evil')]),
  ],
  'a path below an empty directory': [node([{ key: 'a', content: directory }, file('a/b')])],
  'a path twice': [node([file('a'), file('a')])],
  'a path twice, first as a symlink': [node([{ key: 'a', content: symlink('/') }, file('a')])],
  'paths in the wrong order': [node([file('b'), file('a')])],
  ...acrossNodes(),
})

/** The rule is broken by two leaves, each of which is right. */
function acrossNodes(): typeof TREES {
  // A leaf ends after a key whose hash says so.
  const end = Array.from({ length: 10_000 }, (_, i) => `a${i}`).find((key) =>
    endsNaturally(Buffer.from(key), key.length, 0),
  ) as string
  const tree = (
    first: readonly RawEntry[],
    second: readonly RawEntry[],
  ): readonly [RawObject, ...RawObject[]] => {
    const leaves = [node(first), node(second)]
    const items = [first, second].map((entries, i) => ({
      key: entries.at(-1)?.key as string,
      content: Buffer.from(idOf(leaves[i] as RawObject), 'hex'),
    }))
    return [node(items, 1), ...leaves]
  }
  return {
    'a path below a symlink of another node': [
      ...tree([{ key: end, content: symlink('/') }], [file(`${end}/evil`)]),
    ],
    'a path that lies before the node': [...tree([file(end)], [file('a')])],
    'a path that is in two nodes': [...tree([file(end)], [file(end)])],
    'a hostile path in the second node': [...tree([file(end)], [file('b/../../evil')])],
  }
}

/** Everything that reads a version, on `evil`. */
const DOORS: Readonly<Record<string, (store: Store, workspace: Workspace) => unknown>> = {
  ls: (store) => [...store.entries('evil')],
  'checkout of a new directory': (store, { path }) =>
    store.checkout('evil', join(path, 'inside/new')),
  'checkout over files': (store, { path }) => store.checkout('evil', join(path, 'inside/old')),
  'forced checkout over files': (store, { path }) =>
    store.checkout('evil', join(path, 'inside/old'), { force: true }),
  download: (store, { path }) => store.download('evil', join(path, 'inside/new')),
  'download beside files': (store, { path }) => store.download('evil', join(path, 'inside/old')),
  verify: (store) => store.verify('evil'),
  'verify of a directory': (store, { path }) =>
    store.verify('evil', { dir: join(path, 'inside/old') }),
  diff: (store) => store.diff({ ref: 'good' }, { ref: 'evil' }),
  'diff with a directory': (store, { path }) =>
    store.diff({ ref: 'evil' }, { dir: join(path, 'inside/old') }),
  'commit with it as the base': (store, { path }) =>
    store.commit([join(path, 'inside/old')], { name: 'child', base: 'evil', as: 'zz' }),
}

test('a version that breaks a rule is refused by whatever reads it, and nothing is written', async () => {
  for (const [title, [root, ...others]] of Object.entries(TREES)) {
    await using workspace = await newWorkspace()
    const old = join(workspace.path, 'inside/old')
    mkdirSync(join(old, 'a'), { recursive: true })
    writeFileSync(join(old, 'a/mine'), 'mine')
    await workspace.run((store) => store.commit([old], { name: 'good' }))
    await addVersion(workspace.root, 'evil', root, others)
    const before = readTree(workspace.path)
    for (const [door, open] of Object.entries(DOORS)) {
      try {
        await workspace.run((store) => open(store, workspace))
        assert.unreachable(`${title}: ${door} took it`)
      } catch (error) {
        if (!(error instanceof ArtifactsError)) throw error
        assert.is(error.code, 'ERR_DAMAGED', `${title}: ${door}: ${error.message}`)
      }
      assert.equal(readTree(workspace.path), before, `${title}: ${door}`)
    }
    await workspace.run((store) => assert.is(readAll(store, 'good', 'a/mine').toString(), 'mine'))
  }
})

test.run()
