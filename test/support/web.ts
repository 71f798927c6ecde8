/** A real HTTP server on loopback whose pages a test can change. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Page {
  readonly body?: string | Uint8Array
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

export interface Web extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly host: string
  /** By path; what has no `ETag` among its headers is sent without. */
  readonly pages: Map<string, Page | RequestListener>
  /** Method and URL of all that was asked, in order. */
  readonly asked: string[]
  readonly received: IncomingMessage[]
}

/** @param otherwise answers for paths that are no page; default: 404. */
export async function web(
  pages: Readonly<Record<string, Page | RequestListener>> = {},
  otherwise?: RequestListener,
): Promise<Web> {
  const all = new Map(Object.entries(pages))
  const asked: string[] = []
  const received: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    received.push(request)
    const page = all.get(new URL(request.url ?? '/', 'http://x').pathname) ?? otherwise
    if (typeof page === 'function') return page(request, response)
    const body = Buffer.from(page?.body ?? '')
    response.writeHead(page?.status ?? (page === undefined ? 404 : 200), {
      'content-length': body.length,
      ...page?.headers,
    })
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${host}`,
    host,
    pages: all,
    asked,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
