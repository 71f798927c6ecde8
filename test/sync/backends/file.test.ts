import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIo, type Io } from '../../../src/store/io/io.ts'
import { readAll } from '../../../src/sync/backend.ts'
import { FileBackend } from '../../../src/sync/backends/file.ts'
import { limited } from '../../../src/sync/backends/limited.ts'
import { retrying } from '../../../src/sync/backends/retrying.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import { rejects } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'
import { conformance, listAll, type Subject } from '../conformance.ts'

const test = suite('file backend')
const io = createIo({ durability: 'process' })
/** A file system without hard links, as FAT is. */
const withoutLinks: Io = {
  ...io,
  linkExclusive() {
    throw Object.assign(new Error('not permitted'), { code: 'EPERM', errno: -1 })
  },
}

conformance(test, inFolder('file', io))
conformance(test, inFolder('file, wrapped', io, true))
conformance(test, inFolder('file without hard links, wrapped', withoutLinks, true))

test('a link whose answer was lost is the writer’s own', async () => {
  await using dir = await temporaryDirectory()
  for (const code of ['EEXIST', 'EIO']) {
    const lossy: Io = {
      ...io,
      linkExclusive(existing, path) {
        io.link(existing, path)
        if (code === 'EEXIST') return false
        throw Object.assign(new Error('lost'), { code, errno: -5 })
      },
    }
    const backend = new FileBackend(dir.path, { io: lossy })
    assert.is(await backend.putIfAbsent(`log/${code}`, bytesSource('mine')), 'created')
  }
})

test('what is half written or left behind is in no list, and is no file of the remote', async () => {
  await using dir = await temporaryDirectory()
  const backend = new FileBackend(join(dir.path, 'remote'), { io })
  const torn: Io = {
    ...io,
    unlink() {
      throw Object.assign(new Error('gone'), { code: 'EIO', errno: -5 })
    },
  }
  await new FileBackend(join(dir.path, 'remote'), { io: torn }).putIfAbsent(
    'packs/a',
    bytesSource('a'),
  )
  writeFileSync(join(dir.path, 'remote/packs/notes of others.txt'), 'x')
  assert.is(readdirSync(join(dir.path, 'remote/packs')).length, 3)
  assert.equal(
    (await listAll(backend, 'packs/')).map(({ name }) => name),
    ['packs/a'],
  )
})

test('a folder that is not mounted is no empty remote', async () => {
  await using dir = await temporaryDirectory()
  const gone = new FileBackend(join(dir.path, 'usb/remote'), { io })
  for (const ask of [
    () => gone.get('latest.json'),
    () => gone.head('latest.json'),
    () => listAll(gone, 'log/'),
    () => gone.delete('x'),
    () => gone.put('x', bytesSource('')),
  ]) {
    const error = await rejects(ask(), 'ERR_REMOTE_UNREACHABLE')
    assert.match(error.message, `"${dir.path}/usb"`)
  }
  assert.not(existsSync(join(dir.path, 'usb')))
  mkdirSync(join(dir.path, 'usb'))
  assert.is(await gone.head('latest.json'), undefined)
  assert.is(await gone.putIfAbsent('latest.json', bytesSource('1')), 'created')
})

test('a pipe or a folder in the place of a file is refused, not waited for', async () => {
  await using dir = await temporaryDirectory()
  const backend = new FileBackend(dir.path, { io })
  execFileSync('mkfifo', [join(dir.path, 'latest.json')])
  mkdirSync(join(dir.path, 'format.json'))
  await rejects(backend.get('latest.json'), 'ERR_DAMAGED')
  await rejects(backend.get('format.json'), 'ERR_DAMAGED')
  symlinkSync('nowhere', join(dir.path, 'dangling'))
  assert.is(await backend.head('dangling'), undefined)
})

test('a lock of another host keeps others waiting, and says how it is removed', async () => {
  await using dir = await temporaryDirectory()
  mkdirSync(join(dir.path, 'log'))
  const lock = join(dir.path, 'log/.lock-1.json.0')
  writeFileSync(lock, 'elsewhere.1.1.0123456789abcdef')
  const bare = new FileBackend(dir.path, { io: withoutLinks })
  const backend = retrying(bare, { attempts: 3, pause: 1 })
  const error = await rejects(backend.putIfAbsent('log/1.json', bytesSource('x')), 'ERR_BUSY')
  assert.match(error.hint ?? '', lock)
  execFileSync('rm', [lock])
  assert.is(await backend.putIfAbsent('log/1.json', bytesSource('x')), 'created')
  assert.is(String(await readAll(bare, 'log/1.json', { most: 9 })), 'x')
})

test('nothing is named before it is durable, nor before what was named earlier', async () => {
  await using dir = await temporaryDirectory()
  const durable = createIo({ durability: 'power' })
  const calls: string[] = []
  const noting: Io = {
    ...durable,
    async fdatasyncAsync(fd) {
      calls.push('bytes')
      await durable.fdatasyncAsync(fd)
    },
    fsyncDirectory(path) {
      calls.push(`names of ${path.slice(dir.path.length)}`)
      durable.fsyncDirectory(path)
    },
    linkExclusive(existing, path) {
      calls.push('link')
      return durable.linkExclusive(existing, path)
    },
  }
  const backend = new FileBackend(dir.path, { io: noting })
  await backend.put('log/1', bytesSource('1'))
  calls.length = 0
  await backend.putIfAbsent('log/2', bytesSource('2'))
  assert.equal(calls, ['bytes', 'names of /log', 'link', 'names of /log'])
  calls.length = 0
  await backend.putIfAbsent('log/2', bytesSource('2'))
  assert.equal(calls, ['names of /log'])
})

test.run()

function inFolder(name: string, files: Io, wrapped = false): Subject {
  return {
    name,
    async open(contents) {
      const dir = await temporaryDirectory()
      const backend = new FileBackend(join(dir.path, 'remote'), { io: files })
      for (const [each, bytes] of Object.entries(contents))
        await backend.put(each, bytesSource(bytes))
      return {
        backend: wrapped ? limited(retrying(backend, { pause: 5, attempts: 50 }), 8) : backend,
        [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
      }
    },
  }
}
