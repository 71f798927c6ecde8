import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lineage } from '../../../src/cli/commands/lineage.ts'
import { call, run } from '../call.ts'
import { assertFields } from '../json.ts'
import { workspaceWith, write } from '../workspace.ts'

const test = suite('lineage')

/** raw:v0 -> prepare -> data:v0 -> train -> model:v0; train logs into the slot "the model". */
async function pipeline(): Promise<string> {
  const cwd = await workspaceWith({ 'f/a': 'raw' })
  await run(['commit', 'f', '-n', 'raw'], { cwd })
  for (const [job, input, output, slot] of [
    ['prepare', 'raw', 'data', 'data'],
    ['train', 'data', 'model', 'the model'],
  ] as const) {
    const id = (
      await run(['run', 'start', '--id', `id-${job}`, '--name', job, '--job', 'j"b'], { cwd })
    ).trim()
    await run(['use', input, '--run', id], { cwd })
    write(cwd, { 'f/a': output })
    await run(['commit', 'f', '-n', output, '--run', id, '--slot', slot], { cwd })
    await run(['run', 'finish', id], { cwd })
  }
  return cwd
}

test('a tree leads each way', async () => {
  const cwd = await pipeline()
  assert.equal((await run(['lineage', 'data'], { cwd })).split('\n'), [
    'data:v0  dataset',
    'made from',
    '  run prepare (id-prepare)  j"b, finished',
    '    raw:v0  dataset',
    'used for',
    '  run train (id-train)  j"b, finished',
    '    model:v0  dataset  as "the model"',
    '',
  ])
  assert.equal((await run(['lineage', 'model', '--up', '--depth', '1'], { cwd })).split('\n'), [
    'model:v0  dataset',
    'made from',
    '  run train (id-train)  j"b, finished',
    '    data:v0  dataset',
    'There is more beyond this depth.',
    '',
  ])
})

test('what is not known, or stands above, is said', async () => {
  const cwd = await pipeline()
  assert.match(
    await run(['lineage', 'raw', '--up'], { cwd }),
    /^made from\n {2}nothing that is known\n/m,
  )
  await run(['use', 'raw', '--run', 'id-train'], { cwd })
  await run(['use', 'data', '--run', 'id-prepare'], { cwd })
  assert.match(await run(['lineage', 'model', '--up'], { cwd }), '(see above)')
})

test('dot and mermaid draw it, whatever the names', async () => {
  const cwd = await pipeline()
  const dot = (await run(['lineage', 'raw', '--depth', '1', '--format', 'dot'], { cwd })).split(
    '\n',
  )
  assert.is(dot[0], 'digraph lineage {')
  assert.match(
    dot.join('\n'),
    /^ {2}"id-prepare" \[shape=ellipse label="run prepare\\nj\\"b\\nfinished"\]$/m,
  )
  assert.match(dot.join('\n'), /^ {2}"id-prepare" -> "[0-9a-f]{64}" \[label="data"\]$/m)
  assert.is(dot.at(-2), '}')
  const mermaid = await run(['lineage', 'raw', '--depth', '1', '--format', 'mermaid'], { cwd })
  assert.equal(mermaid.split('\n'), [
    'flowchart LR',
    '  v0["raw:v0<br/>dataset"]',
    '  v1["data:v0<br/>dataset"]',
    '  r2(["run prepare<br/>j#34;b<br/>finished"])',
    '  v0 -->|"raw"| r2',
    '  r2 -->|"data"| v1',
    '',
  ])
})

test('--json, and --format json, have the documented fields', async () => {
  const cwd = await pipeline()
  const text = await run(['lineage', 'model', '--json'], { cwd })
  assert.is(await run(['lineage', 'model', '--format', 'json'], { cwd }), text)
  const graph = JSON.parse(text)
  assertFields(graph, lineage.json[''])
  for (const each of graph.versions) assertFields(each, lineage.json['A version'])
  for (const each of graph.runs) assertFields(each, lineage.json['A run'])
  for (const each of graph.edges) assertFields(each, lineage.json['An edge'])
})

test('refuses what is not understood', async () => {
  const cwd = await pipeline()
  assert.is((await call(['lineage', 'raw', '--up', '--down'], { cwd })).code, 2)
  assert.is((await call(['lineage', 'raw', '--depth', 'x'], { cwd })).code, 2)
  assert.is((await call(['lineage', 'raw', '--format', 'svg'], { cwd })).code, 2)
  assert.is((await call(['lineage', 'nothing'], { cwd })).code, 12)
})

test.run()
