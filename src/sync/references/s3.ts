/**
 * `s3://bucket/key`: the object of that key, else all that lies under `key/`. Keys are written as they are; behind them
 * `?versionId=` names one version. Recorded are the ETag, the version where the bucket keeps versions, and a checksum of
 * the bytes where the server keeps one.
 */
import { ArtifactsError } from '../../errors.ts'
import type { Reference } from '../../types.ts'
import type { Answer, Network } from '../net/network.ts'
import { Bucket, type S3Facts, type S3Object } from '../s3/bucket.ts'
import { bareReference, changed } from './digests.ts'
import type {
  FoundItem,
  OpenedReference,
  ReferenceContext,
  ReferenceKind,
  ResolveOptions,
} from './kind.ts'
import { MAX_OBJECTS, tooMany } from './limits.ts'
import { lastPart } from './uri.ts'

export const s3: ReferenceKind = {
  isRemote: true,
  nameOf: (uri) => lastPart(split(uri).key, false),
  async resolve(uri, options) {
    const { bucket: name, key, versionId } = split(uri)
    const called = lastPart(key, false)
    if (!options.checksum) return { kind: 'one', name: called, reference: bareReference(uri, true) }
    const bucket = await bucketOf(name, options)
    const { signal } = options
    const isFolder = key === '' || key.endsWith('/')
    const facts = isFolder ? undefined : await bucket.head(key, { versionId, signal })
    if (facts !== undefined && !facts.contentType.includes('x-directory')) {
      return { kind: 'one', name: called, reference: referenceTo(name, facts) }
    }
    const items = versionId === undefined ? await itemsUnder(uri, key, bucket, options) : []
    if (items.length > 0) return { kind: 'many', name: called, items }
    throw missing(uri)
  },
  async open(reference, context, from = 0) {
    const { bucket: name, key, ...typed } = split(reference.uri)
    const bucket = await bucketOf(name, context)
    const versionId = reference.versionId ?? typed.versionId
    const { signal } = context
    const range: { range?: readonly [number] } = from === 0 ? {} : { range: [from] }
    const answer = await bucket.get(key, { versionId, ...range, signal })
    const now = nowOf(answer, from)
    if (isSame(reference, now)) return opened(answer, true, from)
    if (reference.digest.algo !== 'etag') return opened(answer, false, from)
    answer.body.destroy()
    const kept = await keptVersion(bucket, key, reference, context)
    if (kept === undefined) throw replaced(reference, now)
    return opened(await bucket.get(key, { versionId: kept, ...range, signal }), true, from)
  },
  async check(reference, context) {
    const { bucket: name, key, ...typed } = split(reference.uri)
    const bucket = await bucketOf(name, context)
    const versionId = reference.versionId ?? typed.versionId
    const now = await bucket.head(key, { versionId, signal: context.signal })
    if (now === undefined) throw missing(reference.uri)
    if (isSame(reference, now)) return true
    if (reference.digest.algo !== 'etag') return false
    if ((await keptVersion(bucket, key, reference, context)) !== undefined) return true
    throw replaced(reference, now)
  },
}

/** Credentials are looked for once, however many objects there are. */
const buckets = new WeakMap<Network, Map<string, Promise<Bucket>>>()

function bucketOf(name: string, { network, env }: ReferenceContext): Promise<Bucket> {
  const known = buckets.get(network) ?? new Map<string, Promise<Bucket>>()
  buckets.set(network, known)
  const bucket = known.get(name) ?? Bucket.open(name, network, env)
  known.set(name, bucket)
  return bucket
}

interface Location {
  readonly bucket: string
  readonly key: string
  readonly versionId?: string
}

function split(uri: string): Location {
  const rest = uri.replace(/^s3:(\/\/)?/i, '')
  const slash = rest.indexOf('/')
  if (slash < 0) return { bucket: rest, key: '' }
  const [, key = '', versionId] =
    /^(.*?)(?:\?versionId=([^&]+))?$/s.exec(rest.slice(slash + 1)) ?? []
  const location = { bucket: rest.slice(0, slash), key }
  return versionId === undefined ? location : { ...location, versionId }
}

async function itemsUnder(
  uri: string,
  key: string,
  bucket: Bucket,
  { maxObjects = MAX_OBJECTS, signal, onProgress }: ResolveOptions,
): Promise<readonly FoundItem[]> {
  const prefix = key === '' || key.endsWith('/') ? key : `${key}/`
  const items: FoundItem[] = []
  for await (const object of bucket.list(prefix, { signal })) {
    // Programs that know folders mark them so.
    if (object.key.endsWith('/') && object.size === 0) continue
    if (items.length === maxObjects) throw tooMany(uri, maxObjects)
    const reference = referenceTo(bucket.name, object)
    items.push({ key: object.key.slice(prefix.length), kind: 'reference', reference })
    onProgress?.({ phase: 'scan', files: items.length, bytes: 0 })
  }
  return items
}

function referenceTo(bucket: string, object: S3Object | S3Facts): Reference {
  const { key, size, etag, versionId } = object
  return {
    uri: `s3://${bucket}/${key}`,
    digest: digestOf(object),
    size,
    ...(etag === '' ? {} : { etag }),
    ...(versionId === undefined ? {} : { versionId }),
    resolved: true,
  }
}

function digestOf(object: S3Object | S3Facts): Reference['digest'] {
  const checksums = 'checksums' in object ? object.checksums : {}
  for (const algo of ['sha256', 'crc32c']) {
    const value = checksums[algo]
    if (value !== undefined) return { algo, value: Buffer.from(value, 'base64').toString('hex') }
  }
  return { algo: 'etag', value: object.etag.replaceAll('"', '') }
}

interface Now {
  /** With its quotes. */
  readonly etag: string
  readonly size: number
}

function nowOf({ headers }: Answer, from: number): Now {
  return { etag: headers.etag ?? '', size: from + Number(headers['content-length']) }
}

function replaced(reference: Reference, now: Now): ArtifactsError {
  const { size = 'unknown', digest, etag } = reference
  return changed(
    reference,
    `the ETag ${now.etag} and ${now.size} bytes where ${etag ?? digest.value} and ${size} were recorded`,
  )
}

function missing(uri: string): ArtifactsError {
  return new ArtifactsError('ERR_NOT_FOUND', `There is no object "${uri}", and none below it.`, {
    hint: 'Check bucket and key; keys are written as they are, without percent-encoding.',
    data: { uri },
  })
}

function isSame({ etag, size, digest }: Reference, now: Now): boolean {
  if (digest.algo === 'uri') return true
  if (size !== undefined && now.size !== size) return false
  return now.etag.replaceAll('"', '') === (etag ?? digest.value).replaceAll('"', '')
}

function opened({ body, headers }: Answer, proven: boolean, from: number): OpenedReference {
  const etag = headers.etag?.replaceAll('"', '') ?? ''
  const encryption = headers['x-amz-server-side-encryption'] ?? 'AES256'
  // What was sent in one piece, and is not encrypted with a key of its own, has its MD5 for an ETag.
  const isMd5 = /^[0-9a-f]{32}$/.test(etag) && encryption === 'AES256'
  return { body, proven, from, ...(isMd5 && proven ? { md5: etag } : {}) }
}

/** The version that has the recorded ETag, where the bucket keeps versions and lets us see them. */
async function keptVersion(
  bucket: Bucket,
  key: string,
  { etag, digest, versionId }: Reference,
  { signal }: ReferenceContext,
): Promise<string | undefined> {
  if (versionId !== undefined) return undefined
  const wanted = (etag ?? digest.value).replaceAll('"', '')
  try {
    const versions = await bucket.versions(key, signal)
    return versions.find((version) => version.etag.replaceAll('"', '') === wanted)?.versionId
  } catch (error) {
    const isDenied = error instanceof ArtifactsError && error.code === 'ERR_REMOTE_DENIED'
    if (isDenied || (error instanceof ArtifactsError && error.data['status'] === 501))
      return undefined
    throw error
  }
}
