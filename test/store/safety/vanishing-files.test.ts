/** Files that become something else between being listed and being read, and what is no file at all. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError, type CommitReport, EXIT_CODES } from '../../../src/index.ts'
import { rejects } from '../../support/rejects.ts'
import { newWorkspace, readAll, type Workspace } from './workspace.ts'

const test = suite('vanishing files')

function makeFifo(path: string): void {
  assert.is(spawnSync('mkfifo', [path]).status, 0)
}

/** Commits `d`, and lets `interfere` loose as soon as its files are listed and before one is read. */
async function commitWhile(
  { path, run }: Workspace,
  interfere: () => void,
): Promise<CommitReport | ArtifactsError> {
  let done = false
  const onProgress = (): void => {
    if (!done) interfere()
    done = true
  }
  try {
    const report = await run((store) => store.commit([join(path, 'd')], { onProgress }))
    assert.is(done, true)
    return report
  } catch (error) {
    if (error instanceof ArtifactsError) return error
    throw error
  }
}

type Outcome = 'named' | string

/** What happens to the file; and the content that may be stored then, or `named` where it has none. */
const ACCIDENTS: Readonly<
  Record<string, readonly [(file: string, size: number) => void, (size: number) => Outcome]>
> = {
  'is deleted': [(file) => rmSync(file), () => 'named'],
  'becomes a directory': [
    (file) => {
      rmSync(file)
      mkdirSync(file)
    },
    () => 'named',
  ],
  'becomes a FIFO': [
    (file) => {
      rmSync(file)
      makeFifo(file)
    },
    () => 'named',
  ],
  'becomes a symlink to a file': [
    (file) => {
      renameSync(file, `${file}.away`)
      symlinkSync(`${file}.away`, file)
    },
    () => 'named',
  ],
  'becomes a symlink to itself': [
    (file) => {
      rmSync(file)
      symlinkSync(file, file)
    },
    () => 'named',
  ],
  'is emptied': [(file) => truncateSync(file, 0), () => ''],
  grows: [(file) => appendFileSync(file, 'b'), (size) => `${'a'.repeat(size)}b`],
  'is cut short': [(file, size) => truncateSync(file, size - 1), (size) => 'a'.repeat(size - 1)],
  'is overwritten': [
    (file, size) => writeFileSync(file, 'b'.repeat(size), { flag: 'r+' }),
    (size) => 'b'.repeat(size),
  ],
  'is replaced, with the same times': [
    (file, size) => {
      writeFileSync(`${file}.new`, 'b'.repeat(size))
      utimesSync(`${file}.new`, OLD, OLD)
      renameSync(`${file}.new`, file)
    },
    (size) => 'b'.repeat(size),
  ],
  'grows beyond what is read in one piece': [
    (file) => appendFileSync(file, 'b'.repeat(5 << 20)),
    (size) => `${'a'.repeat(size)}${'b'.repeat(5 << 20)}`,
  ],
}

const OLD = new Date('2020-01-01T00:00:00Z')

for (const [accident, [interfere, expected]] of Object.entries(ACCIDENTS)) {
  test(`a file that ${accident} after it was listed`, async () => {
    for (const size of [10, 1000, 300_000, 5 << 20]) {
      await using workspace = await newWorkspace()
      const dir = join(workspace.path, 'd')
      const file = join(dir, 'f')
      mkdirSync(dir)
      writeFileSync(join(dir, 'a'), 'another')
      writeFileSync(file, 'a'.repeat(size))
      utimesSync(file, OLD, OLD)
      await sleep(30)
      const result = await commitWhile(workspace, () => interfere(file, size))
      const outcome = expected(size)
      const context = `${size} bytes: ${result instanceof Error ? result.message : 'stored'}`
      if (result instanceof ArtifactsError) {
        assert.ok(['ERR_FILE_CHANGED', 'ERR_UNREADABLE'].includes(result.code), context)
        assert.match(result.message, `"${file}"`, context)
        assert.is(EXIT_CODES[result.code], 4)
        assert.is(outcome, 'named', context)
        assert.equal(await workspace.run((store) => store.artifacts()), [], context)
      } else {
        assert.not.equal(outcome, 'named', context)
        const stored = await workspace.run((store) => readAll(store, 'd', 'f').toString())
        assert.ok(stored === outcome, context)
        assert.is(result.bytes, outcome.length + 'another'.length, context)
      }
    }
  })
}

test('a file that is replaced by a program after it was listed is stored as one', async () => {
  for (const size of [10, 1000, 5 << 20]) {
    await using workspace = await newWorkspace()
    const dir = join(workspace.path, 'd')
    mkdirSync(dir)
    writeFileSync(join(dir, 'f'), 'a'.repeat(size))
    await commitWhile(workspace, () => {
      writeFileSync(join(dir, 'new'), 'b'.repeat(size), { mode: 0o755 })
      renameSync(join(dir, 'new'), join(dir, 'f'))
    })
    await workspace.run(async (store) => {
      const [entry] = store.entries('d')
      assert.is(readAll(store, 'd', 'f').toString(), 'b'.repeat(size))
      assert.is(entry?.kind === 'file' && entry.executable, true)
      assert.is((await store.verify('d', { dir })).ok, true)
    })
  }
})

test('a directory that is deleted after it was listed is left out', async () => {
  await using workspace = await newWorkspace()
  const dir = join(workspace.path, 'd')
  for (const name of ['one', 'two']) {
    mkdirSync(join(dir, name), { recursive: true })
    writeFileSync(join(dir, name, 'f'), name)
  }
  await commitWhile(workspace, () => rmSync(join(dir, 'two'), { recursive: true }))
  const paths = await workspace.run((store) => [...store.entries('d')].map(({ path }) => path))
  assert.equal(paths, ['one/f'])
})

test('sockets and FIFOs are named and skipped, and never opened', async () => {
  await using workspace = await newWorkspace()
  const dir = join(workspace.path, 'd')
  mkdirSync(join(dir, 'sub'), { recursive: true })
  writeFileSync(join(dir, 'f'), 'file')
  makeFifo(join(dir, 'sub/fifo'))
  const server = createServer().listen(join(dir, 'socket'))
  await once(server, 'listening')
  // Opening a FIFO for writing waits until somebody opens it for reading.
  const writer = spawn('sh', ['-c', 'exec 3> "$0"; echo opened', join(dir, 'sub/fifo')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let told = ''
  writer.stdout.on('data', (piece) => {
    told += piece
  })
  try {
    const { skipped, files } = await workspace.run((store) => store.commit([dir]))
    assert.is(files, 1)
    assert.equal(
      [...skipped].sort((a, b) => (a.path < b.path ? -1 : 1)),
      [
        { path: 'socket', reason: 'a socket' },
        { path: 'sub/fifo', reason: 'a FIFO' },
      ],
    )
    await workspace.run(async (store) => {
      assert.is((await store.status())[0]?.state, 'clean')
      assert.is((await store.verify('d', { dir })).ok, true)
      assert.is((await store.diff({ ref: 'd' }, { dir })).changes.length, 0)
      await store.checkout('d', dir)
    })
    await sleep(50)
    assert.is(told, '')
    assert.is(writer.exitCode, null)
  } finally {
    writer.kill('SIGKILL')
    server.close()
  }
})

test('a FIFO or a device given by name is refused, and not opened', async () => {
  await using workspace = await newWorkspace()
  const fifo = join(workspace.path, 'fifo')
  makeFifo(fifo)
  for (const path of [fifo, '/dev/zero']) {
    const error = await rejects(
      workspace.run((store) => store.commit([path], { name: 'x' })),
      'ERR_USAGE',
    )
    assert.match(error.message, path)
  }
})

test.run()
