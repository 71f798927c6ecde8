/**
 * `gs://bucket/name`: the object of that name, else all that lies under `name/`. Names are written as they are; behind them
 * `#` and digits are one generation. Recorded are the MD5 (of what was composed, the CRC-32C), the generation and the ETag.
 */
import { ArtifactsError } from '../../errors.ts'
import type { Reference } from '../../types.ts'
import { GsBucket, type GsObject } from '../gs/bucket.ts'
import { bareReference, changed } from './digests.ts'
import type { FoundItem, ReferenceContext, ReferenceKind, ResolveOptions } from './kind.ts'
import { MAX_OBJECTS, tooMany } from './limits.ts'
import { lastPart } from './uri.ts'

export const gs: ReferenceKind = {
  isRemote: true,
  nameOf: (uri) => lastPart(split(uri).name, false),
  async resolve(uri, options) {
    const { bucket: bucketName, name, generation } = split(uri)
    const called = lastPart(name, false)
    if (!options.checksum) return { kind: 'one', name: called, reference: bareReference(uri, true) }
    const bucket = bucketOf(bucketName, options)
    const isFolder = name === '' || name.endsWith('/')
    const { signal } = options
    const object = isFolder ? undefined : await bucket.find(name, { generation, signal })
    if (object !== undefined) {
      return { kind: 'one', name: called, reference: referenceTo(bucketName, object) }
    }
    const items = generation === undefined ? await itemsUnder(uri, name, bucket, options) : []
    if (items.length > 0) return { kind: 'many', name: called, items }
    throw missing(uri)
  },
  async check(reference, context) {
    const { name, generation, ...rest } = split(reference.uri)
    const wanted = reference.versionId ?? generation
    const bucket = bucketOf(rest.bucket, context)
    const { signal } = context
    if ((await bucket.find(name, { generation: wanted, signal })) === undefined) {
      throw await goneOrChanged(reference, wanted, bucket, name, signal)
    }
    return wanted !== undefined
  },
  async open(reference, context, from = 0) {
    const { bucket: bucketName, name, generation } = split(reference.uri)
    const bucket = bucketOf(bucketName, context)
    const { signal } = context
    const wanted = reference.versionId ?? generation
    const answer = await bucket.media(name, { generation: wanted, from, signal })
    if (answer !== undefined) return { body: answer.body, proven: wanted !== undefined, from }
    throw await goneOrChanged(reference, wanted, bucket, name, signal)
  },
}

/** Of a content that is not there any more: another may have taken its place. */
async function goneOrChanged(
  reference: Reference,
  wanted: string | undefined,
  bucket: GsBucket,
  name: string,
  signal: AbortSignal | undefined,
): Promise<ArtifactsError> {
  const now = await bucket.find(name, { signal })
  if (now === undefined) return missing(reference.uri)
  return changed(reference, `the generation ${now.generation} where ${wanted} was recorded`)
}

interface Location {
  readonly bucket: string
  readonly name: string
  readonly generation?: string
}

function split(uri: string): Location {
  const rest = uri.replace(/^gs:(\/\/)?/i, '')
  const slash = rest.indexOf('/')
  if (slash < 0) return { bucket: rest, name: '' }
  const [, name = '', generation] = /^(.*?)(?:#(\d+))?$/s.exec(rest.slice(slash + 1)) ?? []
  const location = { bucket: rest.slice(0, slash), name }
  return generation === undefined ? location : { ...location, generation }
}

function bucketOf(name: string, { network, env }: ReferenceContext): GsBucket {
  return new GsBucket(name, network, env)
}

async function itemsUnder(
  uri: string,
  name: string,
  bucket: GsBucket,
  { maxObjects = MAX_OBJECTS, signal, onProgress }: ResolveOptions,
): Promise<readonly FoundItem[]> {
  const prefix = name === '' || name.endsWith('/') ? name : `${name}/`
  const items: FoundItem[] = []
  for await (const object of bucket.list(prefix, signal)) {
    // Programs that know folders mark them so.
    if (object.name.endsWith('/') && object.size === 0) continue
    if (items.length === maxObjects) throw tooMany(uri, maxObjects)
    const reference = referenceTo(bucket.name, object)
    items.push({ key: object.name.slice(prefix.length), kind: 'reference', reference })
    onProgress?.({ phase: 'scan', files: items.length, bytes: 0 })
  }
  return items
}

function referenceTo(bucket: string, object: GsObject): Reference {
  const { name, size, etag, generation } = object
  return {
    uri: `gs://${bucket}/${name}`,
    digest: digestOf(object),
    size,
    etag,
    versionId: generation,
    resolved: true,
  }
}

function digestOf({ md5Hash, crc32c }: GsObject): Reference['digest'] {
  const [algo, base64] = md5Hash === undefined ? ['crc32c', crc32c] : ['md5', md5Hash]
  return { algo: algo as string, value: Buffer.from(base64 as string, 'base64').toString('hex') }
}

function missing(uri: string): ArtifactsError {
  return new ArtifactsError('ERR_NOT_FOUND', `There is no object "${uri}", and none below it.`, {
    hint: 'Check bucket and name; names are written as they are, without percent-encoding.',
    data: { uri },
  })
}
