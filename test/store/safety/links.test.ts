/** A checkout writes into its directory and nowhere else, whatever links lie in the way. */
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError, type Store } from '../../../src/index.ts'
import { readTree, shownTree, type Tree, writeTree } from '../../support/files.ts'
import { rejects } from '../../support/rejects.ts'
import { newWorkspace, type Workspace } from './workspace.ts'

const test = suite('links')

const OUTSIDE: Tree = { 'empty/too': null, f: 'outside', 'sub/g': 'outside too' }
const LARGE = Buffer.alloc(300_000, 'large')

/** A folder beside the directory that must stay as it is, and one version for each tree. */
async function workspaceWith(
  ...versions: readonly Tree[]
): Promise<Workspace & { out: string; outside: string }> {
  const workspace = await newWorkspace()
  const source = join(workspace.path, 'source')
  for (const tree of versions) {
    rmSync(source, { recursive: true, force: true })
    writeTree(source, tree)
    await workspace.run((store) => store.commit([source], { name: 'a' }))
  }
  const outside = join(workspace.path, 'outside')
  writeTree(outside, OUTSIDE)
  return { ...workspace, out: join(workspace.path, 'out'), outside }
}

const NEW: Tree = {
  'd/f': 'new',
  'd/sub/g': 'new',
  'd/large': LARGE,
  'd/empty': null,
  'd/link': { symlink: 'f' },
  e: 'e',
}

const WAYS: Readonly<
  Record<string, (store: Store, dir: string, force: boolean) => Promise<unknown>>
> = {
  checkout: (store, dir, force) => store.checkout('a:v0', dir, { force }),
  'checkout of a part': (store, dir, force) => store.checkout('a:v0', dir, { force, paths: ['d'] }),
  download: (store, dir) => store.download('a:v0', dir),
}

for (const [way, run] of Object.entries(WAYS)) {
  for (const ignored of [false, true]) {
    for (const force of [false, true]) {
      const title = `${force ? 'forced ' : ''}${way} where a directory has to be and ${ignored ? 'an ignored' : 'a'} symlink is`
      test(title, async () => {
        for (const target of [
          '../outside',
          'absolute',
          '../outside/sub',
          '../missing',
          '../outside/f',
        ]) {
          await using workspace = await workspaceWith(NEW)
          const { out, outside } = workspace
          writeTree(out, { other: 'other', ...(ignored ? { '.artifactsignore': 'd\n' } : {}) })
          symlinkSync(target === 'absolute' ? outside : target, join(out, 'd'))
          let refused = false
          try {
            await workspace.run((store) => run(store, out, force))
          } catch (error) {
            if (!(error instanceof ArtifactsError)) throw error
            assert.is(error.code, 'ERR_WOULD_OVERWRITE', error.message)
            refused = true
          }
          assert.equal(readTree(outside), OUTSIDE, target)
          assert.not.ok(lstatSync(join(workspace.path, 'missing'), { throwIfNoEntry: false }))
          const isLink = lstatSync(join(out, 'd')).isSymbolicLink()
          assert.is(isLink, refused, `${target}: a refusal changes nothing`)
          if (!force || way === 'download') assert.ok(refused, target)
          if (refused)
            assert.equal(
              Object.keys(readTree(out)).filter((path) => path !== '.artifactsignore'),
              ['d', 'other'],
              target,
            )
          else assert.is(readFileSync(join(out, 'd/f'), 'utf8'), 'new')
        }
      })
    }
  }
}

test('a symlink further up in the way is not followed either', async () => {
  await using workspace = await workspaceWith({ 'x/y/z/f': 'new' })
  const { out, outside } = workspace
  writeTree(out, { 'x/keep': 'keep' })
  symlinkSync('../../outside', join(out, 'x/y'))
  await rejects(
    workspace.run((store) => store.checkout('a', out)),
    'ERR_WOULD_OVERWRITE',
  )
  await rejects(
    workspace.run((store) => store.download('a', out)),
    'ERR_WOULD_OVERWRITE',
  )
  assert.equal(readTree(outside), OUTSIDE)
  assert.equal(readTree(out), { 'x/keep': 'keep', 'x/y': { symlink: '../../outside' } })
})

test('a version that has a symlink where another has a directory goes both ways', async () => {
  const link: Tree = { d: { symlink: '../outside' }, e: 'e' }
  await using workspace = await workspaceWith(link, NEW, { d: 'a file', e: 'e' })
  const { out, outside } = workspace
  const trees = [link, NEW, { d: 'a file', e: 'e' }]
  for (const version of [0, 1, 0, 2, 1, 2, 0]) {
    await workspace.run((store) => store.checkout(`a:v${version}`, out))
    assert.equal(readTree(out), shownTree(trees[version] as Tree))
    assert.equal(readTree(outside), OUTSIDE)
  }
})

test('a file that is removed lies not behind a symlink', async () => {
  // v0 has d/f; v1 has not. The user put a symlink in the place of d.
  await using workspace = await workspaceWith({ 'd/f': 'outside', e: 'e' }, { e: 'e' })
  const { out, outside } = workspace
  await workspace.run((store) => store.checkout('a:v0', out))
  rmSync(join(out, 'd'), { recursive: true })
  symlinkSync('../outside', join(out, 'd'))
  await rejects(
    workspace.run((store) => store.checkout('a:v1', out)),
    'ERR_WOULD_OVERWRITE',
  )
  assert.equal(readTree(outside), OUTSIDE)
  await workspace.run((store) => store.checkout('a:v1', out, { force: true }))
  assert.equal(readTree(outside), OUTSIDE)
  assert.equal(readTree(out), { e: 'e' })
})

test('a symlink in the place of a file is replaced, not followed', async () => {
  for (const size of [10, 1000, 5 << 20]) {
    const bytes = Buffer.alloc(size, 'n')
    await using workspace = await workspaceWith({ f: bytes })
    const { out, outside } = workspace
    writeTree(out, { x: 'x' })
    symlinkSync(size === 1000 ? '../outside' : '../outside/f', join(out, 'f'))
    await rejects(
      workspace.run((store) => store.checkout('a', out)),
      'ERR_WOULD_OVERWRITE',
    )
    await rejects(
      workspace.run((store) => store.download('a', out)),
      'ERR_WOULD_OVERWRITE',
    )
    await workspace.run((store) => store.checkout('a', out, { force: true }))
    assert.equal(readTree(outside), OUTSIDE)
    assert.ok(lstatSync(join(out, 'f')).isFile())
    assert.ok(readFileSync(join(out, 'f')).equals(bytes))
  }
})

test('a hard link of a file keeps its bytes and its mode when the file is replaced or removed', async () => {
  for (const size of [10, 1000, 5 << 20]) {
    const [old, fresh] = [Buffer.alloc(size, 'o'), Buffer.alloc(size, 'n')]
    await using workspace = await workspaceWith(
      { f: old, g: old },
      { f: { content: fresh, mode: 0o755 } },
      { f: { content: old, mode: 0o755 } },
    )
    const { out, outside } = workspace
    await workspace.run((store) => store.checkout('a:v0', out))
    linkSync(join(out, 'f'), join(outside, 'linked-f'))
    linkSync(join(out, 'g'), join(outside, 'linked-g'))
    for (const ref of ['a:v1', 'a:v0', 'a:v2', 'a:v0']) {
      await workspace.run((store) => store.checkout(ref, out))
      for (const name of ['linked-f', 'linked-g']) {
        assert.ok(readFileSync(join(outside, name)).equals(old), `${ref}: ${name}`)
        assert.is(statSync(join(outside, name)).mode & 0o111, 0, `${ref}: ${name}`)
      }
    }
  }
})

test('a directory that is itself given as a symlink is the directory it leads to', async () => {
  await using workspace = await workspaceWith({ f: 'f' }, { g: 'g' })
  const { out } = workspace
  mkdirSync(join(workspace.path, 'real'))
  writeFileSync(join(workspace.path, 'real/.artifactsignore'), 'x\n')
  symlinkSync('real', out)
  await workspace.run(async (store) => {
    await store.checkout('a:v0', out, { force: true })
    await store.checkout('a:v1', out)
  })
  assert.ok(lstatSync(out).isSymbolicLink())
  assert.equal(readTree(join(workspace.path, 'real')), { g: 'g' })
})

test.run()
