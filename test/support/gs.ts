/**
 * A stand-in for Google Cloud Storage on loopback, written from the description of its JSON API
 * (https://cloud.google.com/storage/docs/json_api/v1/objects): getting, listing in pages, media, generations, 401, 404.
 */
import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { crc32c } from '../../src/store/crc32c.ts'
import { type Web, web } from './web.ts'

export interface StandIn extends AsyncDisposable {
  readonly host: string
  readonly asked: readonly string[]
  readonly received: Web['received']
  /** Stores a content and returns its generation. */
  put(name: string, content: string | Uint8Array, kind?: { readonly composed?: boolean }): string
  remove(name: string): void
}

interface Stored {
  readonly name: string
  readonly generation: string
  readonly content: Buffer
  readonly composed: boolean
  live: boolean
}

export interface StandInOptions {
  readonly bucket: string
  /** Whether contents stay when others are stored. */
  readonly versioned?: boolean
  /** Who does not bear it is refused. */
  readonly token?: string
  readonly pageSize?: number
  /** Whether the connection breaks off after three bytes. */
  readonly cut?: () => boolean
}

export async function googleStandIn(options: StandInOptions): Promise<StandIn> {
  let all: Stored[] = []
  let generation = 1_700_000_000_000_000
  const base = `/storage/v1/b/${options.bucket}/o`
  const live = new Set<string>()
  const site = await web({}, (request, response) => {
    const url = new URL(request.url ?? '/', 'http://x')
    const bearer = `Bearer ${options.token}`
    if (options.token !== undefined && request.headers.authorization !== bearer) {
      return fail(response, 401, 'Anonymous caller does not have storage.objects.get access.')
    }
    if (!url.pathname.startsWith('/storage/v1/b/')) return fail(response, 404, 'Not Found')
    if (url.pathname !== base && !url.pathname.startsWith(`${base}/`)) {
      return fail(response, 404, 'The specified bucket does not exist.')
    }
    if (url.pathname === base) return list(url.searchParams, response)
    const { range = '' } = request.headers
    get(decodeURIComponent(url.pathname.slice(base.length + 1)), url.searchParams, range, response)
  })

  function get(
    name: string,
    query: URLSearchParams,
    range: string,
    response: ServerResponse,
  ): void {
    const wanted = query.get('generation')
    const found = all.find(
      (each) => each.name === name && (wanted === null ? each.live : each.generation === wanted),
    )
    if (found === undefined) {
      fail(response, 404, `No such object: ${options.bucket}/${name}`)
      return
    }
    if (query.get('alt') !== 'media') {
      send(response, 200, resource(found))
      return
    }
    const from = Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0)
    const { length } = found.content
    response.writeHead(range === '' ? 200 : 206, {
      'content-length': length - from,
      'x-goog-generation': found.generation,
      ...(range === '' ? {} : { 'content-range': `bytes ${from}-${length - 1}/${length}` }),
    })
    const cut = options.cut?.() === true
    if (cut) response.write(found.content.subarray(from, from + 3), () => response.destroy())
    else response.end(found.content.subarray(from))
  }

  function list(query: URLSearchParams, response: ServerResponse): void {
    const most = Math.min(Number(query.get('maxResults') ?? 1000), options.pageSize ?? 1000)
    const behind = Buffer.from(query.get('pageToken') ?? '', 'base64').toString()
    const matching = all
      .filter(({ live, name }) => live && name.startsWith(query.get('prefix') ?? ''))
      .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
      .filter(({ name }) => Buffer.compare(Buffer.from(name), Buffer.from(behind)) > 0)
    const page = matching.slice(0, most)
    const last = page.at(-1)
    const more = matching.length > page.length && last !== undefined
    send(response, 200, {
      kind: 'storage#objects',
      ...(more ? { nextPageToken: Buffer.from(last.name).toString('base64') } : {}),
      ...(page.length === 0 ? {} : { items: page.map(resource) }),
    })
  }

  function resource({ name, generation, content, composed }: Stored): object {
    const sum = Buffer.alloc(4)
    sum.writeUInt32BE(crc32c(content))
    return {
      kind: 'storage#object',
      bucket: options.bucket,
      name,
      generation,
      metageneration: '1',
      size: String(content.length),
      crc32c: sum.toString('base64'),
      ...(composed ? {} : { md5Hash: createHash('md5').update(content).digest('base64') }),
      etag: Buffer.from(`etag of ${generation}`).toString('base64'),
    }
  }

  function drop(name: string): void {
    if (!live.delete(name)) return
    for (const each of all) if (each.name === name) each.live = false
    if (options.versioned !== true) all = all.filter(({ live }) => live)
  }

  return {
    host: site.host,
    asked: site.asked,
    received: site.received,
    put(name, content, { composed = false } = {}) {
      drop(name)
      const stored = {
        name,
        generation: String(generation++),
        content: Buffer.from(content),
        composed,
        live: true,
      }
      all.push(stored)
      live.add(name)
      return stored.generation
    },
    remove: drop,
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  }
}

function send(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' })
  response.end(JSON.stringify(value))
}

function fail(response: ServerResponse, code: number, message: string): void {
  send(response, code, { error: { code, message, errors: [{ message, domain: 'global' }] } })
}
