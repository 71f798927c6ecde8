/**
 * Versions as W&B would describe them: a file by the MD5 of its bytes, a reference by what its source calls its content.
 * MD5s are no identity here, so they are computed when asked for.
 */
import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { ArtifactsError } from './errors.ts'
import { followedEntries } from './links.ts'
import { refuseNotFetched } from './not-fetched.ts'
import { readReference } from './references.ts'
import { contentOf, refOf, type Session } from './session.ts'
import { nodeReader } from './store/opened.ts'
import { fileBytes } from './store/read-file.ts'
import { lookup } from './store/tree/cursor.ts'
import { decoded } from './sync/references/uri.ts'
import type {
  FileEntry,
  ObjectId,
  OperationOptions,
  ReferenceEntry,
  VersionObject,
} from './types.ts'
import { manifestDigest, manifestJson, type WandbEntry } from './wandb-manifest.ts'
import { wandbReference } from './wandb-reference.ts'

/**
 * The JSON of the manifest in pieces.
 * @throws ArtifactsError ERR_NOT_FOUND; ERR_UNSUPPORTED for a link or reference that W&B can have no entry for.
 */
export function wandbManifest(
  session: Session,
  ref: string,
  options: OperationOptions = {},
): AsyncIterable<string> {
  return manifestJson(wandbEntries(session, ref, options))
}

/** As `wandbManifest`, for its digest alone. */
export function wandbDigest(
  session: Session,
  ref: string,
  options: OperationOptions = {},
): Promise<string> {
  return manifestDigest(wandbEntries(session, ref, options))
}

/** Finds the version at once, and reads it as it is asked to go on. */
function wandbEntries(
  session: Session,
  ref: string,
  options: OperationOptions,
): AsyncGenerator<WandbEntry> {
  const resolved = contentOf(session, ref)
  refuseNotFetched(session, resolved)
  const view = { session, ref: refOf(session, resolved), options }
  return describedEntries(view, resolved.version.object)
}

async function* describedEntries(
  view: View,
  { root, files, bytes }: VersionObject,
): AsyncGenerator<WandbEntry> {
  const { session, options } = view
  const done = { files: 0, bytes: 0 }
  for (const { path, entry } of followedEntries(nodeReader(session.opened), root)) {
    options.signal?.throwIfAborted()
    yield entry.kind === 'file'
      ? { path, digest: await fileDigest(view, entry), size: entry.size }
      : { path, ...(await referenceFacts(view, entry)) }
    done.files++
    done.bytes += entry.kind === 'file' ? entry.size : (entry.reference.size ?? 0)
    options.onProgress?.({ phase: 'read', ...done, total: { files, bytes } })
  }
}

interface View {
  readonly session: Session
  readonly ref: string
  readonly options: OperationOptions
}

async function fileDigest({ session, options }: View, entry: FileEntry): Promise<string> {
  const hash = createHash('md5')
  let since = 0
  for (const piece of fileBytes(session.opened, entry, options.signal)) {
    hash.update(piece)
    since += piece.length
    if (since < BREATH) continue
    since = 0
    await turn()
    options.signal?.throwIfAborted()
  }
  return hash.digest('base64')
}

/** Bytes after which signals are heard. */
const BREATH = 8 * 1024 * 1024

/** What W&B records of a reference, where that takes looking at bytes. */
function referenceFacts(view: View, entry: ReferenceEntry): Promise<Omit<WandbEntry, 'path'>> {
  return wandbReference(entry.reference, {
    file: () => localDigest(view, entry),
    entry: () => targetDigest(view, entry, 0),
    refuse: (why) => unknown(view, entry.path, why, !entry.reference.resolved),
  })
}

/** The MD5 of what another version's entry holds, through references to references. */
async function targetDigest(view: View, entry: ReferenceEntry, hops: number): Promise<string> {
  const { session } = view
  const { uri } = entry.reference
  const [, id, rest = ''] = /^artifacts:\/\/([0-9a-f]{64})\/(.+)$/s.exec(uri) ?? []
  const version = id === undefined ? undefined : session.state.versionById(id as ObjectId)
  if (version === undefined || version.purged !== undefined) {
    throw unknown(view, entry.path, `the version of "${uri}" is not in this store`)
  }
  const target = lookup(nodeReader(session.opened), version.object.root, decoded(rest))
  if (target?.kind === 'file') return fileDigest(view, target)
  if (target?.kind !== 'reference' || hops === MAX_HOPS) {
    throw unknown(view, entry.path, `"${uri}" leads to no file`)
  }
  if (target.reference.uri.startsWith('artifacts:')) return targetDigest(view, target, hops + 1)
  return (await referenceFacts(view, target)).digest
}

const MAX_HOPS = 32

/** The MD5 of a local file, provided that it still is what was recorded. */
async function localDigest(view: View, { reference }: ReferenceEntry): Promise<string> {
  const hash = createHash('md5')
  for await (const piece of readReference(view.session, reference, view.options)) hash.update(piece)
  return hash.digest('base64')
}

function unknown({ ref }: View, path: string, why: string, isUnresolved = false): ArtifactsError {
  return new ArtifactsError(
    'ERR_UNSUPPORTED',
    `"${path}" of "${ref}" is a reference, and ${why}.`,
    {
      hint: isUnresolved
        ? `Look it up where there is a network: \`artifacts commit --resolve ${ref}\`.`
        : `See what it refers to: \`artifacts ls ${ref} ${path}\`.`,
    },
  )
}
