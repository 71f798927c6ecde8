/** One request: who asks, for what, whether that may be, and the answer. */
import { createHash } from 'node:crypto'
import { fstatSync, statfsSync } from 'node:fs'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { RefDefaults } from '../../store/index/resolve.ts'
import { packPath } from '../../store/layout.ts'
import { segmentsEndingWith, writeSegment } from '../../store/log/write-segment.ts'
import type { OpenedStore } from '../../store/opened.ts'
import type { ReadNode } from '../../store/tree/cursor.ts'
import type { ObjectId } from '../../types.ts'
import type { Access, Asker } from './access.ts'
import { type Body, bytesBody, fileBody, sendBody, sendStatus, sendText } from './answers.ts'
import { announced, receive } from './bodies.ts'
import { contentTypeOf } from './content-types.ts'
import { findFile } from './entries.ts'
import { listFolder } from './folders.ts'
import type { Limits } from './limits.ts'
import type { PackChecker } from './pack-checker.ts'
import { MOST_PROBE_BYTES, type Probes } from './probes.ts'
import { absent, Refusal } from './refusal.ts'
import { type Route, routeOf } from './routes.ts'
import { openIfThere, type ServedLog } from './served-log.ts'
import { takeOperation } from './take-operation.ts'
import { isConditional, takePack } from './take-pack.ts'

export interface Served {
  readonly store: OpenedStore & { readonly id: string }
  readonly defaults: RefDefaults
  readonly readNode: ReadNode
  readonly access: Access
  readonly limits: Limits
  readonly isReadOnly: boolean
  readonly log: ServedLog
  readonly probes: Probes
  readonly checker: PackChecker
  /** SHA-256 of packs that were looked over by this server. */
  readonly hashes: Map<ObjectId, string>
  /** Runs steps one after another. */
  readonly inTurn: <T>(step: () => Promise<T>) => Promise<T>
  /** Told of each operation that was taken. */
  readonly onPush: (push: Push) => void
}

/** An operation that came over the network. */
export interface Push {
  readonly operation: number
  /** The name of the token. */
  readonly token?: string
  /** Versions that it added. */
  readonly versions: number
}

interface Exchange {
  readonly served: Served
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

const METHODS = ['GET', 'HEAD', 'PUT', 'DELETE']
const A_YEAR = 31_536_000
const SPARE_BYTES = 16 * 2 ** 20

/** Answers a request. @throws Refusal, and whatever goes wrong */
export async function answer(exchange: Exchange): Promise<void> {
  const { served, request } = exchange
  const { method = '' } = request
  if (!METHODS.includes(method)) {
    throw new Refusal(405, `"${method}" is not known here.`, { allow: METHODS.join(', ') })
  }
  const route = routeOf(request.url ?? '')
  const isReading = method === 'GET' || method === 'HEAD'
  if (route?.kind === 'health' && isReading) return sendHealth(exchange)
  const asker = served.access.admit(request, isReading ? 'read' : 'write')
  if (isReading) return read(exchange, route)
  if (served.isReadOnly) {
    throw new Refusal(405, 'This store can only be read.', { allow: 'GET, HEAD' })
  }
  if (method === 'DELETE') return remove(exchange, route)
  checkRoom(served, request)
  return write(exchange, route, asker)
}

async function read(exchange: Exchange, route: Route | undefined): Promise<void> {
  const { store, log, probes } = exchange.served
  switch (route?.kind) {
    case 'format':
      return sendFixed(exchange, openFile(store.layout.format), 'format', JSON_TYPE)
    case 'pack':
      return sendFixed(exchange, openFile(packPath(store.layout, route.id)), route.id, BYTES_TYPE)
    case 'operation':
      return sendFixed(exchange, log.operation(route.n), String(route.n), JSON_TYPE)
    case 'segment': {
      const { first, last } = route
      return sendFixed(exchange, log.segment(first, last), `${first}-${last}`, BYTES_TYPE)
    }
    case 'latest':
      return sendChanging(exchange, log.latest(), JSON_TYPE)
    case 'list': {
      const list = listFolder(exchange.served, route.folder, route.after)
      return sendChanging(exchange, Buffer.from(JSON.stringify(list)), JSON_TYPE)
    }
    case 'probe': {
      const probe = probes.get(route.name)
      if (probe === undefined) throw absent()
      return sendChanging(exchange, probe.bytes, BYTES_TYPE)
    }
    case 'entry':
      return sendEntry(exchange, route.ref, route.path)
    default:
      throw absent()
  }
}

async function write(exchange: Exchange, route: Route | undefined, asker: Asker): Promise<void> {
  const { served, request, response } = exchange
  switch (route?.kind) {
    case 'pack':
      return sendOutcome(response, await takePack(served, route.id, request, response))
    case 'operation': {
      const taken = await patiently(exchange, () =>
        takeOperation(served, route.n, request, response),
      )
      if (taken === 'exists') return sendOutcome(response, taken)
      sendOutcome(response, 'created')
      const { changes, n } = taken.operation
      const versions = changes.filter(({ kind }) => kind === 'version.add').length
      served.onPush({ operation: n, versions, ...(asker.name && { token: asker.name }) })
      return
    }
    case 'segment':
      makeSegment(served, route.first, route.last)
      return sendOutcome(response, 'exists')
    case 'latest':
      // The log says where it ends.
      await readSmall(exchange)
      return sendOutcome(response, 'created')
    case 'format':
      if (isConditional(request)) return sendOutcome(response, 'exists')
      break
    case 'probe':
      return writeProbe(exchange, route.name)
  }
  throw new Refusal(403, 'Nothing is put under this name.')
}

/** Runs what may take longer than a connection may be silent. */
async function patiently<T>({ served, request }: Exchange, step: () => Promise<T>): Promise<T> {
  request.socket.setTimeout(0)
  try {
    return await step()
  } finally {
    request.socket.setTimeout(served.limits.idle)
  }
}

function remove({ served, response }: Exchange, route: Route | undefined): void {
  if (route?.kind !== 'probe') {
    throw new Refusal(403, 'Nothing is removed from afar: `artifacts gc` does that in the store.')
  }
  served.probes.delete(route.name)
  sendStatus(response, 204)
}

async function writeProbe(exchange: Exchange, name: string): Promise<void> {
  const { served, request, response } = exchange
  const isExclusive = isConditional(request)
  const bytes = await readSmall(exchange)
  if (isExclusive && served.probes.get(name) !== undefined) return sendOutcome(response, 'exists')
  served.probes.put(name, bytes)
  sendOutcome(response, 'created')
}

async function readSmall({ served, request, response }: Exchange): Promise<Buffer> {
  const { sha256 } = announced(request, MOST_PROBE_BYTES)
  const pieces: Buffer[] = []
  await receive(request, response, served.limits, (piece) => pieces.push(piece))
  const bytes = Buffer.concat(pieces)
  if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes
  throw new Refusal(400, 'The body is not what X-Content-SHA256 says.')
}

/** Segments are made of the store's own operations, whoever asks for it. */
function makeSegment({ store }: Served, first: number, last: number): void {
  const isFinished = last <= store.index.refresh().applied
  const isSegment = segmentsEndingWith(last).some((range) => range.first === first)
  if (!isFinished || !isSegment) throw new Refusal(403, 'There is no such segment of the log.')
  writeSegment(store, { first, last })
}

/** Before anything is received: better told now than after 64 MiB. */
function checkRoom({ store }: Served, { headers }: IncomingMessage): void {
  const wanted = Number(headers['content-length'] ?? 0)
  const { bavail, bsize } = statfsSync(store.layout.root)
  if (bavail * bsize < wanted + SPARE_BYTES) throw new Refusal(507, 'The disk is full.')
}

const JSON_TYPE = 'application/json'
const BYTES_TYPE = 'application/octet-stream'

/** A file that never changes. */
async function sendFixed(
  { served, request, response }: Exchange,
  body: Body | undefined,
  name: string,
  type: string,
): Promise<void> {
  if (body === undefined) throw absent()
  // Another store at the same address is told apart.
  const etag = `"${served.store.id.slice(0, 12)}.${name}"`
  const headers = { 'content-type': type, 'cache-control': forAYear(served), etag }
  await sendBody(request, response, body, headers)
}

async function sendChanging(
  { request, response }: Exchange,
  bytes: Buffer,
  type: string,
): Promise<void> {
  const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`
  const headers = { 'content-type': type, 'cache-control': 'no-cache', etag }
  await sendBody(request, response, bytesBody(bytes), headers)
}

async function sendEntry(
  { served, request, response }: Exchange,
  ref: string,
  path: string,
): Promise<void> {
  const { body, sha256, version, isFixed } = findFile(served, ref, path)
  const type = contentTypeOf(path)
  const name = encodeURIComponent(path.slice(path.lastIndexOf('/') + 1)).replaceAll("'", '%27')
  const shown = type === BYTES_TYPE ? 'attachment' : 'inline'
  const headers: OutgoingHttpHeaders & { readonly etag: string } = {
    'content-type': type,
    'content-disposition': `${shown}; filename*=UTF-8''${name}`,
    // What is in a store is somebody's: it must not act on this origin.
    'content-security-policy': "default-src 'none'; sandbox",
    'cache-control': isFixed ? forAYear(served) : 'no-cache',
    'x-artifacts-version': version,
    etag: `"${sha256}"`,
  }
  await sendBody(request, response, body, headers)
}

function sendHealth({ served, request, response }: Exchange): void {
  served.store.index.refresh()
  const headers = { 'content-type': JSON_TYPE }
  sendText(request, response, 200, '{"status":"ok"}\n', headers)
}

function sendOutcome(response: ServerResponse, outcome: 'created' | 'exists'): void {
  sendStatus(response, outcome === 'created' ? 201 : 412)
}

function forAYear({ access }: Served): string {
  return `${access.isPrivate ? 'private' : 'public'}, max-age=${A_YEAR}, immutable`
}

function openFile(path: string): Body | undefined {
  const fd = openIfThere(path)
  return fd === undefined ? undefined : fileBody(fd, fstatSync(fd).size)
}
