import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { COMMANDS, FOREIGN_VERBS } from '../../src/cli/table.ts'
import { VERSION } from '../../src/cli/version.ts'
import { call } from './call.ts'

const test = suite('main')

test('without a command, help goes to standard error and the exit code is 2', async () => {
  const { code, stdout, stderr } = await call([])
  assert.is(code, 2)
  assert.is(stdout, '')
  for (const { name } of COMMANDS) assert.match(stderr, `artifacts ${name}`)
})

test('without a command, --json gets an object', async () => {
  const { code, stderr } = await call(['--json'])
  assert.is(code, 2)
  assert.is(JSON.parse(stderr).code, 'ERR_USAGE')
})

test('--help and help explain the program and every command', async () => {
  const { code, stdout } = await call(['--help'])
  assert.is(code, 0)
  assert.match(stdout, 'Commands:')
  for (const { name } of COMMANDS) {
    const [flag, verb] = [await call([name, '--help']), await call(['help', name])]
    assert.is(flag.code, 0)
    assert.is(flag.stdout, verb.stdout)
    assert.match(flag.stdout, `artifacts ${name} [flags]`)
    assert.match(flag.stdout, 'Exit codes:')
  }
})

test('a path named help is a path', async () => {
  const { code, stderr } = await call(['cat', 'bike', 'help'], { cwd: '/' })
  assert.is(code, 10)
  assert.not.match(stderr, 'Usage')
})

test('the version is printed', async () => {
  assert.equal(await call(['--version']), { code: 0, stdout: `artifacts ${VERSION}\n`, stderr: '' })
  assert.is((await call(['commit', '--version'])).stdout, `artifacts ${VERSION}\n`)
})

test('an unknown command is refused with the one that was probably meant', async () => {
  const { code, stdout, stderr } = await call(['comit'])
  assert.is(code, 2)
  assert.is(stdout, '')
  assert.is(stderr, 'error: There is no command "comit".\nhint: Did you mean `artifacts commit`?\n')
  assert.match((await call(['xyzzy'])).stderr, 'artifacts --help')
  assert.match((await call(['constructor'])).stderr, 'artifacts --help')
})

test('verbs that people know from elsewhere lead to ours', async () => {
  const names = COMMANDS.map(({ name }) => name)
  for (const [verb, ours] of Object.entries(FOREIGN_VERBS)) {
    assert.not(names.includes(verb), `"${verb}" is a command by now`)
    const { code, stderr } = await call([verb, 'x'])
    assert.is(code, 2)
    if (names.includes(ours.split(' ')[0] ?? '')) assert.match(stderr, `\`artifacts ${ours}\``)
  }
})

test('with --json an error is an object on standard error', async () => {
  const { code, stdout, stderr } = await call(['commit', '--bse', 'x', '--json'])
  assert.is(code, 2)
  assert.is(stdout, '')
  assert.equal(JSON.parse(stderr), {
    type: 'error',
    code: 'ERR_USAGE',
    message: '"artifacts commit" has no flag "--bse".',
    hint: 'Did you mean `--base`?',
  })
})

test('errors are coloured on a terminal, and not where that is unwanted', async () => {
  assert.match((await call(['x'], { columns: 80 })).stderr, '\x1b[31merror:')
  assert.not.match((await call(['x'])).stderr, '\x1b')
  assert.not.match((await call(['x', '--no-color'], { columns: 80 })).stderr, '\x1b')
  assert.not.match(
    (await call(['x'], { columns: 80, environment: { color: false } })).stderr,
    '\x1b',
  )
})

test.run()
