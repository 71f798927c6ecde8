/**
 * Proxies, by the variables that curl and Go know: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, in small letters
 * or capitals. This machine is never asked through one. For https the proxy passes bytes on (CONNECT) and sees none of them.
 */
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect } from 'node:tls'
import { ArtifactsError } from '../../errors.ts'
import type { Variables } from './network.ts'

/** The proxy for requests to this URL. @throws ArtifactsError ERR_CONFIG for a variable that is no URL. */
export function proxyFor(url: URL, env: Variables): URL | undefined {
  const value = (name: string): string | undefined => env[name] || env[name.toUpperCase()]
  const text = value(url.protocol === 'https:' ? 'https_proxy' : 'http_proxy') ?? value('all_proxy')
  if (text === undefined || isLoopback(url.hostname)) return undefined
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

  constructor(proxy: URL, options: https.AgentOptions) {
    super(options)
    this.#proxy = proxy
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
      timeout: 10_000,
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
      finish(Object.assign(new Error(message), { code: 'ERR_PROXY' }))
    })
    asked.end()
    return undefined
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}

/** `*`, names with what lies below them, each with a port or without. */
function isExcepted(url: URL, list: string): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return list
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((item) => {
      if (item === '*') return true
      const [, name = '', only] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(item.toLowerCase()) ?? []
      if (only !== undefined && only !== port) return false
      return url.hostname === name || url.hostname.endsWith(`.${name}`)
    })
}
