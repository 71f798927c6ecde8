/**
 * A remote behind HTTP (docs/remote.md section 2): any server of static files to read, `artifacts serve` to write to. One
 * request is one attempt; whoever wants more wraps it in `retrying`.
 */
import * as v from 'valibot'
import { ArtifactsError } from '../../errors.ts'
import type {
  Backend,
  Content,
  FileFacts,
  GetOptions,
  ListedFile,
  ListOptions,
  RequestOptions,
} from '../backend.ts'
import { type Answer, Network, type Request, readText, type Variables } from '../net/network.ts'
import type { Source } from '../source.ts'
import { checkFile, checkStored, failed, lengthOf, partOf, wholeSize } from './answers.ts'
import { closing, drain, piecesOf, wordsOf } from './bodies.ts'
import { absent, givesNoList, knowsNoCondition, outside, takesNoFiles } from './errors.ts'
import { checkFileName, checkFolderName, isFileName } from './names.ts'

export interface HttpOptions {
  readonly env: Variables
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string | undefined
  /** The whole header, where it is another one. */
  readonly authorization?: string | undefined
  /** Milliseconds. */
  readonly connectTimeout?: number
  readonly idleTimeout?: number
  readonly connections?: number
}

const MOST_LISTED = 1000
const LONGEST_LIST = 2 ** 20
const listSchema = v.object({
  files: v.pipe(
    v.array(
      v.object({
        name: v.pipe(v.string(), v.check(isFileName)),
        size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
        modified: v.pipe(v.string(), v.isoTimestamp()),
      }),
    ),
    v.maxLength(MOST_LISTED),
  ),
  more: v.boolean(),
})

export class HttpBackend implements Backend {
  readonly address: string
  readonly #base: URL
  readonly #network: Network
  readonly #headers: Readonly<Record<string, string>>

  /** @throws ArtifactsError ERR_USAGE for an address with a password, a query or a fragment. */
  constructor(address: string, { token, authorization, ...options }: HttpOptions) {
    this.#base = baseOf(address)
    this.address = this.#base.href
    this.#network = new Network({ ...options, trusted: [], attempts: 1 })
    this.#network.trust(this.#base)
    const header = authorization ?? (token === undefined ? undefined : `Bearer ${token}`)
    this.#headers = header === undefined ? {} : { authorization: header }
  }

  async get(name: string, { range, signal }: GetOptions = {}): Promise<Content> {
    const url = this.#url(name)
    const asked = range && { range: `bytes=${range.start}-${range.end - 1}` }
    const answer = await this.#ask(url, { headers: { ...asked }, signal })
    if (answer.status === 200 || answer.status === 206) {
      const { skip, size } = closing(answer, () => partOf(answer, range))
      return { size, bytes: piecesOf(answer, skip, size, signal) }
    }
    const words = await wordsOf(answer)
    if (isAbsent(answer)) throw absent(url.href)
    if (answer.status === 416 && range !== undefined) {
      throw outside(url.href, wholeSize(answer), range) ?? this.#failed(answer, words)
    }
    throw this.#failed(answer, words)
  }

  async head(name: string, { signal }: RequestOptions = {}): Promise<FileFacts | undefined> {
    const answer = await this.#ask(this.#url(name), { method: 'HEAD', signal })
    drain(answer, 'HEAD')
    if (isAbsent(answer)) return undefined
    if (answer.status !== 200) throw this.#failed(answer)
    checkFile(answer)
    return { size: lengthOf(answer) }
  }

  async putIfAbsent(
    name: string,
    source: Source,
    options: RequestOptions = {},
  ): Promise<'created' | 'exists'> {
    const { answer, words } = await this.#send(name, source, { 'if-none-match': '*' }, options)
    if (answer.status === 412) return 'exists'
    if (answer.status === 501) throw knowsNoCondition(this.address, '501')
    if (![200, 201, 204].includes(answer.status)) throw this.#unwritten(answer, words)
    return 'created'
  }

  async put(name: string, source: Source, options: RequestOptions = {}): Promise<void> {
    const { answer, words } = await this.#send(name, source, {}, options)
    if (![200, 201, 204].includes(answer.status)) throw this.#unwritten(answer, words)
  }

  async *list(folder: string, { after, signal }: ListOptions = {}): AsyncIterable<ListedFile> {
    const url = new URL(checkFolderName(folder), this.#base)
    let last = after ?? ''
    for (let more = true; more; ) {
      url.search = last === '' ? '?list' : `?list&after=${encodeURIComponent(last)}`
      const answer = await this.#ask(url, { headers: { accept: 'application/json' }, signal })
      const page = await this.#page(answer)
      for (const { name, size, modified } of page.files) {
        if (!name.startsWith(folder) || name <= last) throw this.#nonsense(answer)
        last = name
        yield { name, size, modified: Date.parse(modified) }
      }
      more = page.more
      if (more && page.files.length === 0) throw this.#nonsense(answer)
    }
  }

  async delete(name: string, { signal }: RequestOptions = {}): Promise<void> {
    const answer = await this.#ask(this.#url(name), { method: 'DELETE', follow: false, signal })
    const words = await wordsOf(answer)
    if (isAbsent(answer)) return
    if (![200, 202, 204].includes(answer.status)) throw this.#unwritten(answer, words)
    checkStored(answer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#network[Symbol.dispose]()
  }

  #url(name: string): URL {
    return new URL(checkFileName(name), this.#base)
  }

  #ask(url: URL, { headers, ...request }: Request): Promise<Answer> {
    request.signal?.throwIfAborted()
    return this.#network.request(url, { ...request, headers: { ...this.#headers, ...headers } })
  }

  async #send(
    name: string,
    source: Source,
    condition: Readonly<Record<string, string>>,
    { signal }: RequestOptions,
  ): Promise<{ readonly answer: Answer; readonly words: string }> {
    const headers = {
      'content-type': 'application/octet-stream',
      'x-content-sha256': source.sha256,
      ...condition,
    }
    const request = { method: 'PUT', headers, body: source, follow: false, signal } as const
    const answer = await this.#ask(this.#url(name), request)
    const words = await wordsOf(answer)
    if (answer.status < 300) checkStored(answer)
    return { answer, words }
  }

  #unwritten(answer: Answer, words: string): ArtifactsError {
    const { status, headers } = answer
    if (status === 405 || status === 501) return takesNoFiles(this.address)
    const said =
      status >= 300 && status < 400 ? `and points to "${shown(headers.location)}"` : words
    return this.#failed(answer, answer.said(said))
  }

  #failed(answer: Answer, said = ''): ArtifactsError {
    const error = failed(answer, said)
    if (answer.status !== 401) return error
    const { message: text, code, data } = error
    const hint =
      this.#headers['authorization'] === undefined
        ? `It wants to know who asks: \`export ARTIFACTS_TOKEN=TOKEN\`, or write a line \`${this.#base.origin} TOKEN\` into the file \`~/.config/artifacts/credentials\`, which only you may read.`
        : 'It does not accept the token: ask its owner for one that it knows, and look at `ARTIFACTS_TOKEN`.'
    return new ArtifactsError(code, text, { hint, data })
  }

  async #page(answer: Answer): Promise<v.InferOutput<typeof listSchema>> {
    const isList = /^application\/json/i.test(answer.headers['content-type'] ?? '')
    if (answer.status !== 200 || !isList) {
      drain(answer)
      const isRefused = answer.status === 405 || answer.status < 300 || isAbsent(answer)
      throw isRefused ? givesNoList(this.address) : this.#failed(answer)
    }
    const text = await readText(answer, LONGEST_LIST)
    const parsed = v.safeParse(listSchema, parse(text))
    if (!parsed.success) throw this.#nonsense(answer)
    return parsed.output
  }

  #nonsense({ url }: Answer): ArtifactsError {
    return new ArtifactsError('ERR_DAMAGED', `"${url.href}" lists what no remote holds.`, {
      hint: 'Check the address: this is no remote, or something between changes its answers.',
    })
  }
}

function baseOf(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:'
  if (
    !isWeb ||
    url.username !== '' ||
    url.password !== '' ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    throw new ArtifactsError(
      'ERR_USAGE',
      `The address of a remote behind HTTP is "https://HOST/PATH/", without a password, "?" or "#".`,
      { hint: 'Give the token as `export ARTIFACTS_TOKEN=TOKEN`.' },
    )
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

function isAbsent({ status }: Answer): boolean {
  return status === 404 || status === 410
}

/** A redirect's target without what may be secret. */
function shown(location: string | undefined): string {
  return (location ?? '').replace(/[?#].*$/, '').replace(/\/\/[^/@]*@/, '//')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
