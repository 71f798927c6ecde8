/** Pushes and clones that are cut at one of their requests, and what they leave. */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { Store } from '../src/index.ts'
import { decodeFormat } from '../src/store/format.ts'
import { decodeOperation } from '../src/store/log/operation.ts'
import { temporaryDirectory } from './support/temp.ts'
import { type FileServer, fileServer } from './sync/file-server.ts'
import { type Fault, type HostileProxy, hostileProxy } from './sync/hostile-proxy.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/program/artifacts.js', import.meta.url))

/** What happens to the requests of one attempt, by their numbers from 0. */
export type Plan = (n: number) => Fault | 'kill' | undefined

export interface Scene extends AsyncDisposable {
  readonly server: FileServer
  /** Runs the program; returns its exit code, or `killed`. */
  attempt(plan: Plan, args: (address: string) => readonly string[]): Promise<number | 'killed'>
  /** How many requests the last attempt made. */
  count(): number
  /** A store with versions to be pushed: a copy of the same one each time. */
  copy(name: string): string
  readonly path: string
}

/** @param isPushed whether the server has it all already, in three pushes */
export async function scene({ isPushed }: { readonly isPushed: boolean }): Promise<Scene> {
  const directory = await temporaryDirectory()
  const { path } = directory
  const server = await fileServer()
  const original = await makeStore(join(path, 'original'), isPushed ? server.url : undefined)
  let running: Plan = () => undefined
  let kill = (): void => {}
  let first = 0
  const proxy: HostileProxy = await hostileProxy(server.url, (n) => {
    const what = running(n - first)
    if (what !== 'kill') return what
    kill()
    return { kind: 'cut', bytes: 0 }
  })
  return {
    server,
    path,
    count: () => proxy.count() - first,
    copy(name) {
      const to = join(path, name)
      cpSync(original, to, { recursive: true })
      const settings = { primary: 'origin', 'remote.origin.url': proxy.url }
      writeFileSync(join(to, '.artifacts', 'config.json'), JSON.stringify(settings))
      return to
    },
    async attempt(plan, args) {
      running = plan
      first = proxy.count()
      const child = spawn(process.execPath, [PROGRAM, ...args(proxy.url)], {
        cwd: path,
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: process.env['PATH'] ?? '', HOME: path },
      })
      kill = () => child.kill('SIGKILL')
      let said = ''
      child.stderr.on('data', (piece) => {
        said += piece
      })
      const code = await new Promise<number | 'killed'>((resolve) => {
        child.once('close', (status, signal) =>
          resolve(signal === 'SIGKILL' ? 'killed' : (status ?? -1)),
        )
      })
      assert.not.match(said, 'ERR_BUG')
      assert.not.match(said, 'mistake in the program')
      return code
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

async function makeStore(path: string, address: string | undefined): Promise<string> {
  mkdirSync(path)
  const { store } = await Store.init(path)
  store.settings.set('durability', 'process')
  if (address !== undefined) await store.remotes.add('origin', address)
  for (let n = 0; n < 3; n++) {
    const folder = join(path, `data-${n}`)
    mkdirSync(folder)
    for (let i = 0; i < 5; i++) writeFileSync(join(folder, `${i}.txt`), `${n} ${i}\n`.repeat(2000))
    await store.commit([folder], { name: `data-${n}`, jobs: 0 })
    if (address !== undefined) await store.push([])
  }
  store.close()
  return path
}

/** Nothing that the remote's log names is missing there. */
export function isConsistent({ files }: FileServer): void {
  const format = files.get('format.json')
  if (format === undefined) return
  let prev = decodeFormat(format.toString('utf8'), 'format.json').hash
  for (let n = 1; ; n++) {
    const name = `log/${String(n).padStart(12, '0')}.json`
    const bytes = files.get(name)
    if (bytes === undefined) break
    const entry = decodeOperation(bytes, { n, prev, path: name })
    assert.is(entry.kind, 'operation')
    if (entry.kind !== 'operation') return
    for (const { id, bytes: length } of entry.operation.packs) {
      assert.is(files.get(`packs/${id}.pack`)?.length, length, `${name} names what is not there`)
    }
    prev = entry.hash
  }
}

/** A store that a clone made has everything, and is sound. */
export async function isComplete(root: string): Promise<void> {
  await using store = await Store.open({ store: join(root, '.artifacts') })
  assert.equal(
    store.artifacts().map(({ name }) => name),
    ['data-0', 'data-1', 'data-2'],
  )
  for (const { name } of store.artifacts()) assert.ok((await store.verify(name)).ok)
  assert.equal((await Store.fsck({ store: store.root }, { data: 1 })).problems, [])
}

/** How often each pack was asked for with this method, as far as the server heard of it. */
export function transfers(
  { asked }: FileServer,
  method: 'PUT' | 'GET',
): ReadonlyMap<string, number> {
  const times = new Map<string, number>()
  for (const line of asked) {
    const [how, name = ''] = line.split(' ')
    if (how === method && name.startsWith('packs/')) times.set(name, (times.get(name) ?? 0) + 1)
  }
  return times
}
