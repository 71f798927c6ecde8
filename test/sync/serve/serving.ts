/** A store that is served on loopback, another one to push from, and pushes made by hand. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Store } from '../../../src/index.ts'
import { layoutOf, packPath } from '../../../src/store/layout.ts'
import type { Change } from '../../../src/store/log/change.ts'
import { readEntry } from '../../../src/store/log/log.ts'
import {
  encodeOperation,
  type JoiningPack,
  type Operation,
} from '../../../src/store/log/operation.ts'
import { openStore } from '../../../src/store/open.ts'
import { type Backend, readAll } from '../../../src/sync/backend.ts'
import { HttpBackend } from '../../../src/sync/backends/http.ts'
import { LATEST_NAME, operationName } from '../../../src/sync/log/names.ts'
import { packName } from '../../../src/sync/put-pack.ts'
import { type ServeOptions, serveStore } from '../../../src/sync/serve/server.ts'
import { bytesSource } from '../../../src/sync/source.ts'
import type { ObjectId } from '../../../src/types.ts'
import { type Tree, writeTree } from '../../support/files.ts'
import { temporaryDirectory } from '../../support/temp.ts'

export interface ServedStore extends AsyncDisposable {
  readonly url: string
  /** The `.artifacts` directory. */
  readonly root: string
  readonly store: Store
  readonly backend: HttpBackend
  /** What went wrong on the server's side. */
  readonly errors: unknown[]
  /** Ends the server, and leaves the store open. */
  stop(): Promise<void>
}

/** A new store that is served. */
export async function servedStore(
  options: ServeOptions & { readonly token?: string } = {},
): Promise<ServedStore> {
  const directory = await temporaryDirectory()
  const { store } = await Store.init(directory.path)
  store.settings.set('durability', 'process')
  const opened = await serveRoot(store.root, options)
  return {
    ...opened,
    store,
    root: store.root,
    async [Symbol.asyncDispose]() {
      await opened.backend[Symbol.asyncDispose]()
      await opened.stop()
      store.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}

export async function serveRoot(
  root: string,
  { token, ...options }: ServeOptions & { readonly token?: string } = {},
): Promise<Pick<ServedStore, 'url' | 'backend' | 'errors' | 'stop'>> {
  const errors: unknown[] = []
  const opened = await openStore({ root, tool: 'artifacts/0.0.0' })
  const server = await serveStore(
    opened,
    { entity: 'me', project: 'default' },
    { port: 0, onError: (error) => errors.push(error), ...options },
  )
  return {
    url: server.url,
    errors,
    backend: new HttpBackend(server.url, { env: {}, token }),
    async stop() {
      await server.close()
      opened.close()
    },
  }
}

export interface Source extends AsyncDisposable {
  readonly store: Store
  /** Commits a tree as the next version of `name`; returns the operation's number. */
  commit(tree: Tree, name?: string): Promise<number>
  /** The commit's operation as a push would write it, and the packs it names. */
  push(n: number): Push
}

export interface Push {
  readonly operation: Omit<Operation, 'n' | 'prev'>
  readonly packs: ReadonlyMap<ObjectId, Buffer>
}

/** A store whose operations have the numbers that they get when they are pushed in order. */
export async function sourceStore(): Promise<Source> {
  const directory = await temporaryDirectory()
  const { store } = await Store.init(directory.path)
  store.settings.set('durability', 'process')
  const layout = layoutOf(store.root)
  let commits = 0
  return {
    store,
    async commit(tree, name = 'bike') {
      const path = join(directory.path, `data-${commits++}`)
      writeTree(path, tree)
      await store.commit([path], { name, jobs: 0 })
      const [newest] = store.operations({ limit: 1 })
      return newest?.operation ?? 0
    },
    push(n) {
      const entry = readEntry(layout, n, undefined)
      if (entry?.kind !== 'operation') throw new Error(`no operation ${n}`)
      const { n: _, prev: __, ...operation } = entry.operation
      // All that there are by then: those that hold something of the version are among them.
      const all = Array.from({ length: n }, (_, i) => readEntry(layout, i + 1, undefined))
      const ids = all.flatMap((each) =>
        each?.kind === 'operation' ? each.operation.packs.map(({ id }) => id) : [],
      )
      const changes = operation.changes.map(
        (change): Change =>
          change.kind === 'version.add' ? { ...change, closure: { packs: ids.sort() } } : change,
      )
      const packs = new Map(
        operation.packs.map(({ id }) => [id, readFileSync(packPath(layout, id))]),
      )
      const joining = operation.packs.map((pack): JoiningPack => {
        return { ...pack, sha256: sha256(packs.get(pack.id) as Buffer) }
      })
      const nonce = randomBytes(16).toString('hex')
      return { operation: { ...operation, nonce, changes, packs: joining }, packs }
    },
    async [Symbol.asyncDispose]() {
      store.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}

/** Puts the packs, and then the operation behind the newest one of the store that is served. */
export async function push(
  { backend }: Pick<ServedStore, 'backend'>,
  { operation, packs }: Push,
): Promise<'created' | 'exists'> {
  for (const [id, bytes] of packs) await backend.putIfAbsent(packName(id), bytesSource(bytes))
  const next = await following(backend, operation)
  return backend.putIfAbsent(operationName(next.n), bytesSource(encodeOperation(next).bytes))
}

/** The operation with its place at the end of a remote's log. */
export async function following(
  backend: Backend,
  operation: Push['operation'],
): Promise<Operation> {
  const bytes = await readAll(backend, LATEST_NAME, { most: 1000 })
  const { n, hash: prev } = JSON.parse(bytes.toString()) as { n: number; hash: string }
  return { ...operation, n: n + 1, prev }
}

export interface Asked {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** One request as `fetch` makes it. */
export async function ask(url: string, init: RequestInit = {}): Promise<Asked> {
  const answer = await fetch(url, { redirect: 'manual', ...init })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

/** PUT with the headers that a body needs, unless others are given. */
export function put(
  url: string,
  bytes: Uint8Array | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Asked> {
  const body = Buffer.from(bytes)
  const all = { 'x-content-sha256': sha256(body), 'if-none-match': '*', ...headers }
  return ask(url, { method: 'PUT', body, headers: all })
}

/** Sends these bytes as they are, and returns what comes until the connection ends or `answered` fits. */
export function rawly(url: string, text: string, answered = /\r\n\r\n/): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let came = ''
    const socket = connect(Number(port), hostname, () => void socket.write(text))
    socket.on('data', (piece) => {
      came += piece.toString('latin1')
      if (answered.test(came)) socket.destroy()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(came)
      else reject(error)
    })
    socket.on('close', () => resolve(came))
  })
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
