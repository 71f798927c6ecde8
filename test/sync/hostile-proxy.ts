/** A real HTTP proxy on loopback that does to chosen requests what networks and servers do on bad days. */
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import { close, listen } from './file-server.ts'

export type Fault =
  /** Answers this, and asks nobody. */
  | { readonly kind: 'status'; readonly status: number; readonly after?: string }
  | { readonly kind: 'html' }
  /** Breaks the connection after so many bytes of the answer's body. */
  | { readonly kind: 'drop'; readonly bytes: number }
  /** Sends so many bytes of the answer's body, and nothing more. */
  | { readonly kind: 'stall'; readonly bytes: number }
  /** An answer that is shorter, and says so. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** Breaks the connection after so many bytes of the request's body; the server hears nothing of it. */
  | { readonly kind: 'cut'; readonly bytes: number }
  /** The request succeeds, and nobody learns it. */
  | { readonly kind: 'lose' }

export interface HostileProxy extends AsyncDisposable {
  readonly url: string
  /** How many requests came. */
  readonly count: () => number
}

/** @param faultOf what happens to the request with this number, from 0 */
export async function hostileProxy(
  target: string,
  faultOf: (n: number) => Fault | undefined,
): Promise<HostileProxy> {
  let count = 0
  const server = createServer((request, response) => {
    const fault = faultOf(count++)
    handle(target, fault, request, response).catch(() => request.socket.destroy())
  })
  return {
    url: `${await listen(server)}${new URL(target).pathname}`,
    count: () => count,
    [Symbol.asyncDispose]: () => close(server),
  }
}

async function handle(
  target: string,
  fault: Fault | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (fault?.kind === 'status') {
    request.resume()
    const after = fault.after === undefined ? {} : { 'retry-after': fault.after }
    response.writeHead(fault.status, { 'content-length': 0, ...after }).end()
    return
  }
  if (fault?.kind === 'html') {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': 13 })
    response.end('<h1>Login</h1>'.slice(0, 13))
    return
  }
  const sent: Buffer[] = []
  let length = 0
  for await (const piece of request) {
    sent.push(piece)
    length += piece.length
    if (fault?.kind === 'cut' && length >= fault.bytes) return void request.socket.destroy()
  }
  if (fault?.kind === 'cut') return void request.socket.destroy()
  const { status, headers, body } = await forward(target, request, Buffer.concat(sent))
  if (fault?.kind === 'lose') return void request.socket.destroy()
  if (fault?.kind === 'truncate') {
    const part = body.subarray(0, Math.min(fault.bytes, body.length))
    response.writeHead(status, { ...headers, 'content-length': part.length }).end(part)
    return
  }
  response.writeHead(status, headers)
  if (fault === undefined) return void response.end(body)
  response.write(body.subarray(0, fault.bytes), () => {
    if (fault.kind === 'drop') request.socket.destroy()
  })
}

async function forward(
  target: string,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = send(new URL(url ?? '/', target), { method, headers, agent: false }, resolve)
    sent.on('error', reject)
    sent.end(body)
  })
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece)
  const { connection: _, 'keep-alive': __, ...passed } = answer.headers
  return { status: answer.statusCode ?? 0, headers: passed, body: Buffer.concat(pieces) }
}
