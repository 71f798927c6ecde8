/**
 * A remote in a bucket of S3 or of what speaks its protocol (docs/remote.md section 2). Files are single objects under a
 * prefix; the one condition asked for is `If-None-Match: *`. One request is one attempt; whoever wants more wraps it in
 * `retrying`.
 */
import { ArtifactsError } from '../../errors.ts'
import { shownAddress } from '../../store/remote-address.ts'
import type {
  Backend,
  Content,
  FileFacts,
  GetOptions,
  ListedFile,
  ListOptions,
  RequestOptions,
} from '../backend.ts'
import { type Answer, Network, readText, type Variables } from '../net/network.ts'
import { Bucket } from '../s3/bucket.ts'
import { text } from '../s3/xml.ts'
import type { Source } from '../source.ts'
import { checkFile, checkStored, failed, lengthOf, partOf, wholeSize } from './answers.ts'
import { closing, drain, piecesOf } from './bodies.ts'
import { absent, knowsNoCondition, outside } from './errors.ts'
import { checkFileName, checkFolderName, isFileName } from './names.ts'

export interface S3Options {
  /** Credentials, region and endpoint, as for the AWS command line. */
  readonly env: Variables
  /** Milliseconds. */
  readonly connectTimeout?: number
  readonly idleTimeout?: number
  readonly connections?: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** What servers say when they know no conditions. */
const NO_CONDITIONS = ['NotImplemented', 'InvalidArgument']
/** Worth another attempt, whatever the status they come with. */
const PASSING = ['RequestTimeout', 'SlowDown', 'InternalError', 'OperationAborted']
const LONGEST_ERROR = 65_536

export class S3Backend implements Backend {
  readonly address: string
  readonly #bucket: Bucket
  readonly #network: Network
  readonly #prefix: string
  /** The bucket has answered: what is absent now is a key. */
  #isThere = false

  /**
   * @param address `s3://bucket` or `s3://bucket/prefix`
   * @throws ArtifactsError ERR_USAGE for another address, ERR_CONFIG for credentials that can't be read
   */
  static async open(address: string, { env, now, ...timeouts }: S3Options): Promise<S3Backend> {
    const { bucket, prefix } = partsOf(address)
    const network = new Network({ ...timeouts, env, trusted: [], attempts: 1 })
    return new S3Backend(await Bucket.open(bucket, network, env, now), network, prefix)
  }

  private constructor(bucket: Bucket, network: Network, prefix: string) {
    this.#bucket = bucket
    this.#network = network
    this.#prefix = prefix
    this.address = `s3://${bucket.name}/${prefix}`
  }

  async get(name: string, { range, signal }: GetOptions = {}): Promise<Content> {
    const headers: Record<string, string> =
      range === undefined ? {} : { range: `bytes=${range.start}-${range.end - 1}` }
    const answer = await this.#bucket.ask(this.#key(name), { headers, signal })
    if (answer.status === 200 || answer.status === 206) {
      this.#isThere = true
      const { skip, size } = closing(answer, () => partOf(answer, range))
      return { size, bytes: piecesOf(answer, skip, size, signal) }
    }
    if (answer.status === 416 && range !== undefined) {
      drain(answer)
      throw outside(this.address + name, wholeSize(answer), range) ?? failed(answer)
    }
    throw await this.#failure(name, answer)
  }

  async head(name: string, { signal }: RequestOptions = {}): Promise<FileFacts | undefined> {
    const answer = await this.#bucket.ask(this.#key(name), { method: 'HEAD', signal })
    drain(answer, 'HEAD')
    if (answer.status === 404) {
      if (!this.#isThere) await this.#findBucket(name, signal)
      return undefined
    }
    if (answer.status !== 200) throw failed(answer)
    this.#isThere = true
    checkFile(answer)
    return { size: lengthOf(answer) }
  }

  async putIfAbsent(
    name: string,
    source: Source,
    options: RequestOptions = {},
  ): Promise<'created' | 'exists'> {
    const answer = await this.#send(name, source, { 'if-none-match': '*' }, options)
    if (answer.status === 412) {
      drain(answer)
      return 'exists'
    }
    if (answer.status !== 200) throw await this.#failure(name, answer, true)
    this.#stored(answer)
    return 'created'
  }

  async put(name: string, source: Source, options: RequestOptions = {}): Promise<void> {
    const answer = await this.#send(name, source, {}, options)
    if (answer.status !== 200) throw await this.#failure(name, answer)
    this.#stored(answer)
  }

  async *list(folder: string, { after, signal }: ListOptions = {}): AsyncIterable<ListedFile> {
    const prefix = this.#prefix + checkFolderName(folder)
    const startAfter = after === undefined ? undefined : this.#prefix + after
    try {
      for await (const { key, size, modified } of this.#bucket.list(prefix, {
        startAfter,
        signal,
      })) {
        this.#isThere = true
        const name = key.slice(this.#prefix.length)
        // Others may have put their files there.
        if (isFileName(name)) yield { name, size, modified }
      }
    } catch (error) {
      // Of a list nothing but the bucket can be absent.
      const isGone = error instanceof ArtifactsError && error.code === 'ERR_NOT_FOUND'
      throw isGone ? noBucket(this.#bucket.name) : error
    }
  }

  async delete(name: string, { signal }: RequestOptions = {}): Promise<void> {
    const answer = await this.#bucket.ask(this.#key(name), { method: 'DELETE', signal })
    if (answer.status === 200 || answer.status === 204) return drain(answer)
    const error = await this.#failure(name, answer)
    if (error.code !== 'ERR_NOT_FOUND') throw error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#network[Symbol.dispose]()
  }

  #key(name: string): string {
    return this.#prefix + checkFileName(name)
  }

  #send(
    name: string,
    source: Source,
    condition: Readonly<Record<string, string>>,
    { signal }: RequestOptions,
  ): Promise<Answer> {
    const headers = { 'content-type': 'application/octet-stream', ...condition }
    const { sha256 } = source
    return this.#bucket.ask(this.#key(name), {
      method: 'PUT',
      headers,
      body: source,
      sha256,
      signal,
    })
  }

  #stored(answer: Answer): void {
    drain(answer)
    checkStored(answer)
    this.#isThere = true
  }

  /** HEAD has no words for what is absent: the key or the bucket. */
  async #findBucket(name: string, signal: AbortSignal | undefined): Promise<void> {
    const answer = await this.#bucket.ask(this.#key(name), { signal })
    if (answer.status === 200) return drain(answer)
    const error = await this.#failure(name, answer)
    if (error.code !== 'ERR_NOT_FOUND') throw error
  }

  async #failure(name: string, answer: Answer, isConditional = false): Promise<ArtifactsError> {
    const xml = await readText(answer, LONGEST_ERROR)
    const code = text(xml, 'Code') ?? ''
    const { status } = answer
    if (isConditional && (status === 501 || (status === 400 && NO_CONDITIONS.includes(code)))) {
      return knowsNoCondition(this.address, code === '' ? String(status) : code)
    }
    if (status === 404 && code === 'NoSuchBucket') return noBucket(this.#bucket.name)
    if (status === 404) {
      this.#isThere = true
      return absent(this.address + name)
    }
    const said = [code, text(xml, 'Message')].filter(Boolean).join(': ')
    return failed(answer, answer.said(said), PASSING.includes(code))
  }
}

function partsOf(address: string): { bucket: string; prefix: string } {
  const [, bucket, path = ''] = /^s3:\/\/([^/?#]+)(?:\/([^?#]*))?$/.exec(address) ?? []
  const prefix = path.replace(/^\/+|\/+$/g, '')
  const isPlain = prefix.split('/').every((part) => /^[A-Za-z0-9._=@ -]*$/.test(part))
  if (
    bucket === undefined ||
    !isPlain ||
    prefix.split('/').some((part) => /^\.{1,2}$/.test(part))
  ) {
    throw new ArtifactsError(
      'ERR_USAGE',
      `"${shownAddress(address)}" is no address of a remote in S3.`,
      {
        hint: 'Write `s3://BUCKET/PREFIX`; the prefix has letters, digits and `. _ - = @`.',
      },
    )
  }
  return { bucket, prefix: prefix === '' ? '' : `${prefix}/` }
}

function noBucket(name: string): ArtifactsError {
  return new ArtifactsError('ERR_REMOTE_DENIED', `There is no bucket "${name}".`, {
    hint: `Check name, region and endpoint, or make it: \`aws s3 mb s3://${name}\`.`,
    data: { bucket: name },
  })
}
