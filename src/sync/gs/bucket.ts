/**
 * One bucket of Google Cloud Storage, read by its JSON API (https://cloud.google.com/storage/docs/json_api/v1). Asked are
 * `STORAGE_EMULATOR_HOST`, else Google; by the bearer of `GOOGLE_OAUTH_ACCESS_TOKEN`, else anonymously.
 */
import { ArtifactsError } from '../../errors.ts'
import { refusal } from '../net/failures.ts'
import { type Answer, type Network, readText, type Variables } from '../net/network.ts'

export interface GsObject {
  readonly name: string
  /** Which of the object's contents: it grows with each that is stored. */
  readonly generation: string
  /** Bytes. */
  readonly size: number
  readonly etag: string
  /** In base64; absent for an object that was composed of others. */
  readonly md5Hash?: string
  /** In base64. */
  readonly crc32c: string
}

const LARGEST = 16 << 20
const FIELDS = 'name,generation,size,etag,md5Hash,crc32c'

export class GsBucket {
  readonly name: string
  readonly #network: Network
  readonly #origin: string
  readonly #token: string | undefined

  /** @throws ArtifactsError ERR_CONFIG for an emulator that is no host, ERR_USAGE for a name that no bucket can have. */
  constructor(name: string, network: Network, env: Variables) {
    if (!/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(name)) {
      throw new ArtifactsError('ERR_USAGE', `"${name}" is no name of a bucket.`, {
        hint: 'A bucket comes first: `gs://BUCKET/NAME`.',
      })
    }
    this.name = name
    this.#network = network
    this.#token = env['GOOGLE_OAUTH_ACCESS_TOKEN'] || undefined
    const emulator = env['STORAGE_EMULATOR_HOST']
    this.#origin = emulator ? originOf(emulator) : 'https://storage.googleapis.com'
    if (emulator) network.trust(new URL(this.#origin))
  }

  /** Undefined where there is no such object, or not this generation of it. */
  async find(
    name: string,
    {
      generation,
      signal,
    }: { readonly generation?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<GsObject | undefined> {
    const answer = await this.#ask(
      `/o/${encodeURIComponent(name)}`,
      { generation, fields: FIELDS },
      signal,
    )
    const body = await readText(answer, LARGEST)
    if (answer.status === 404) {
      // A bucket that is not there is told apart by the server's words alone.
      if (/bucket does not exist/i.test(messageOf(body))) throw failure(answer, body)
      return undefined
    }
    if (answer.status !== 200) throw failure(answer, body)
    return objectOf(JSON.parse(body))
  }

  /** The answer with the bytes as they are stored as its body; undefined as `find`. */
  async media(
    name: string,
    {
      generation,
      from = 0,
      signal,
    }: {
      readonly generation: string | undefined
      /** Offset of the first byte. */
      readonly from?: number
      readonly signal?: AbortSignal | undefined
    },
  ): Promise<Answer | undefined> {
    const answer = await this.#ask(
      `/o/${encodeURIComponent(name)}`,
      { generation, alt: 'media' },
      signal,
      {
        // Without this, what is stored compressed is sent unpacked, and is not what its hashes are of.
        'accept-encoding': 'gzip',
        ...(from === 0 ? {} : { range: `bytes=${from}-` }),
      },
    )
    if (answer.status === (from === 0 ? 200 : 206)) return answer
    const body = await readText(answer, LARGEST)
    if (answer.status === 404) return undefined
    throw failure(answer, body)
  }

  /** What lies under a prefix, in order of names; asks for a page at a time. */
  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<GsObject> {
    let pageToken: string | undefined
    do {
      const fields = `nextPageToken,items(${FIELDS})`
      const query = { prefix: prefix || undefined, maxResults: '1000', pageToken, fields }
      const answer = await this.#ask('/o', query, signal)
      const body = await readText(answer, LARGEST)
      if (answer.status !== 200) throw failure(answer, body)
      const page = JSON.parse(body) as { nextPageToken?: string; items?: readonly unknown[] }
      for (const item of page.items ?? []) yield objectOf(item)
      pageToken = page.nextPageToken
    } while (pageToken !== undefined)
  }

  #ask(
    path: string,
    query: Readonly<Record<string, string | undefined>>,
    signal: AbortSignal | undefined,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const url = new URL(`${this.#origin}/storage/v1/b/${this.name}${path}`)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, value)
    }
    const bearer: Record<string, string> =
      this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }
    const headers = { ...extra, ...bearer }
    return this.#network.request(url, { headers, follow: false, signal })
  }
}

function originOf(host: string): string {
  const text = host.includes('://') ? host : `http://${host}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.origin
  throw new ArtifactsError('ERR_CONFIG', `"${host}" is no host of an emulator.`, {
    hint: 'Set it as a host with its port: `export STORAGE_EMULATOR_HOST=localhost:4443`.',
  })
}

function objectOf(value: unknown): GsObject {
  const { name, generation, size, etag, md5Hash, crc32c } = value as Record<string, unknown>
  const bytes = Number(size)
  if (
    typeof name !== 'string' ||
    typeof generation !== 'string' ||
    typeof etag !== 'string' ||
    typeof crc32c !== 'string' ||
    !Number.isSafeInteger(bytes)
  ) {
    throw new ArtifactsError(
      'ERR_REMOTE_UNREACHABLE',
      'The answer of Google Cloud Storage is no object.',
    )
  }
  const object = { name, generation, size: bytes, etag, crc32c }
  return typeof md5Hash === 'string' ? { ...object, md5Hash } : object
}

function failure(answer: Answer, body: string): ArtifactsError {
  return refusal(answer.url, answer.status, answer.said(messageOf(body)))
}

/** `{"error": {"message": …}}`, or whatever was said instead. */
function messageOf(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: { message?: string } }
    return error?.message ?? ''
  } catch (error) {
    if (error instanceof SyntaxError) return body.slice(0, 200)
    throw error
  }
}
