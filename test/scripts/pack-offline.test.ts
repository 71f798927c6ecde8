/** The archive for machines without a registry, used as its README says, by a process that has nothing but Node. */
import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type TemporaryDirectory, temporaryDirectory } from '../support/temp.ts'

const test = suite('pack offline')
const ROOT = join(import.meta.dirname, '../../..')
const isolated = spawnSync('unshare', ['-rn', 'true']).status === 0
if (!isolated) {
  process.stdout.write('note: this system gives no network name space; unpacked with the network\n')
}

interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A machine with Node, a shell and a few tools, and with nothing installed. */
interface Machine {
  readonly program: string
  readonly path: string
  run(command: readonly string[], variables?: Readonly<Record<string, string>>): Result
}

function pack(to: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/pack-offline.mjs', to], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: '/none' },
  })
  assert.is(status, 0, stderr)
  const [name = ''] = readdirSync(to)
  assert.match(stdout, name)
  return join(to, name)
}

function unpack(dir: TemporaryDirectory, from: string): Machine {
  const tools = join(dir.path, 'tools')
  const home = join(dir.path, 'home')
  for (const folder of [tools, home]) mkdirSync(folder)
  symlinkSync(process.execPath, join(tools, 'node'))
  for (const tool of ['sh', 'readlink', 'tar', 'gzip', 'sha256sum', 'ln', 'rm']) {
    const { stdout } = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' })
    symlinkSync(stdout.trim(), join(tools, tool))
  }
  const run: Machine['run'] = (command, variables = {}) => {
    const words = isolated ? ['unshare', '-rn', 'env', '-i'] : ['env', '-i']
    const env = { PATH: tools, HOME: home, ...variables }
    const set = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const [program = '', ...args] = [...words, ...set, ...command]
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: home, encoding: 'utf8' })
    return { code: status, stdout, stderr }
  }
  const program = join(home, basename(from, '.tar.gz'))
  assert.equal(run(['tar', '-xzf', from]), { code: 0, stdout: '', stderr: '' })
  return { program, path: home, run }
}

/** Made once: that takes a second or two. */
const archive = pack(mkdtempSync(join(tmpdir(), 'offline-')))

test('what it packs runs with Node and nothing else: no registry, no compiler, no network', async () => {
  await using dir = await temporaryDirectory()
  const machine = unpack(dir, archive)
  const { program, path, run } = machine
  const done = (command: readonly string[]): string => {
    const { code, stdout, stderr } = run(command)
    assert.is(code, 0, `${command.join(' ')}: ${stderr}`)
    return stdout
  }
  assert.is(done(['sh', '-c', `cd '${program}' && sha256sum --quiet -c SHA256SUMS`]), '')
  assert.match(done([join(program, 'bin/artifacts'), '--version']), /^artifacts \d/)
  done(['ln', '-s', '../bin-link', join(path, 'artifacts')])
  done(['ln', '-s', `${program}/bin/artifacts`, join(dir.path, 'bin-link')])
  mkdirSync(join(path, 'data'))
  for (let i = 0; i < 300; i++) writeFileSync(join(path, `data/${i}.txt`), `${i}\n`.repeat(100))
  const artifacts = join(path, 'artifacts')
  done([artifacts, 'init'])
  assert.match(done([artifacts, 'commit', 'data', '-n', 'bike']), /Committed bike:v0/)
  done(['rm', '-r', 'data'])
  done([artifacts, 'checkout', 'bike', 'back'])
  assert.is(readFileSync(join(path, 'back/7.txt'), 'utf8'), '7\n'.repeat(100))
  assert.is(readdirSync(join(path, 'back')).length, 300)
  done([artifacts, 'fsck', '--data'])
  assert.match(done([artifacts, 'remote', 'add', 'usb', 'usb']), '(atomic)')
  const script = join(path, 'use.mjs')
  writeFileSync(
    script,
    `import { Store } from '${program}/dist/index.js'
    const store = await Store.open()
    console.log(store.artifacts()[0].name)
    store.close()`,
  )
  assert.is(done(['node', script]), 'bike\n')
  const all = join(program, 'all.mjs')
  writeFileSync(
    all,
    `import facts from './package.json' with { type: 'json' }
    for (const name of Object.keys(facts.dependencies)) await import(name)`,
  )
  done(['node', '--no-warnings', all])
})

test('the same files give the same bytes', async () => {
  await using dir = await temporaryDirectory()
  assert.ok(readFileSync(archive).equals(readFileSync(pack(dir.path))))
})

test('a machine that it is not for is told so, and what to do', async () => {
  await using dir = await temporaryDirectory()
  const { program, run } = unpack(dir, archive)
  const facts = join(program, 'offline.json')
  const right = JSON.parse(readFileSync(facts, 'utf8'))
  const broken = join(dir.path, 'broken.node')
  writeFileSync(broken, 'no library')
  for (const [wrong, message, hint] of [
    [{ node: '99' }, `for Node 99, and this is Node ${process.versions.node}`, 'ARTIFACTS_NODE='],
    [{ platform: 'plan9-vax' }, 'the program for plan9-vax', 'npm run pack:offline'],
    [{ native: ['../../broken.node'] }, 'can not be loaded here', 'glibc'],
  ] as const) {
    writeFileSync(facts, JSON.stringify({ ...right, ...wrong }))
    const { code, stdout, stderr } = run([join(program, 'bin/artifacts'), '--version'])
    assert.equal([code, stdout], [4, ''])
    assert.match(stderr, message)
    assert.match(stderr, hint)
  }
  const none = run([join(program, 'bin/artifacts'), 'ls'], { ARTIFACTS_NODE: '/nowhere/node' })
  assert.is(none.code, 4)
  assert.match(none.stderr, `needs Node ${right.node}`)
})

test.run()
