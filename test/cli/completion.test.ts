import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { call, run } from './call.ts'
import { twoVersions } from './workspace.ts'

const test = suite('completion')

const BIN = join(import.meta.dirname, '../../src/cli/bin.js')

async function offered(words: readonly string[], cwd?: string): Promise<string[]> {
  const { code, stdout, stderr } = await call(
    ['--complete', ...words],
    cwd === undefined ? {} : { cwd },
  )
  assert.is(code, 0)
  assert.is(stderr, '')
  return stdout.split('\n').slice(0, -1)
}

test('commands are offered first', async () => {
  assert.equal(await offered(['co']), ['commit', 'config', 'completion'])
  assert.ok((await offered([''])).includes('diff'))
  assert.ok((await offered(['--json', 'di'])).includes('diff'))
  assert.ok((await offered(['--store', 'x', 'di'])).includes('diff'))
})

test('flags are offered behind a dash, with those of every command', async () => {
  assert.equal(await offered(['commit', '--in']), ['--incremental', '--include'])
  assert.equal(await offered(['ls', '--j']), ['--json'])
  assert.equal(await offered(['--ver']), ['--verbose', '--version'])
})

test('the choices of a flag are offered, for a free value nothing', async () => {
  assert.equal(await offered(['commit', '--reuse', '']), ['latest', 'any', 'never'])
  assert.equal(await offered(['commit', '-m', '']), [])
})

test('words are offered only in the first place', async () => {
  assert.equal(await offered(['config', '']), ['get', 'set', 'ls'])
  assert.equal(await offered(['config', 'get', '']), [])
})

test('artifacts are offered, and behind a colon versions and aliases', async () => {
  const cwd = await twoVersions()
  assert.equal(await offered(['show', 'b'], cwd), ['bike'])
  assert.equal(await offered(['show', 'bike', 'b'], cwd), ['bike'])
  assert.equal(await offered(['cat', 'bike', 'b'], cwd), [])
  assert.equal((await offered(['cat', 'bike:'], cwd)).sort(), [
    'bike:good',
    'bike:latest',
    'bike:v0',
    'bike:v1',
  ])
  assert.equal(await offered(['cat', 'bike:v'], cwd), ['bike:v1', 'bike:v0'])
  assert.equal(await offered(['cat', 'car:'], cwd), [])
})

test('without a store nothing is offered and nothing is said', async () => {
  assert.equal(await offered(['show', ''], '/'), [])
})

/** What bash puts in place of the last word of the line. */
async function inBash(line: string, cwd: string): Promise<string[]> {
  const script = [
    `artifacts() { '${process.execPath}' '${BIN}' "$@"; }`,
    await run(['completion', 'bash']),
    `COMP_LINE=${JSON.stringify(line)} COMP_POINT=${line.length}`,
    `_artifacts; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ]
  const { stdout, stderr } = spawnSync('bash', ['-c', script.join('\n')], { cwd, encoding: 'utf8' })
  assert.is(stderr, '')
  return stdout.split('\n').filter((word) => word !== '')
}

test('the bash script completes, also behind a colon', async () => {
  const cwd = await twoVersions()
  assert.equal(await inBash('artifacts ch', cwd), ['checkout'])
  assert.equal(await inBash('artifacts --json ', cwd), await offered(['--json', '']))
  assert.equal(await inBash('artifacts show bi', cwd), ['bike'])
  assert.equal(await inBash('artifacts show bike:v', cwd), ['v1', 'v0'])
  assert.equal(await inBash('artifacts commit -m ', cwd), [])
})

test('the script is made for the shell that is used', async () => {
  const zsh = await call(['completion'], { environment: { shell: '/bin/zsh' } })
  assert.match(zsh.stdout, /^#compdef artifacts\n/)
  assert.match((await call(['completion'])).stdout, 'complete -o default -F _artifacts')
  assert.is((await call(['completion', 'fish'])).code, 2)
})

test.run()
