import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIo } from '../../../src/store/io/io.ts'
import { layoutOf } from '../../../src/store/layout.ts'
import {
  type BoundVersion,
  boundDirectory,
  findBinding,
  listBindings,
  readBinding,
  removeBinding,
  writeBinding,
} from '../../../src/store/workspace/binding.ts'
import type { ArtifactId, ObjectId } from '../../../src/types.ts'
import { throwsCode } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('binding')
const io = createIo({ durability: 'process' })

function version(name: string, number = 0): BoundVersion {
  const hash = createHash('sha256').update(`${name} ${number}`).digest('hex')
  return {
    artifact: hash.slice(0, 32) as ArtifactId,
    project: 'default',
    name,
    version: hash as ObjectId,
    number,
  }
}

/** A folder with a store in `work/`, which has the directories `data/raw` and `other`, and one outside of it. */
function makeWorkspace(directory: string) {
  const layout = layoutOf(join(directory, 'work/.artifacts'))
  fs.mkdirSync(layout.tmp, { recursive: true })
  const at = (path: string): string => join(directory, path)
  for (const path of ['work/data/raw', 'work/other', 'outside']) {
    fs.mkdirSync(at(path), { recursive: true })
  }
  return { layout, at }
}

test('writes one file for a directory, named by the hash of its path', async () => {
  await using temporary = await temporaryDirectory()
  const { layout, at } = makeWorkspace(temporary.path)
  const bound = version('images', 3)
  assert.is(writeBinding(io, layout, at('work/data/raw'), bound), undefined)
  assert.equal(readBinding(layout, at('work/data/raw')), { path: 'data/raw', ...bound })
  const hash = createHash('sha256').update('data/raw').digest('hex').slice(0, 32)
  assert.equal(fs.readdirSync(layout.bindings), [`${hash}.json`])
  assert.equal(fs.readdirSync(layout.tmp), [])
  assert.is(readBinding(layout, at('work/data')), undefined)
  removeBinding(io, layout, at('work/data/raw'))
  removeBinding(io, layout, at('work/data/raw'))
  assert.is(readBinding(layout, at('work/data/raw')), undefined)
})

test('the last binding of a directory wins and tells what it replaces', async () => {
  await using temporary = await temporaryDirectory()
  const { layout, at } = makeWorkspace(temporary.path)
  const first = version('images')
  writeBinding(io, layout, at('work/data'), first)
  assert.is(writeBinding(io, layout, at('work/data'), first), undefined)
  const replaced = writeBinding(io, layout, at('work/data'), version('labels'))
  assert.equal(replaced, { path: 'data', ...first })
  assert.is(readBinding(layout, at('work/data'))?.name, 'labels')
})

test('knows the workspace as ".", what lies outside by absolute path, and links by where they lead', async () => {
  await using temporary = await temporaryDirectory()
  const { layout, at } = makeWorkspace(temporary.path)
  fs.symlinkSync(at('work'), at('link'))
  fs.symlinkSync(at('outside'), at('work/away'))
  writeBinding(io, layout, at('link'), version('top'))
  writeBinding(io, layout, at('work/away'), version('out'))
  writeBinding(io, layoutOf(at('link/.artifacts')), at('work/missing/yet'), version('new'))
  const { bindings, damaged } = listBindings(layout)
  assert.equal(damaged, [])
  assert.equal(
    bindings.map(({ path, name }) => [path, name]),
    [
      ['.', 'top'],
      [at('outside'), 'out'],
      ['missing/yet', 'new'],
    ],
  )
  assert.equal(
    bindings.map((binding) => boundDirectory(layout, binding)),
    [at('work'), at('outside'), at('work/missing/yet')],
  )
})

test('finds the nearest bound directory around the current one, else the only one', async () => {
  await using temporary = await temporaryDirectory()
  const { layout, at } = makeWorkspace(temporary.path)
  const nameAt = (path: string): string | undefined => findBinding(layout, at(path))?.name
  assert.is(nameAt('work'), undefined)
  writeBinding(io, layout, at('work/data'), version('data'))
  assert.is(nameAt('work/data/raw'), 'data')
  assert.is(nameAt('work/other'), 'data', 'the only one')
  assert.is(nameAt('outside'), 'data', 'the only one')
  writeBinding(io, layout, at('work/data/raw'), version('raw'))
  assert.is(nameAt('work/data/raw'), 'raw')
  assert.is(nameAt('work/data'), 'data')
  assert.is(nameAt('work/other'), undefined)
  fs.rmSync(at('work/data/raw'), { recursive: true })
  assert.is(nameAt('work/other'), 'data', 'the only one that is left')
})

test('names a damaged file where it matters, and lists the others', async () => {
  await using temporary = await temporaryDirectory()
  const { layout, at } = makeWorkspace(temporary.path)
  writeBinding(io, layout, at('work/data'), version('data'))
  writeBinding(io, layout, at('work/other'), version('other'))
  const [file] = listBindings(layout)
    .bindings.filter(({ name }) => name === 'other')
    .map(({ path }) => createHash('sha256').update(path).digest('hex').slice(0, 32))
    .map((hash) => join(layout.bindings, `${hash}.json`))
  if (file === undefined) throw new Error('not bound')
  const good = fs.readFileSync(file, 'utf8')
  const damages = {
    empty: '',
    cut: good.slice(0, 50),
    zeroed: '\0'.repeat(good.length),
    'no object': '7',
    null: 'null',
    'of another directory': good.replace('"other"', '"others"'),
    'without a version': good.replace('"version"', '"Version"'),
    'with a short id': good.replace(/"version":"../, '"version":"'),
    'with a number below 0': good.replace('"number":0', '"number":-1'),
    'with a name that is none': good.replace('"name":"other"', '"name":"../x"'),
  }
  for (const [name, text] of Object.entries(damages)) {
    assert.is.not(text, good, name)
    fs.writeFileSync(file, text)
    const { message } = throwsCode(() => readBinding(layout, at('work/other')), 'ERR_DAMAGED')
    assert.match(message, file)
    assert.match(message, '"other"')
    const { bindings, damaged } = listBindings(layout)
    assert.equal(damaged, [file], name)
    assert.equal(
      bindings.map((binding) => binding.name),
      ['data'],
    )
    assert.is(findBinding(layout, at('work/data'))?.name, 'data')
    assert.is(findBinding(layout, at('work')), undefined, 'there may be two')
    throwsCode(() => findBinding(layout, at('work/other')), 'ERR_DAMAGED')
  }
  assert.is(writeBinding(io, layout, at('work/other'), version('again')), undefined)
  assert.is(readBinding(layout, at('work/other'))?.name, 'again')
})

test.run()
