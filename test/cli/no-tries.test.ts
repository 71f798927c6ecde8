/**
 * With no network every command works that is not made for one, and none tries to reach any: not even in a store with a
 * remote, a token, and references to what lies elsewhere.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readEnvironment } from '../../src/cli/io.ts'
import { COMMANDS } from '../../src/cli/table.ts'
import { trapNetwork } from '../support/net-trap.ts'
import { temporaryDirectory } from '../support/temp.ts'
import { type Called, call, run } from './call.ts'
import { workspaceWith, write } from './workspace.ts'

const test = suite('no tries')

/** Commands that are made for a network. */
const MADE_FOR_IT = ['push', 'pull', 'fetch', 'clone', 'serve', 'remote']

/** Lines that follow each other in one workspace, and that every command has some of; a number is the exit code. */
const LINES = `
init other
commit -a good
commit data -n two --dry-run
commit one.txt -n one
status
ls
ls bike
ls far:v0
log
log bike
log bike --alias good
show bike far
cat bike a.txt
diff
diff bike:v0 v1
diff far:v0 bike:v0
checkout bike:v0 copy
checkout bike:v0 copy --dry-run
download bike down
file one one-copy
path bike
verify bike far
export bike -o bike.tar
import bike.tar -n imported
bundle create all.tar
bundle verify all.tar
bundle ls all.tar
bundle apply all.tar --store other/.artifacts
export-manifest bike --wandb
alias bike:v0 old
tag bike:v0 kept
edit bike -m words
link bike champion
unlink champion:v0
rename one first
rm bike:v0 --aliases
restore bike:v0
draft new -n parts
draft add data/a.txt
draft show
draft finish
run start --job train --name first
run ls
run exec --job train --in bike -- true
use bike --run first
lineage bike
undo
watch data --settle 1s
op log
op show 1
find type=dataset
sql values(1)
gc
gc --explain
prune bike --keep-last 10
fsck
fsck --data
stats
cache
cache clean
remote
remote ls
config
config get project
completion bash
`

test('the trap sees requests, sockets and questions for names', async () => {
  using trap = trapNetwork()
  assert.throws(() => request('http://127.0.0.1:9/').end(), /trapped/)
  const answer = await fetch('https://example.test/').catch(() => undefined)
  assert.is(answer, undefined)
  const { lookup } = await import('node:dns')
  assert.throws(() => lookup('example.test', () => {}), /trapped/)
  assert.is(trap.tries.length, 3)
})

test('every command has a line here, or is made for a network', () => {
  const named = lines().map(({ words }) => words[0])
  const all = COMMANDS.map(({ name }) => name)
  assert.equal(
    all.filter((name) => !MADE_FOR_IT.includes(name) && !named.includes(name)),
    [],
  )
})

test('no command tries to reach a network', async () => {
  const cwd = await storeWithTemptations()
  using trap = trapNetwork()
  for (const { words, wanted } of lines()) {
    const line = words.join(' ')
    const { code, stderr } = await calling(words, cwd)
    assert.is(code, wanted, `${line}: ${stderr}`)
    assert.equal(trap.tries, [], line)
  }
})

test('neither does a read of what was not fetched', async () => {
  const cwd = await storeWithTemptations()
  await run(['push', '--remote', 'folder'], { cwd })
  await run(['clone', join(cwd, 'folder'), 'thin', '--no-data'], { cwd })
  const thin = join(cwd, 'thin')
  await run(['config', 'set', 'remote.origin.url', 'https://example.org/store/'], { cwd: thin })
  using trap = trapNetwork()
  for (const line of ['ls bike:v0', 'show bike', 'status', 'log', 'fsck', 'gc', 'verify bike']) {
    const { code, stderr } = await calling(line.split(' '), thin)
    assert.is(code, 0, `${line}: ${stderr}`)
  }
  for (const line of ['cat bike b.csv', 'checkout bike out', 'path bike']) {
    const { code, stderr } = await calling(line.split(' '), thin)
    assert.is.not(code, 0, line)
    assert.match(stderr, 'artifacts fetch bike', line)
  }
  assert.equal(trap.tries, [])
})

test('what is made for one tries, and says that there is none', async () => {
  const cwd = await storeWithTemptations()
  using trap = trapNetwork()
  const { code, stdout } = await calling(['remote', 'check'], cwd)
  assert.is(code, 20)
  assert.match(stdout, 'there is no network')
  assert.ok(trap.tries.length > 0)
})

test('neither do its threads, in a process of its own', async () => {
  await using dir = await temporaryDirectory()
  const record = join(dir.path, 'tries')
  const data = join(dir.path, 'data')
  mkdirSync(data)
  for (let i = 0; i < 200; i++) writeFileSync(join(data, `${i}`), Buffer.alloc(200_000, i))
  const node = (...words: string[]): number | null => {
    // Not `--import`: that is for the first thread alone.
    const options = `--require=${resolve('build/test/support/net-trap-preload.js')}`
    const env = { HOME: dir.path, NODE_OPTIONS: options, TRAP_FILE: record }
    return spawnSync(process.execPath, words, { cwd: dir.path, env }).status
  }
  const program = resolve('dist/program/artifacts.js')
  for (const line of [
    'init',
    'config set remote.origin.url https://example.org/',
    'commit data -n bike',
    'checkout bike copy',
    'fsck --data',
  ]) {
    assert.is(node(program, ...line.split(' ')), 0, line)
  }
  assert.not(existsSync(record))
  const thread = `new (require('worker_threads').Worker)("require('net').connect(9)", { eval: true })`
  assert.is(node('-e', thread), 1)
  assert.ok(existsSync(record), 'the trap is not in threads')
})

async function storeWithTemptations(): Promise<string> {
  const cwd = await workspaceWith({
    'data/a.txt': 'a\n',
    'data/b.csv': `x,y\n${'1,2\n'.repeat(100)}`,
    'one.txt': '1',
  })
  await run(['commit', 'data', '-n', 'bike'], { cwd })
  {
    using trap = trapNetwork()
    const uris = ['https://example.org/w.bin', 's3://bucket/x', 'gs://bucket/y']
    await run(['commit', ...uris, '-n', 'far'], { cwd })
    assert.ok(trap.tries.length > 0, 'references are looked up when they are recorded')
  }
  for (const [key, value] of [
    ['remote.origin.url', 'https://example.org/store/'],
    ['remote.bucket.url', 's3://bucket/store'],
    ['remote.folder.url', pathToFileURL(join(cwd, 'folder')).href],
    ['primary', 'origin'],
  ] as const) {
    await run(['config', 'set', key, value], { cwd })
  }
  write(cwd, { 'data/a.txt': 'b\n' })
  return cwd
}

function lines(): { readonly words: readonly string[]; readonly wanted: number }[] {
  return LINES.trim()
    .split('\n')
    .map((line) => {
      const [, code = '0', rest = ''] = /^(?:(\d+) )?(.*)$/.exec(line) ?? []
      return { words: rest.split(' '), wanted: Number(code) }
    })
}

function calling(words: readonly string[], cwd: string): Promise<Called> {
  const environment = readEnvironment({
    HOME: cwd,
    ARTIFACTS_TOKEN: 'token',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
  })
  const isEndless = words[0] === 'watch'
  return call(words, {
    cwd,
    environment,
    ...(isEndless ? { signal: AbortSignal.timeout(1500) } : {}),
  })
}

test.run()
