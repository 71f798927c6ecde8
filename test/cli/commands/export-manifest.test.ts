import { createHash } from 'node:crypto'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { exportManifest } from '../../../src/cli/commands/export-manifest.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { workspaceWith } from '../workspace.ts'

const test = suite('export-manifest')

test("the digest of the three files of W&B's own test is W&B's own", async () => {
  const cwd = await threeFiles()
  const digest = '72414374bfd4b0f60a116e7267845f71'
  assert.is(await run(['export-manifest', 'tree', '--wandb', '--digest'], { cwd }), `${digest}\n`)
  await run(['edit', 'tree', '-m', 'labels do not count', '--meta', 'a=1'], { cwd })
  const answer = JSON.parse(
    await run(['export-manifest', 'tree', '--wandb', '--digest', '--json'], { cwd }),
  )
  assert.equal(answer, { ref: 'tree:v0', digest })
  assertFields(answer, exportManifest.json['With --digest'])
})

test('the manifest names each file by its MD5, in order, and is the same with --json', async () => {
  const cwd = await threeFiles()
  const text = await run(['export-manifest', 'tree', '--wandb'], { cwd })
  assert.is(await run(['export-manifest', 'tree', '--wandb', '--json'], { cwd }), text)
  const { contents, ...head } = JSON.parse(text)
  assert.equal(head, {
    version: 1,
    storagePolicy: 'wandb-storage-policy-v1',
    storagePolicyConfig: { storageLayout: 'V2' },
  })
  assert.equal(Object.entries(contents), [
    ['file1.txt', { digest: 'XUFAKrxLKna5cZ2REBfFkg==', size: 5 }],
    ['nest/file2.txt', { digest: 'aGTzidmHZDa8h3j/Bx0bbA==', size: 2 }],
    ['nest/nest/file3.txt', { digest: 'E7c+2uhEOZC+GqjxpIO8Jw==', size: 4 }],
  ])
})

test('a file of many chunks is named by the MD5 of all of them', async () => {
  const text = Array.from({ length: 200_000 }, (_, i) => `${i * 7919}`).join(',')
  const cwd = await workspaceWith({ 'data/table.csv': text })
  await run(['commit', 'data', '-n', 'big'], { cwd })
  const { contents } = JSON.parse(await run(['export-manifest', 'big', '--wandb'], { cwd }))
  const digest = createHash('md5').update(text).digest('base64')
  assert.equal(contents, { 'table.csv': { digest, size: text.length } })
})

test('a link counts as the file it leads to', async () => {
  const cwd = await workspaceWith({ 'data/file1.txt': 'hello' })
  symlinkSync('file1.txt', join(cwd, 'data/great-file.txt'))
  await run(['commit', 'data', '-n', 'linked'], { cwd })
  const { contents } = JSON.parse(await run(['export-manifest', 'linked', '--wandb'], { cwd }))
  assert.equal(contents['great-file.txt'], contents['file1.txt'])
})

test('files that stay where they are have the digest that they would have stored', async () => {
  const cwd = await threeFiles()
  await run(['commit', '--reference', join(cwd, 'data'), '-n', 'scans'], { cwd })
  const digest = '72414374bfd4b0f60a116e7267845f71\n'
  assert.is(await run(['export-manifest', 'scans', '--wandb', '--digest'], { cwd }), digest)
  const { contents } = JSON.parse(await run(['export-manifest', 'scans', '--wandb'], { cwd }))
  const ref = pathToFileURL(join(cwd, 'data/file1.txt')).href
  assert.equal(contents['file1.txt'], { digest: 'XUFAKrxLKna5cZ2REBfFkg==', size: 5, ref })
  writeFileSync(join(cwd, 'data/file1.txt'), 'HELLO')
  const changed = await call(['export-manifest', 'scans', '--wandb', '--digest'], { cwd })
  assert.is(changed.code, 22)
  rmSync(join(cwd, 'data/file1.txt'))
  const gone = await call(['export-manifest', 'scans', '--wandb', '--digest'], { cwd })
  assert.is(gone.code, 12)
  assert.match(gone.stderr, 'file1.txt"')
})

test('entries of another version have the digests of what they lead to', async () => {
  const cwd = await workspaceWith({ 'data/a b/ä%20.txt': 'hello' })
  await run(['commit', 'data', '-n', 'source'], { cwd })
  await run(['commit', 'artifacts://source:v0/a b', '-n', 'borrowed'], { cwd })
  const { contents } = JSON.parse(await run(['export-manifest', 'borrowed', '--wandb'], { cwd }))
  const [[path, entry] = ['', {}], ...others] = Object.entries<Record<string, unknown>>(contents)
  assert.equal(others, [])
  assert.is(path, 'ä%20.txt')
  assert.is(entry['digest'], 'XUFAKrxLKna5cZ2REBfFkg==')
  assert.is(entry['size'], 0)
  assert.match(String(entry['ref']), /^artifacts:\/\/[0-9a-f]{64}\/a%20b\//)
})

test('a source that nobody has looked at is named', async () => {
  const cwd = await workspaceWith()
  const environment = { variables: { ARTIFACTS_OFFLINE: '1' } }
  await run(['commit', 'https://example.com/a.txt', '-n', 'page'], { cwd, environment })
  const { code, stderr } = await call(['export-manifest', 'page', '--wandb'], { cwd })
  assert.is(code, 4)
  assert.match(stderr, '"https://example.com/a.txt"')
  assert.match(stderr, '`artifacts commit --resolve page:v0`')
})

test('an empty version has the digest of no entries', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a' })
  await run(['commit', 'data', '-n', 'none', '--exclude', 'a.txt'], { cwd })
  const digest = await run(['export-manifest', 'none', '--wandb', '--digest'], { cwd })
  assert.is(digest, '64e7c61456b10382e2f3b571ac24b659\n')
})

test('which manifest is meant must be said', async () => {
  const { code, stderr } = await call(['export-manifest', 'tree'], { cwd: await threeFiles() })
  assert.is(code, 2)
  assert.match(stderr, '`artifacts export-manifest tree --wandb`')
})

test('a version that is not there ends with 12 and prints nothing', async () => {
  const cwd = await threeFiles()
  const { code, stdout } = await call(['export-manifest', 'other', '--wandb'], { cwd })
  assert.is(code, 12)
  assert.is(stdout, '')
})

test.run()

function threeFiles(): Promise<string> {
  return workspaceWith({
    'data/file1.txt': 'hello',
    'data/nest/file2.txt': 'my',
    'data/nest/nest/file3.txt': 'dude',
  }).then(async (cwd) => {
    await run(['commit', 'data', '-n', 'tree'], { cwd })
    return cwd
  })
}
