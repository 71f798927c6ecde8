/**
 * One bucket of S3, or of what speaks its protocol. `aws4fetch` signs; requests go over `Network`. AWS is asked by the
 * bucket's own host name, other endpoints by path. Keys are sent as they are; the server is told the SHA-256 of what is
 * sent, which it must check. https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
 */
import { createHash } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import { ArtifactsError } from '../../errors.ts'
import { refusal } from '../net/failures.ts'
import {
  type Answer,
  type Network,
  type Request,
  readText,
  type Variables,
} from '../net/network.ts'
import { readS3Settings, type S3Settings } from './settings.ts'
import { elements, text } from './xml.ts'

export interface S3Object {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** With its quotes. */
  readonly etag: string
  readonly versionId?: string
}

export interface ListedObject extends S3Object {
  /** Milliseconds since 1970. */
  readonly modified: number
}

export interface ListOptions {
  /** Only keys above this one. */
  readonly startAfter?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** What `head` tells of an object. */
export interface S3Facts extends S3Object {
  readonly contentType: string
  /** Of all bytes, in base64, where the server keeps them: `sha256`, `crc32c`. */
  readonly checksums: Readonly<Record<string, string>>
}

export interface S3Request extends Request {
  readonly query?: Readonly<Record<string, string>>
  /** Of the body, in hex; to be told of one that is streamed. */
  readonly sha256?: string
}

/** SHA-256 of nothing. */
const EMPTY = createHash('sha256').digest('hex')
const LARGEST_LIST = 16 << 20
const LARGEST_ERROR = 65_536
/** One of the region, one of the time. */
const MOST_CORRECTIONS = 2
const FAR = 4 * 60_000

export class Bucket {
  readonly name: string
  readonly #network: Network
  readonly #settings: S3Settings
  readonly #signingKeys = new Map<string, ArrayBuffer>()
  #region: string
  readonly #now: () => number
  /** Milliseconds by which the server's clock is ahead, where that matters. */
  #ahead = 0

  /** @throws ArtifactsError ERR_CONFIG, ERR_USAGE for a name that no bucket can have. */
  static async open(
    name: string,
    network: Network,
    env: Variables,
    now: () => number = Date.now,
  ): Promise<Bucket> {
    if (!/^[a-z0-9][a-z0-9._-]{1,253}[a-z0-9]$/i.test(name)) {
      throw new ArtifactsError('ERR_USAGE', `"${name}" is no name of a bucket.`, {
        hint: 'A bucket comes first: `s3://BUCKET/KEY`.',
      })
    }
    return new Bucket(name, network, await readS3Settings(env, network), now)
  }

  private constructor(name: string, network: Network, settings: S3Settings, now: () => number) {
    this.name = name
    this.#now = now
    this.#network = network
    this.#settings = settings
    this.#region = settings.region
    if (settings.endpoint !== undefined) network.trust(settings.endpoint)
  }

  /** Undefined where there is no such object. */
  async head(
    key: string,
    {
      versionId,
      signal,
    }: { readonly versionId?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<S3Facts | undefined> {
    const answer = await this.ask(key, {
      method: 'HEAD',
      query: versionOf(versionId),
      headers: { 'x-amz-checksum-mode': 'ENABLED' },
      signal,
    })
    answer.body.resume()
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw refusal(answer.url, answer.status)
    return factsOf(key, answer)
  }

  /** The answer with the object's bytes as its body. @throws ArtifactsError ERR_NOT_FOUND. */
  async get(
    key: string,
    {
      versionId,
      range,
      signal,
    }: {
      readonly versionId?: string | undefined
      /** Offset of the first byte, and of the one behind the last; default: the end. */
      readonly range?: readonly [number, number?]
      readonly signal?: AbortSignal | undefined
    } = {},
  ): Promise<Answer> {
    const headers: Record<string, string> =
      range === undefined
        ? {}
        : { range: `bytes=${range[0]}-${range[1] === undefined ? '' : range[1] - 1}` }
    const answer = await this.ask(key, { headers, query: versionOf(versionId), signal })
    if (answer.status === (range === undefined ? 200 : 206)) return answer
    throw await failure(answer)
  }

  /** What lies under a prefix, in order of keys; asks for a page at a time. */
  async *list(
    prefix: string,
    { startAfter, signal }: ListOptions = {},
  ): AsyncGenerator<ListedObject> {
    let token: string | undefined
    do {
      const query = {
        'list-type': '2',
        'encoding-type': 'url',
        ...(prefix === '' ? {} : { prefix }),
        ...(startAfter === undefined ? {} : { 'start-after': startAfter }),
        ...(token === undefined ? {} : { 'continuation-token': token }),
      }
      const xml = await this.#document(query, signal)
      for (const item of elements(xml, 'Contents')) {
        yield { ...objectOf(item), modified: Date.parse(text(item, 'LastModified') ?? '') }
      }
      token = text(xml, 'IsTruncated') === 'true' ? text(xml, 'NextContinuationToken') : undefined
    } while (token !== undefined)
  }

  /** Versions of one object, the newest first, as far as one page goes; none where the server keeps none. */
  async versions(key: string, signal?: AbortSignal): Promise<readonly S3Object[]> {
    const xml = await this.#document({ versions: '', prefix: key, 'encoding-type': 'url' }, signal)
    return elements(xml, 'Version')
      .map((item) => {
        const versionId = text(item, 'VersionId')
        return { ...objectOf(item), ...(versionId === undefined ? {} : { versionId }) }
      })
      .filter((object) => object.key === key)
  }

  /** Stores an object. @returns false where `absent` was asked for and there is one of this key. */
  async put(
    key: string,
    body: Uint8Array,
    options: {
      readonly absent?: boolean
      readonly headers?: Readonly<Record<string, string>>
      readonly signal?: AbortSignal | undefined
    } = {},
  ): Promise<boolean> {
    const headers = {
      ...options.headers,
      'content-length': String(body.length),
      ...(options.absent === true ? { 'if-none-match': '*' } : {}),
    }
    const answer = await this.ask(key, { method: 'PUT', headers, body, signal: options.signal })
    if (options.absent === true && answer.status === 412) {
      answer.body.resume()
      return false
    }
    if (answer.status !== 200) throw await failure(answer)
    answer.body.resume()
    return true
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    const answer = await this.ask(key, { method: 'DELETE', signal })
    if (answer.status !== 204 && answer.status !== 200) throw await failure(answer)
    answer.body.resume()
  }

  async #document(
    query: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const answer = await this.ask('', { query, signal })
    if (answer.status !== 200) throw await failure(answer)
    return readText(answer, LARGEST_LIST)
  }

  /**
   * The answer to a signed request, whatever its status. Asks again where the bucket says that it is in another region, and
   * where it refuses by a clock that is far from this machine's.
   */
  async ask(key: string, asked: S3Request): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      const url = this.#urlOf(key, asked.query ?? {})
      const headers = await this.#signed(url, asked)
      const answer = await this.#network.request(url, { ...asked, headers, follow: false })
      if (attempt === MOST_CORRECTIONS || !this.#learns(answer)) return answer
      answer.body.destroy()
    }
  }

  /** Takes up what an answer says of region and time; false where it says nothing new. */
  #learns({ status, headers }: Answer): boolean {
    if (status < 300) return false
    const region = headers['x-amz-bucket-region']
    const isElsewhere = typeof region === 'string' && region !== this.#region
    // It becomes a part of a host's name.
    if (isElsewhere && /^[a-z0-9-]{1,64}$/.test(region)) {
      this.#region = region
      return true
    }
    const ahead = Date.parse(headers.date ?? '') - this.#now()
    // Servers refuse a difference of a quarter of an hour.
    if (status !== 403 || !(Math.abs(ahead - this.#ahead) > FAR)) return false
    this.#ahead = ahead
    return true
  }

  async #signed(url: URL, asked: S3Request): Promise<Record<string, string>> {
    const { method = 'GET', headers = {}, body } = asked
    const now = this.#now() + this.#ahead
    const credentials = await this.#settings.credentials(now)
    if (credentials === undefined) return { ...headers }
    const sha256 = asked.sha256 ?? hashOf(body)
    const signer = new AwsV4Signer({
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken === undefined ? {} : { sessionToken: credentials.sessionToken }),
      method,
      url: url.href,
      headers: { ...headers, 'x-amz-content-sha256': sha256 },
      service: 's3',
      region: this.#region,
      cache: this.#signingKeys,
      datetime: new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    })
    const signed = await signer.sign()
    return Object.fromEntries(signed.headers.entries())
  }

  #urlOf(key: string, query: Readonly<Record<string, string>>): URL {
    const { endpoint } = this.#settings
    const path = key.split('/').map(encoded).join('/')
    const search = Object.entries(query)
      .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
      .join('&')
    const wanted =
      endpoint === undefined
        ? this.#awsPath(path)
        : `${endpoint.pathname.replace(/\/$/, '')}/${this.name}/${path}`
    const base = endpoint ?? this.#awsHost()
    const url = new URL(base.origin + wanted + (search === '' ? '' : `?${search}`))
    if (url.pathname === wanted) return url
    throw new ArtifactsError(
      'ERR_UNSUPPORTED',
      `The key "${key}" can't be asked for: no URL holds it.`,
    )
  }

  /** A bucket with dots has no certificate for its own name. */
  get #isByPath(): boolean {
    return this.name.includes('.') || this.name !== this.name.toLowerCase()
  }

  #awsPath(path: string): string {
    return this.#isByPath ? `/${this.name}/${path}` : `/${path}`
  }

  #awsHost(): URL {
    const domain = `s3.${this.#region}.amazonaws.com${this.#region.startsWith('cn-') ? '.cn' : ''}`
    return new URL(`https://${this.#isByPath ? '' : `${this.name}.`}${domain}`)
  }
}

/** Percent-encoding as signatures want it (RFC 3986). */
function encoded(part: string): string {
  return encodeURIComponent(part).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function hashOf(body: Request['body']): string {
  if (body === undefined) return EMPTY
  const hash = createHash('sha256')
  for (const piece of 'pieces' in body ? body.pieces() : [body]) hash.update(piece)
  return hash.digest('hex')
}

function versionOf(versionId: string | undefined): Record<string, string> {
  return versionId === undefined ? {} : { versionId }
}

function factsOf(key: string, { headers }: Answer): S3Facts {
  const versionId = headers['x-amz-version-id']
  const checksums: Record<string, string> = {}
  // A checksum of checksums, of an object that was sent in parts, says nothing of the bytes.
  const isWhole = headers['x-amz-checksum-type'] !== 'COMPOSITE'
  for (const algorithm of ['sha256', 'crc32c']) {
    const value = headers[`x-amz-checksum-${algorithm}`]
    if (isWhole && typeof value === 'string' && !value.includes('-')) checksums[algorithm] = value
  }
  return {
    key,
    size: Number(headers['content-length'] ?? 0),
    etag: headers.etag ?? '',
    contentType: headers['content-type'] ?? '',
    checksums,
    ...(typeof versionId === 'string' && versionId !== 'null' ? { versionId } : {}),
  }
}

function objectOf(item: string): S3Object {
  return {
    key: decodeURIComponent((text(item, 'Key') ?? '').replaceAll('+', ' ')),
    size: Number(text(item, 'Size') ?? 0),
    etag: text(item, 'ETag') ?? '',
  }
}

async function failure(answer: Answer): Promise<ArtifactsError> {
  const xml = await readText(answer, LARGEST_ERROR)
  const said = [text(xml, 'Code'), text(xml, 'Message')].filter(Boolean).join(': ')
  return refusal(answer.url, answer.status, answer.said(said))
}
