/**
 * What W&B records of a reference. Its digest is what the source calls its content: an ETag without quotes, the MD5 of a
 * local file or of another artifact's file; the URI, where nobody was asked. The size of an entry elsewhere is 0 there.
 */
import { createHash } from 'node:crypto'
import { shownUri } from './sync/references/uri.ts'
import type { Reference } from './types.ts'
import type { WandbEntry } from './wandb-manifest.ts'

export interface ReferenceBytes {
  /** The MD5, in base64, of the local file that the reference is to. */
  readonly file: () => Promise<string>
  /** The same of the entry of another version. */
  readonly entry: () => Promise<string>
  /** The error for a reference that W&B's record of can't be known. */
  readonly refuse: (why: string) => Error
}

export async function wandbReference(
  reference: Reference,
  { file, entry, refuse }: ReferenceBytes,
): Promise<Omit<WandbEntry, 'path'>> {
  const { uri, size, digest, resolved } = reference
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase() ?? ''
  if (scheme === 'artifacts') return { digest: await entry(), size: 0, ref: uri }
  const facts = { ...(size === undefined ? {} : { size }), ref: uri }
  if (!ASKED.has(scheme)) return { digest: uri, ...facts }
  if (!resolved)
    throw refuse(`nobody has looked at "${shownUri(uri)}" yet, so W&B's digest is not known`)
  if (digest.algo === 'uri') return { digest: scheme === 'file' ? md5(uri) : uri, ...facts }
  if (scheme === 'file') return { digest: await file(), ...facts }
  const etag = unquoted(reference.etag ?? (digest.algo === 'etag' ? digest.value : undefined))
  if (etag === undefined && !scheme.startsWith('http')) {
    throw refuse(`no ETag of "${shownUri(uri)}" is recorded, which W&B's digest consists of`)
  }
  const extra = extraOf(scheme, reference)
  const hasExtra = Object.keys(extra).length > 0
  return { digest: etag ?? uri, ...facts, ...(hasExtra ? { extra } : {}) }
}

/** Schemes whose sources W&B asks; of all others it records the URI alone. */
const ASKED = new Set(['file', 'http', 'https', 's3', 'gs'])

/** HTTP's ETag with its quotes, S3's without, and none of Google's, whose generation says which object it was. */
function extraOf(scheme: string, { etag, versionId }: Reference): NonNullable<WandbEntry['extra']> {
  const shown = scheme === 'gs' ? undefined : scheme === 's3' ? unquoted(etag) : etag
  return {
    ...(shown === undefined ? {} : { etag: shown }),
    ...(versionId === undefined ? {} : { versionID: versionId }),
  }
}

/** A weak ETag keeps its quotes. */
function unquoted(etag: string | undefined): string | undefined {
  return etag !== undefined && /^".*"$/s.test(etag) ? etag.slice(1, -1) : etag
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('base64')
}
