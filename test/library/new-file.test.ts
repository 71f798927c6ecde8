/** Files of a draft that a program writes. */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact, type ArtifactVersion } from '../../src/index.ts'
import { readTree } from '../support/files.ts'
import { rejects, throwsCode } from '../support/rejects.ts'
import { type Workspace, workspace } from './workspace.ts'

const test = suite('new-file')

function draft(): Artifact {
  return new Artifact('bike', { type: 'dataset' })
}

async function files(ws: Workspace, artifact: Artifact): Promise<ReturnType<typeof readTree>> {
  const version: ArtifactVersion = await ws.store.commit(artifact)
  return readTree(await version.download(ws.at(version.version)))
}

function temporaryFiles(): string[] {
  return fs.readdirSync(tmpdir()).filter((name) => name.includes(`.${process.pid}.`))
}

test('leaving the block ends the file and adds it', async () => {
  await using ws = await workspace()
  const artifact = draft()
  {
    await using file = artifact.newFile('hello.txt')
    file.write('hello ')
    file.write('world')
  }
  {
    await using file = artifact.newFile('a/b/empty')
    void file
  }
  assert.equal(await files(ws, artifact), { 'a/b/empty': '', 'hello.txt': 'hello world' })
  assert.equal(temporaryFiles(), [])
})

test('closing it returns the entry', async () => {
  await using ws = await workspace()
  const artifact = draft()
  const file = artifact.newFile('a')
  file.write(new Uint8Array([1, 2, 3]))
  assert.equal(await file.close(), { path: 'a', size: 3, localPath: undefined })
  assert.equal((await file.close()).size, 3)
  assert.is(await artifact.remove('a'), 1)
  assert.equal(await files(ws, artifact), {})
})

test('what is destroyed, or fails while it is written, adds nothing', async () => {
  await using ws = await workspace()
  const artifact = draft()
  const first = artifact.newFile('first')
  first.write('x')
  first.destroy()
  const second = artifact.newFile('second')
  const source = Readable.from(
    (function* () {
      yield 'one'
      throw new Error('source failed')
    })(),
  )
  try {
    await pipeline(source, second)
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), 'source failed')
  }
  assert.equal(await files(ws, artifact), {})
  assert.equal(temporaryFiles(), [])
})

test('a path that is taken is refused at the call, but for mode "w"', async () => {
  await using ws = await workspace()
  const artifact = draft()
  const write = async (text: string, mode?: 'x' | 'w'): Promise<void> => {
    const file = artifact.newFile('a', mode === undefined ? {} : { mode })
    file.write(text)
    await file.close()
  }
  await write('one')
  throwsCode(() => artifact.newFile('a'), 'ERR_EXISTS')
  throwsCode(() => artifact.newFile('a', { mode: 'x' }), 'ERR_EXISTS')
  await write('two', 'w')
  // Two that are open at once: the second to end finds the path taken.
  const left = artifact.newFile('b')
  const right = artifact.newFile('b')
  left.write('left')
  right.write('right')
  await left.close()
  await rejects(right.close(), 'ERR_EXISTS')
  assert.equal(await files(ws, artifact), { a: 'two', b: 'left' })
  assert.equal(temporaryFiles(), [])
})

test('texts are written in the encoding that is given, or not at all', async () => {
  await using ws = await workspace()
  const artifact = draft()
  for (const [encoding, text] of [
    ['utf8', 'é€😀'],
    ['latin1', 'é'],
    ['utf16le', 'é€'],
    ['hex', '00ff'],
  ] as const) {
    const file = artifact.newFile(encoding, { encoding })
    file.write(text)
    await file.close()
  }
  for (const [encoding, text] of [
    ['latin1', '€'],
    ['ascii', 'é'],
    ['utf8', '\ud800'],
  ] as const) {
    const file = artifact.newFile(`bad ${encoding}`, { encoding })
    file.write('begins well ')
    file.write(text)
    const error = await rejects(file.close(), 'ERR_USAGE')
    assert.match(error.message, encoding)
  }
  const version = await ws.store.commit(artifact)
  const dir = await version.download(ws.at('out'))
  const bytes = (name: string): string => fs.readFileSync(`${dir}/${name}`).toString('hex')
  assert.equal(fs.readdirSync(dir).sort(), ['hex', 'latin1', 'utf16le', 'utf8'])
  assert.is(bytes('latin1'), 'e9')
  assert.is(bytes('utf16le'), 'e900ac20')
  assert.is(bytes('hex'), '00ff')
  assert.is(bytes('utf8'), Buffer.from('é€😀').toString('hex'))
})

test('a draft is not logged while a file of it is being written', async () => {
  await using ws = await workspace()
  const artifact = draft()
  const file = artifact.newFile('late')
  file.write('x')
  const error = await rejects(ws.store.commit(artifact), 'ERR_USAGE')
  assert.match(error.message, '"late"')
  // One that has ended is waited for, and what is called after its end comes after it.
  file.end('y')
  const removed = artifact.remove('late')
  const again = artifact.newFile('again')
  again.end('z')
  assert.equal(await files(ws, artifact), { again: 'z' })
  assert.is(await removed, 1)
  assert.is(artifact.state, 'committed')
  assert.equal(temporaryFiles(), [])
})

test('an error that nobody was told of keeps the draft from being logged, once', async () => {
  await using ws = await workspace()
  const artifact = draft()
  const bad = artifact.newFile('bad', { encoding: 'ascii' })
  bad.end('é')
  await rejects(ws.store.commit(artifact), 'ERR_USAGE')
  const left = artifact.newFile('a')
  artifact.newFile('a').end('first')
  left.end('second')
  await rejects(ws.store.commit(artifact), 'ERR_EXISTS')
  assert.is(artifact.state, 'pending')
  assert.equal(await files(ws, artifact), { a: 'first' })
  const late = draft()
  const file = late.newFile('late')
  late.finalize()
  await rejects(file.close(), 'ERR_FINALIZED')
  assert.equal(temporaryFiles(), [])
})

test('a function writes a file, and adds nothing when it throws', async () => {
  await using ws = await workspace()
  const artifact = draft()
  const entry = await artifact.newFile('a', async (file) => {
    file.write('one ')
    await new Promise((resolve) => setImmediate(resolve))
    file.write('two')
  })
  assert.equal(entry, { path: 'a', size: 7, localPath: undefined })
  const failing = artifact.newFile('b', (file) => {
    file.write('begins well')
    throw new Error('no more')
  })
  try {
    await failing
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'no more')
  }
  throwsCode(() => artifact.newFile('a', () => {}), 'ERR_EXISTS')
  await artifact.newFile('a', (file) => file.write('new'), { mode: 'w' })
  assert.equal(await files(ws, artifact), { a: 'new' })
  assert.equal(temporaryFiles(), [])
})

test.run()
