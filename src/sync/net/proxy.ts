/**
 * Proxies, by the variables that curl and Go know: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, in small letters
 * or capitals. This machine and its link are never asked through one. For https the proxy passes bytes on (CONNECT) and sees
 * none of them.
 */
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { BlockList, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect } from 'node:tls'
import { ArtifactsError } from '../../errors.ts'
import type { Variables } from './network.ts'

/** The proxy for requests to this URL. @throws ArtifactsError ERR_CONFIG for a variable that is no URL. */
export function proxyFor(url: URL, env: Variables): URL | undefined {
  const value = (name: string): string | undefined => env[name] || env[name.toUpperCase()]
  const text = value(url.protocol === 'https:' ? 'https_proxy' : 'http_proxy') ?? value('all_proxy')
  if (text === undefined || isNear(url.hostname)) return undefined
  if (isExcepted(url, value('no_proxy') ?? '')) return undefined
  const full = text.includes('://') ? text : `http://${text}`
  const proxy = URL.canParse(full) ? new URL(full) : undefined
  if (proxy?.protocol === 'http:' || proxy?.protocol === 'https:') return proxy
  throw new ArtifactsError('ERR_CONFIG', 'The proxy of the environment is no http or https URL.', {
    hint: 'Set it as one: `export https_proxy=http://proxy.lan:3128`.',
  })
}

/** What a proxy wants to know of who asks. */
export function proxyHeaders({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }
}

/** Connections to one host through a proxy. */
export class TunnelAgent extends https.Agent {
  readonly #proxy: URL
  readonly #options: https.AgentOptions
  readonly #timeout: number

  /** @param timeout milliseconds within which the proxy must answer */
  constructor(proxy: URL, options: https.AgentOptions, timeout: number) {
    super(options)
    this.#proxy = proxy
    this.#options = options
    this.#timeout = timeout
  }

  override createConnection(
    options: ConnectionOptions,
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { host = '', port = 443 } = options
    const finish = done as (error: Error | null, stream?: Duplex) => void
    const target = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
    const asked = (this.#proxy.protocol === 'https:' ? https : http).request({
      host: this.#proxy.hostname,
      port: this.#proxy.port || (this.#proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...proxyHeaders(this.#proxy) },
      timeout: this.#timeout,
      // Of a proxy that is spoken to in https; else Node would take the name in the header for the proxy's.
      servername: isIP(this.#proxy.hostname) === 0 ? this.#proxy.hostname : '',
      ...(this.#options.ca === undefined ? {} : { ca: this.#options.ca }),
    })
    asked.on('timeout', () => {
      asked.destroy(Object.assign(new Error('The proxy does not answer.'), { code: 'ETIMEDOUT' }))
    })
    asked.on('error', (error) => finish(error))
    asked.on('connect', ({ statusCode }: IncomingMessage, socket: Socket) => {
      if (statusCode === 200) {
        socket.setTimeout(0)
        finish(null, connect({ ...options, socket, servername: isIP(host) === 0 ? host : '' }))
        return
      }
      socket.destroy()
      const message = `the proxy "${this.#proxy.host}" answers ${statusCode}`
      finish(Object.assign(new Error(message), { code: proxyCode(statusCode) }))
    })
    asked.end()
    return undefined
  }
}

/** By which `failures.ts` tells what to do about it. */
function proxyCode(status: number | undefined): string {
  if (status === 407) return 'ERR_PROXY_DENIED'
  return [429, 502, 503, 504].includes(status ?? 0) ? 'ERR_PROXY_BUSY' : 'ERR_PROXY'
}

/** Loopback, and the addresses of a link, where clouds tell machines who they are. */
function isNear(hostname: string): boolean {
  return hostname === 'localhost' || /^(\[::1\]|127(\.\d+){3}|169\.254(\.\d+){2})$/.test(hostname)
}

/** `*`; names with what lies below them, each with a port or without; addresses and networks of them (`10.0.0.0/8`). */
function isExcepted(url: URL, list: string): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((item) => {
      if (item === '*') return true
      if (isIP(host) !== 0 && isWithin(host, item)) return true
      const [, name = '', only] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(item) ?? []
      if (only !== undefined && only !== port) return false
      return url.hostname === name || url.hostname.endsWith(`.${name}`)
    })
}

function isWithin(host: string, item: string): boolean {
  const [network = '', bits] = item.replace(/[[\]]/g, '').split('/')
  const family = isIP(network)
  if (family === 0) return false
  const length = bits === undefined ? (family === 4 ? 32 : 128) : Number(bits)
  if (!Number.isInteger(length) || length < 0 || length > (family === 4 ? 32 : 128)) return false
  const list = new BlockList()
  const kind = family === 4 ? 'ipv4' : 'ipv6'
  list.addSubnet(network, length, kind)
  return isIP(host) === family && list.check(host, kind)
}
