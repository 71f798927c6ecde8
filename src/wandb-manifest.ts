/**
 * W&B's manifest of an artifact: its digest, and its JSON of version 1. The digest is the MD5, in hex, of a line
 * `wandb-artifact-manifest-v1` and a line `PATH:DIGEST` for each entry in the order of the paths' UTF-8 bytes. Nothing
 * but path and digest counts: the size, where a reference points, labels and metadata do not.
 */
import { createHash } from 'node:crypto'

export interface WandbEntry {
  readonly path: string
  /** MD5 of the bytes in base64 with padding; of a reference whatever its source calls its content, such as an ETag. */
  readonly digest: string
  /** Bytes; absent where nobody knows. */
  readonly size?: number
  /** The URI of a reference. */
  readonly ref?: string
  readonly extra?: { readonly etag?: string; readonly versionID?: string }
}

/** The digest of entries that come in the order of their paths' bytes: 32 hex digits. */
export async function manifestDigest(
  entries: AsyncIterable<WandbEntry> | Iterable<WandbEntry>,
): Promise<string> {
  const hash = createHash('md5').update('wandb-artifact-manifest-v1\n')
  for await (const { path, digest } of entries) hash.update(`${path}:${digest}\n`)
  return hash.digest('hex')
}

/** The JSON, an entry a line, as pieces of text: it can be larger than a string. */
export async function* manifestJson(
  entries: AsyncIterable<WandbEntry> | Iterable<WandbEntry>,
): AsyncGenerator<string> {
  yield `${HEAD.slice(0, -1)},"contents":{`
  let between = '\n'
  for await (const { path, ...entry } of entries) {
    yield `${between}${JSON.stringify(path)}:${JSON.stringify(entry)}`
    between = ',\n'
  }
  yield '\n}}\n'
}

const HEAD = JSON.stringify({
  version: 1,
  storagePolicy: 'wandb-storage-policy-v1',
  storagePolicyConfig: { storageLayout: 'V2' },
})
