/** Real proxies on loopback, and TLS in front of a server that has none. */
import { readFileSync } from 'node:fs'
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, type Server } from 'node:net'
import { resolve } from 'node:path'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'

export interface Listening extends AsyncDisposable {
  readonly port: number
}

/** For `example.test`, and for this machine; for a hundred years. */
export const CERTIFICATE: string = resolve('test/support/tls/cert.pem')
export const LOOPBACK_CERTIFICATE: string = resolve('test/support/tls/loopback-cert.pem')

/** What a TLS server needs to be `example.test`. */
export const EXAMPLE: { readonly cert: Buffer; readonly key: Buffer } = pair('cert.pem', 'key.pem')

/** Starts on loopback; connections end with it. */
export async function listening(server: Server): Promise<Listening> {
  const sockets = new Set<Duplex>()
  server.on('connection', (socket: Duplex) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}

/**
 * A proxy that leads everything to one port of this machine.
 * @param judge the status that a request for a tunnel is answered with
 */
export function tunnel(
  port: number,
  judge: (request: IncomingMessage) => number = () => 200,
  { isSecure = false }: { readonly isSecure?: boolean } = {},
): Promise<Listening> {
  const server: HttpServer = isSecure
    ? createHttpsServer(pair('loopback-cert.pem', 'loopback-key.pem'))
    : createHttpServer()
  server.on('connect', (request, socket) => {
    const status = judge(request)
    socket.on('error', () => {})
    if (status === 200) join(socket, port, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    else socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
  })
  return listening(server)
}

/** `example.test` in front of a server at one port of this machine. */
export function tlsRelay(port: number): Promise<Listening> {
  return listening(createTlsServer(EXAMPLE, (socket) => join(socket, port)))
}

function join(socket: Duplex, port: number, connected = () => {}): void {
  const onward = connect(port, '127.0.0.1', () => {
    connected()
    onward.pipe(socket).pipe(onward)
  })
  for (const [one, other] of [
    [socket, onward],
    [onward, socket],
  ] as const) {
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
  }
}

function pair(cert: string, key: string): { readonly cert: Buffer; readonly key: Buffer } {
  const read = (name: string): Buffer => readFileSync(resolve('test/support/tls', name))
  return { cert: read(cert), key: read(key) }
}
