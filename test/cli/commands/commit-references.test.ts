/** Commits of URIs, as typed. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { web } from '../../support/web.ts'
import { call, run } from '../call.ts'
import { workspaceWith } from '../workspace.ts'

const test = suite('commit of references')

test('a URI is recorded under its last part, and named after it', async () => {
  await using site = await web({ '/labels.csv': { body: '12345', headers: { etag: '"1"' } } })
  const cwd = await workspaceWith()
  const uri = `${site.url}/labels.csv`
  assert.match(await run(['commit', uri], { cwd }), /^Committed labels\.csv:v0 \(1 added; /)
  const [entry] = (await run(['ls', 'labels.csv:', '--json'], { cwd })).trim().split('\n')
  const { type, path, kind, reference } = JSON.parse(entry ?? '')
  assert.equal([type, path, kind], ['entry', 'labels.csv', 'reference'])
  assert.equal([reference.uri, reference.size, reference.etag], [uri, 5, '"1"'])
  assert.match(await run(['ls', 'labels.csv:'], { cwd }), `5 B  labels.csv -> ${uri}`)
})

test('--as gives it another place, --incremental leaves the rest', async () => {
  const cwd = await workspaceWith({ 'data/a.txt': 'a\n' })
  await run(['commit', 'data', '-n', 'bike'], { cwd })
  const uri = 'hdfs://cluster/b'
  await run(['commit', uri, '-n', 'bike', '--incremental', '--as', 'far/b.bin'], { cwd })
  assert.is(await run(['ls', '-q', 'bike:'], { cwd }), 'a.txt\nfar/b.bin\n')
})

test('--reference records files where they are', async () => {
  const cwd = await workspaceWith({ 'scans/a.raw': 'raw', 'scans/sub/b.raw': 'more' })
  await run(['commit', '--reference', 'scans'], { cwd })
  const [first] = (await run(['ls', 'scans:', '--json'], { cwd })).split('\n')
  const { path, reference } = JSON.parse(first ?? '')
  assert.is(path, 'a.raw')
  assert.is(reference.uri, `file://${cwd}/scans/a.raw`)
  assert.is(reference.digest.algo, 'sha256')
  rmSync(join(cwd, 'scans/a.raw'))
  assert.is((await call(['commit', '--reference', 'scans/a.raw'], { cwd })).code, 12)
})

test('--no-checksum asks nobody', async () => {
  await using site = await web()
  const cwd = await workspaceWith()
  await run(['commit', `${site.url}/a`, '--no-checksum'], { cwd })
  assert.equal(site.asked, [])
})

test('--max-objects takes a number, and more than it is an error', async () => {
  const cwd = await workspaceWith({ 'many/a': 'a', 'many/b': 'b' })
  const words = ['commit', '--reference', 'many', '--max-objects']
  assert.match((await call([...words, 'x'], { cwd })).stderr, '"--max-objects" cannot be "x"')
  assert.is((await call([...words, '1'], { cwd })).code, 2)
  assert.is((await call([...words, '2'], { cwd })).code, 0)
})

test('what is recorded offline is said, and looked up later on request', async () => {
  await using site = await web({ '/a.bin': { body: '12345', headers: { etag: '"1"' } } })
  const cwd = await workspaceWith()
  const uri = `${site.url}/a.bin`
  const first = await call(['commit', '--offline', uri, '-n', 'far'], { cwd })
  assert.match(first.stderr, 'a.bin. Later: artifacts commit --resolve far:v0')
  assert.equal(site.asked, [])
  assert.match(
    await run(['commit', '--resolve', 'far:v0'], { cwd }),
    /^Committed far:v1 \(1 changed/,
  )
  const shown = JSON.parse(await run(['ls', 'far:', '--json'], { cwd }))
  assert.equal([shown.reference.resolved, shown.reference.size], [true, 5])
  assert.match(await run(['commit', '--resolve', 'far'], { cwd }), /^Unchanged: far:v1/)
  assert.is((await call(['commit', '--resolve', 'far', '--as', 'x'], { cwd })).code, 2)
})

test('a variable says that a machine is offline', async () => {
  const cwd = await workspaceWith()
  const environment = { variables: { ARTIFACTS_OFFLINE: '1' } }
  const { stdout } = await call(['commit', 'https://example.org/a', '--json'], { cwd, environment })
  assert.equal(JSON.parse(stdout).unresolved, ['a'])
})

test('a server that can not be reached, and one that refuses, have exit codes of their own', async () => {
  const site = await web({ '/no': { status: 403 } })
  const cwd = await workspaceWith()
  assert.is((await call(['commit', `${site.url}/no`], { cwd })).code, 21)
  await site[Symbol.asyncDispose]()
  const refused = await call(['commit', `${site.url}/no`, '--json'], { cwd })
  assert.is(refused.code, 20)
  assert.is(JSON.parse(refused.stderr).code, 'ERR_REMOTE_UNREACHABLE')
  assert.is((await call(['ls', '-q'], { cwd })).stdout, '')
})

test('download refuses what has changed with 22, and verify --references says what did with 1', async () => {
  await using site = await web({ '/a.bin': { body: '12345', headers: { etag: '"1"' } } })
  const cwd = await workspaceWith()
  await run(['config', 'set', 'references.hosts', site.host], { cwd })
  await run(['commit', `${site.url}/a.bin`, '-n', 'far'], { cwd })
  assert.match(await run(['verify', 'far'], { cwd }), /; 1 reference not checked\)\n$/)
  assert.is(
    await run(['verify', 'far', '--references'], { cwd }),
    'far:v0: all as stored (1 file, 5 B)\n',
  )
  await run(['download', 'far', 'out'], { cwd })
  assert.is(readFileSync(join(cwd, 'out/a.bin'), 'utf8'), '12345')
  site.pages.set('/a.bin', { body: '54321', headers: { etag: '"2"' } })
  const refused = await call(['download', 'far', 'other'], { cwd })
  assert.is(refused.code, 22)
  assert.match(refused.stderr, '"2"')
  assert.is((await call(['checkout', 'far', 'other'], { cwd })).code, 22)
  const verified = await call(['verify', 'far', '--references'], { cwd })
  assert.equal([verified.code, verified.stdout.split('\n')[0]], [1, 'changed  a.bin'])
  site.pages.delete('/a.bin')
  const left = await call(['checkout', 'far', 'less', '--allow-missing-references'], { cwd })
  assert.equal([left.code, left.stderr], [0, 'Without 1 reference: a.bin.\n'])
  assert.is((await call(['verify', 'far', '--references', '--dir', 'out'], { cwd })).code, 2)
})

test.run()
