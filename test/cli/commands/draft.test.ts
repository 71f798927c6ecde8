import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { draft } from '../../../src/cli/commands/draft.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { workspaceWith } from '../workspace.ts'

const test = suite('draft')

const FILES = { 'one/a.txt': 'a\n', 'one/b.txt': 'b\n', 'two/a.txt': 'other\n', 'c.txt': 'c\n' }

test('is built in steps, and becomes a version', async () => {
  const cwd = await workspaceWith(FILES)
  const id = (await run(['draft', 'new', '-n', 'bike', '-t', 'dataset'], { cwd })).trim()
  assert.match(id, /^[0-9a-f]{32}$/)
  assert.match(
    await run(['draft', 'add', 'one', '--as', 'data', '--id', id], { cwd }),
    /^Added 2 files, 4 B to the draft ".*" of bike \(.* stored\)\.\n$/,
  )
  await run(['draft', 'add', 'c.txt', 'two/a.txt', '--id', id.slice(0, 8)], { cwd })
  assert.is(
    await run(['draft', 'rm', 'data/b.txt', 'a.txt'], { cwd }),
    `Took "data/b.txt" and "a.txt" out of the draft "${id}" of bike.\n`,
  )
  const shown = await run(['draft', 'show', '--id', id], { cwd })
  assert.match(shown, /^the draft [0-9a-f]{12} of bike\n {2}0 {2}.*2 files, 4 B/)
  assert.match(shown, /\nentries\n {2}c\.txt\n {2}data\/a\.txt\n$/)
  assert.match(
    await run(['draft', 'show'], { cwd }),
    /^[0-9a-f]{12} {2}bike {2,}3 parts {2}just now\n$/,
  )
  const finish = ['draft', 'finish', '-a', 'best', '-m', 'rides', '--meta', 'rows=2']
  assert.is(await run(finish, { cwd }), 'Committed bike:v0 (2 files, 4 B).\n')
  assert.is(await run(['cat', 'bike:best', 'data/a.txt'], { cwd }), 'a\n')
  assert.match(await run(['show', 'bike'], { cwd }), 'rides')
  assert.is(await run(['draft', 'show'], { cwd }), '')
})

test('a key is known beforehand, and only the only one needs no name', async () => {
  const cwd = await workspaceWith(FILES)
  await run(['draft', 'new', '-n', 'bike', '--id', 'job 7'], { cwd })
  assert.is((await call(['draft', 'new', '-n', 'bike', '--id', 'job 7'], { cwd })).code, 14)
  await run(['draft', 'add', 'c.txt', '--id', 'job 7'], { cwd })
  await run(['draft', 'new', '-n', 'car'], { cwd })
  const { code, stderr } = await call(['draft', 'add', 'c.txt'], { cwd })
  assert.is(code, 2)
  assert.match(stderr, '"job 7" of bike')
  assert.is((await call(['draft', 'add', 'c.txt', '--id', 'job 8'], { cwd })).code, 12)
  const abort = await run(['draft', 'abort', '--id', 'job 7'], { cwd })
  assert.is(abort, 'Gave up the draft "job 7" of bike.\n')
  assert.is((await call(['draft', 'finish', '--id', 'job 7'], { cwd })).code, 12)
})

test('writers that disagree are named, and --overwrite settles it', async () => {
  const cwd = await workspaceWith(FILES)
  const writers = ['w1', 'w2']
  for (const id of writers) await run(['run', 'start', '--id', id], { cwd })
  await run(['draft', 'new', '-n', 'bike'], { cwd })
  await run(['draft', 'add', 'one', '--run', 'w1'], { cwd })
  await run(['draft', 'add', 'two', '--run', 'w2'], { cwd })
  const { code, stderr } = await call(['draft', 'finish'], { cwd })
  assert.is(code, 14)
  assert.match(stderr, '"a.txt" by "run w1" and with other bytes by "run w2"')
  const id = (await run(['draft', 'show', '-q'], { cwd })).trim()
  assert.match(await run(['draft', 'show', '--id', id], { cwd }), 'conflict: "a.txt" by')
  await run(['draft', 'add', 'two', '--overwrite', '--run', 'w1'], { cwd })
  assert.is(await run(['draft', 'finish', '-q', '--run', 'w2'], { cwd }), 'bike:v0\n')
  assert.is(await run(['cat', 'bike', 'a.txt'], { cwd }), 'other\n')
  for (const writer of writers) {
    assert.match(await run(['run', 'show', writer], { cwd }), 'bike:v0', writer)
  }
})

test('starts from a version, which rm leaves alone', async () => {
  const cwd = await workspaceWith(FILES)
  await run(['commit', 'one', '-n', 'bike'], { cwd })
  await run(['draft', 'new', '-n', 'bike', '--incremental'], { cwd })
  const { code, stderr } = await call(['rm', 'bike:v0'], { cwd })
  assert.is(code, 14)
  assert.match(stderr, 'starts from "bike:v0"')
  await run(['draft', 'rm', 'b.txt'], { cwd })
  await run(['draft', 'add', 'c.txt'], { cwd })
  await run(['draft', 'finish'], { cwd })
  assert.is(
    await run(['ls', 'bike:v1', '-q'], { cwd }),
    await run(['ls', 'bike:v1', '-q'], { cwd }),
  )
  assert.is(await run(['cat', 'bike:v1', 'a.txt'], { cwd }), 'a\n')
  assert.is((await call(['cat', 'bike:v1', 'b.txt'], { cwd })).code, 12)
  assert.is((await call(['rm', 'bike:v0'], { cwd })).code, 0)
})

test('--json has the documented fields', async () => {
  const cwd = await workspaceWith(FILES)
  const json = async (...argv: string[]) => JSON.parse(await run([...argv, '--json'], { cwd }))
  const made = await json('draft', 'new', '-n', 'bike', '-t', 'model')
  assertFields(made, draft.json['`new`, `abort`'])
  assertFields(await json('draft', 'add', 'one'), draft.json['`add`, `rm`'])
  assertFields(await json('draft', 'rm', 'b.txt'), draft.json['`add`, `rm`'])
  assertFields(await json('draft', 'show'), draft.json['`show`, a line for each draft'])
  const shown = await json('draft', 'show', '--id', made.id)
  assertFields(shown, draft.json['`show --id`'])
  assertFields(shown.parts[0], draft.json['A part'])
  assertFields(shown.entries[0], draft.json['An entry'])
  assertFields(await json('draft', 'finish'), draft.json['`finish`'])
})

test('flags of other actions, and too much or too little, are refused', async () => {
  const cwd = await workspaceWith(FILES)
  for (const argv of [
    ['new'],
    ['new', '-n', 'bike', '-a', 'x'],
    ['add'],
    ['rm'],
    ['finish', 'x'],
    ['frobnicate'],
    ['show', '--overwrite'],
  ]) {
    assert.is((await call(['draft', ...argv], { cwd })).code, 2, argv.join(' '))
  }
})

test.run()
