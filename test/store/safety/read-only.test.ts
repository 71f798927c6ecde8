/** A store that another user may only read: a child under another uid lists, compares and checks out. */
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { shownTree } from '../../support/files.ts'
import type { Seen } from './read-only-child.ts'
import { FIRST, SECOND, twoVersions } from './two-versions.ts'
import type { Workspace } from './workspace.ts'

const test = suite('a read-only store')

const SCRIPT = join(import.meta.dirname, 'read-only-child.js')
const NOBODY = 65534
const isRoot = process.getuid?.() === 0
if (!isRoot) process.stdout.write('note: not root, so no other user was tried\n')

/** Takes every right to write away, as for a store on a read-only mount or of another user. */
function protect(workspace: Workspace): void {
  assert.is(spawnSync('chmod', ['-R', 'a-w,a+rX', workspace.path]).status, 0)
  chmodSync(workspace.path, 0o755)
}

function useAs(uid: number, workspace: Workspace, withCache: boolean): Seen {
  const own = join(workspace.path, `own-${uid}-${withCache}`)
  for (const path of [own, join(own, 'cache')]) {
    mkdirSync(path)
    chownSync(path, uid, uid)
  }
  const cache = withCache ? [join(own, 'cache')] : []
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [SCRIPT, workspace.path, own, ...cache],
    { uid, gid: uid, encoding: 'utf8', cwd: '/' },
  )
  assert.is(status, 0, stderr)
  return JSON.parse(stdout)
}

function listing(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
}

for (const withCache of [true, false]) {
  const title = `another user can do everything that only reads, ${withCache ? 'with' : 'without'} a place for a cache`
  const run = async () => {
    await using workspace = await twoVersions()
    protect(workspace)
    const before = listing(workspace.root)
    const seen = useAs(NOBODY, workspace, withCache)
    assert.equal(seen.artifacts, ['data'])
    assert.equal(seen.versions, ['data:v1', 'data:v0'])
    assert.equal(seen.entries, ['a.txt', 'old', 'sub/noise'])
    assert.is(seen.files, 3)
    assert.is(seen.content, 'first')
    const changes = ['modified a.txt', 'added new', 'removed old', 'modified sub/noise']
    assert.equal(seen.between, changes)
    assert.equal(seen.against, changes)
    assert.equal(seen.status, ['data clean'])
    assert.equal(seen.verified, [true, true, true])
    assert.equal(seen.checkedOut, shownTree(FIRST))
    assert.equal(seen.downloaded, shownTree(SECOND))
    for (const what of ['commit', 'commit large', 'commit stdin', 'setting']) {
      const [code, message] = seen.refused[what] ?? []
      assert.is(code, 'ERR_READ_ONLY', `${what}: ${message}`)
      assert.match(message as string, `"${workspace.root}"`)
    }
    assert.equal(listing(workspace.root), before)
  }
  if (isRoot) test(title, run)
  else test.skip(title, run)
}

test.run()
