/** Runs examples/python as its users do: a copy of the file beside a program. Python is there wherever packages are built. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../src/index.ts'
import { temporaryDirectory } from './support/temp.ts'

const test = suite('python-example')
const CLIENT = fileURLToPath(new URL('../../examples/python/artifacts.py', import.meta.url))
const BIN = fileURLToPath(new URL('../src/cli/bin.js', import.meta.url))
const HAS_PYTHON = spawnSync('python3', ['--version']).status === 0

if (HAS_PYTHON) {
  test('the example logs, uses, and finds its way back from the model to the data', async () => {
    await using dir = await temporaryDirectory()
    assert.equal(python(dir.path, [CLIENT]), [
      'logged bike:v0 of 2 files',
      'logged bike-model:v0',
      'the model: {"weights": [2, 0.5]}',
      '  run train logs bike-model:v0',
      '  run train uses bike:v0',
      '  run collect logs bike:v0',
      'aliases: best, latest',
      'ERR_NOT_FOUND - No artifact named "boat". Run `artifacts ls` to see all artifacts.',
    ])
    await using store = await Store.open({ from: dir.path })
    const run = await store.findRun({ name: 'train' })
    assert.is(run.state, 'finished')
    assert.equal(run.config, { lr: 0.1 })
    assert.equal(run.tags, ['first'])
  })

  test('what Python says arrives as it was said, and what JSON has no word for is refused', async () => {
    await using dir = await temporaryDirectory()
    mkdirSync(join(dir.path, 'data'))
    writeFileSync(join(dir.path, 'data/a.txt'), 'a')
    const printed = script(dir.path, [
      'store = Store.init()',
      'told = {"text": "0x10", "true": "true", "n": [1, None], "ü=": {"a b": -0.5}}',
      'store.log("bike", "data", metadata=told, description="-q a=b", tags=["-x"])',
      'found = store.version("bike")',
      'print(found["metadata"] == told, found["description"], found["tags"])',
      'run = store.start_run(config={"text": "1e3", "é q": True, "list": [1, "x"]})',
      'print(store.run(run.id)["config"] == {"text": "1e3", "é q": True, "list": [1, "x"]})',
      'try: store.start_run(config={"a=b": 1})',
      'except ValueError as error: print(error)',
      'for wrong in ({"loss": float("nan")}, {"f": print}):',
      '    try: store.log("bike", "data", metadata=wrong)',
      '    except (ValueError, TypeError) as error: print(type(error).__name__)',
      'try: store.log("bike", "data", alias="best")',
      'except TypeError as error: print(error)',
      'print(len(store.versions("bike")))',
    ])
    assert.equal(printed, [
      "True -q a=b ['-x']",
      'True',
      'a parameter of a run has no "=" in its name: a=b',
      'ValueError',
      'TypeError',
      'log() has no alias',
      '1',
    ])
  })

  test('an exception leaves a run that failed, and goes on', async () => {
    await using dir = await temporaryDirectory()
    const printed = script(dir.path, [
      'store = Store.init()',
      'try:',
      '    with store.start_run("broken") as run: 1 / 0',
      'except ZeroDivisionError: print(store.run("broken")["state"])',
      'try: store.use("nothing", run=run.id)',
      'except ArtifactsError as error: print(error.code, error.exit_code)',
    ])
    assert.equal(printed, ['failed', 'ERR_NOT_FOUND 12'])
  })

  test('the way on from a version leads through all that used it', async () => {
    await using dir = await temporaryDirectory()
    const printed = script(dir.path, [
      'store = Store.init()',
      'open("a", "w").write("a")',
      'store.log("data", "a")',
      'for i in range(2):',
      '    open(f"m{i}", "w").write(str(i))',
      '    with store.start_run(f"r{i}") as run:',
      '        print(open(run.use("data")).read(), end=" ")',
      '        run.log(f"model{i}", f"m{i}")',
      'print(len(list(store.lineage("data").downstream())), len(list(store.lineage("data").upstream())))',
      'print(len(list(store.lineage("data", depth=0).downstream())))',
    ])
    assert.equal(printed, ['a a 4 0', '0'])
  })

  test('a store that is not there is told of as the program tells it', async () => {
    await using dir = await temporaryDirectory()
    const [line = ''] = script(dir.path, [
      'try: Store().version("bike")',
      'except ArtifactsError as error: print(error.code, error.hint)',
    ])
    assert.match(line, /^ERR_NO_STORE .*`artifacts init`/)
  })
}

test.run()

/** The lines that a program prints which has the client beside it. */
function script(cwd: string, lines: readonly string[]): string[] {
  copyFileSync(CLIENT, join(cwd, 'artifacts.py'))
  const program = join(cwd, 'program.py')
  writeFileSync(program, ['from artifacts import ArtifactsError, Store', ...lines, ''].join('\n'))
  return python(cwd, [program])
}

function python(cwd: string, argv: readonly string[]): string[] {
  const env = { ...process.env, ARTIFACTS_PROGRAM: `'${process.execPath}' '${BIN}'` }
  const { status, stdout, stderr } = spawnSync('python3', ['-B', ...argv], {
    cwd,
    env,
    encoding: 'utf8',
  })
  assert.is(status, 0, stderr)
  return stdout.trimEnd().split('\n')
}
