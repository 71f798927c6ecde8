/**
 * From a tar to a version, as a stream: contents go into packs as they come, and their names, and so a trace in the
 * store, they get only when the whole tar has been read and nothing in it was refused.
 */
import { createReadStream } from 'node:fs'
import { basename, posix, resolve } from 'node:path'
import {
  type CommitOptions,
  type CommitReport,
  type CommitTarget,
  commitContents,
  labelsOf,
  parseName,
} from './commit.ts'
import { ArtifactsError, isSystemError } from './errors.ts'
import { ImportPaths } from './import-paths.ts'
import { resolveRun } from './run-search.ts'
import { sessionOfRun } from './runs.ts'
import type { Session } from './session.ts'
import { untilAborted } from './standard-input.ts'
import { ContentWriter } from './store/commit/content-writer.ts'
import { isFirstVersion, refuseSecrets } from './store/commit/version-writer.ts'
import { leadsOutside } from './store/ingest/scan.ts'
import { isSecretName } from './store/ingest/secrets.ts'
import { planCommit } from './store/log/plan.ts'
import { MAX_CONTENT, writeContent } from './store/tree/entry.ts'
import { plainTar } from './tar/plain.ts'
import { readTar } from './tar/read.ts'
import type { ArtifactId, Entry, ObjectId, VersionObject } from './types.ts'

/** What a commit takes, but for what is about paths. */
export interface ImportTarOptions
  extends Pick<
    CommitOptions,
    | 'type'
    | 'aliases'
    | 'tags'
    | 'description'
    | 'metadata'
    | 'base'
    | 'incremental'
    | 'reuse'
    | 'allowSecrets'
    | 'run'
    | 'slot'
    | 'cwd'
    | 'signal'
    | 'onProgress'
  > {
  /** `[project/]name`; default: the name of the file without `.tar`. */
  readonly name?: string
}

/** Where an archive is read: its path, or its bytes. */
export type TarSource = string | AsyncIterable<Uint8Array>

const PIECE = 1 << 20
/** What is left out is named up to so many times. */
const MOST_SKIPPED = 100

/**
 * Stores what a tar holds, packed by gzip or not, as a version.
 * @throws ArtifactsError ERR_DAMAGED, ERR_UNSUPPORTED, ERR_INVALID_PATH for tars that are not whole or hold what no version
 * can, and as a commit. The store is as it was then.
 */
export async function importTar(
  session: Session,
  source: TarSource,
  options: ImportTarOptions = {},
): Promise<CommitReport> {
  const target = targetOf(session, source, options)
  refuseLabels(session, target, options)
  const name = typeof source === 'string' ? JSON.stringify(source) : 'on standard input'
  const writer = new ContentWriter(session.opened)
  try {
    const read = await readEntries(bytesOf(source, options), name, writer, options)
    if (options.allowSecrets !== true && isFirstVersion(session.opened, target)) {
      refuseSecrets(read.secrets)
    }
    options.signal?.throwIfAborted()
    const packs = await writer.finish()
    if (!writer.holds(packs)) throw collected(name)
    const report = await commitContents(
      session,
      target,
      { sources: [], entries: read.entries, packs },
      { ...options, allowSecrets: true },
    )
    const { skipped, outwardLinks } = read
    // To the commit all of it was there.
    const reusedBytes = Math.max(report.reusedBytes - writer.newBytes, 0)
    return { ...report, reusedBytes, skipped, outwardLinks }
  } finally {
    writer.abort()
  }
}

function targetOf(
  session: Session,
  source: TarSource,
  { name, run }: ImportTarOptions,
): CommitTarget {
  const id = run === undefined ? undefined : resolveRun(session, run).id
  const within = id === undefined ? session : sessionOfRun(session, id)
  const stem =
    typeof source === 'string' ? basename(source).replace(/\.(tar|tar\.gz|tgz)$/i, '') : undefined
  const given = name ?? stem
  if (given !== undefined) return { ...parseName(within, given), run: id }
  throw new ArtifactsError('ERR_USAGE', 'The artifact needs a name.', {
    hint: 'Give one: `artifacts import - -n NAME`.',
  })
}

/** What would be refused of any content is refused before a byte is read. */
function refuseLabels(session: Session, target: CommitTarget, options: ImportTarOptions): void {
  const none = '0'.repeat(64) as ObjectId
  const object: VersionObject = { bytes: 0, createdAt: '', files: 0, parents: [], root: none }
  planCommit(session.opened.index.state, {
    ...labelsOf(session, target, options),
    newArtifact: '0'.repeat(32) as ArtifactId,
    object,
    versionId: none,
  })
}

async function* bytesOf(
  source: TarSource,
  { cwd, signal }: ImportTarOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (typeof source !== 'string') {
    yield* untilAborted(source, signal)
    return
  }
  const path = cwd === undefined ? resolve(source) : resolve(cwd, source)
  const stream = createReadStream(path, { highWaterMark: PIECE })
  try {
    yield* untilAborted(stream as AsyncIterable<Uint8Array>, signal)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw error
    const what = error.code === 'EISDIR' ? 'is a directory, no tar' : 'does not exist'
    throw new ArtifactsError('ERR_NOT_FOUND', `"${source}" ${what}.`, {
      hint:
        error.code === 'EISDIR'
          ? `Commit it: \`artifacts commit ${source}\`.`
          : 'Check the path; it is relative to the current directory.',
      cause: error,
    })
  } finally {
    stream.destroy()
  }
}

interface ReadEntries {
  readonly entries: readonly Entry[]
  readonly secrets: readonly string[]
  readonly skipped: CommitReport['skipped']
  readonly outwardLinks: number
}

async function readEntries(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  writer: ContentWriter,
  { onProgress }: ImportTarOptions,
): Promise<ReadEntries> {
  const paths = new ImportPaths(name)
  const entries: Entry[] = []
  const secrets: string[] = []
  const skipped = new Set<string>()
  let outwardLinks = 0
  let size = 0
  for await (const item of readTar(plainTar(bytes, name), name)) {
    const never = neverStored(item.path)
    if (never !== undefined) {
      if (skipped.size < MOST_SKIPPED) skipped.add(never)
      continue
    }
    if (item.kind === 'directory') {
      paths.addDirectory(item.path)
      continue
    }
    const path = paths.addFile(item.path)
    if (item.kind === 'symlink') {
      const entry: Entry = { kind: 'symlink', path, target: item.target }
      writeContent(entry, scratch, 0)
      if (leadsOutside(path, item.target)) outwardLinks++
      entries.push(entry)
      continue
    }
    const { content, isPrivateKey } = await writer.add(item.size, item.bytes())
    if (isPrivateKey || isSecretName(posix.basename(path))) secrets.push(path)
    entries.push({ kind: 'file', path, executable: item.executable, size: item.size, content })
    size += item.size
    onProgress?.({ phase: 'read', files: entries.length, bytes: size })
  }
  for (const path of paths.emptyDirectories()) entries.push({ kind: 'directory', path })
  const reason = 'never stored'
  return {
    entries,
    secrets,
    skipped: Array.from(skipped, (path) => ({ path, reason })),
    outwardLinks,
  }
}

const scratch = Buffer.allocUnsafe(MAX_CONTENT)

/** The part of a path that is a store or a repository of git, which no version holds. */
function neverStored(path: string): string | undefined {
  const parts = path.split('/')
  const at = parts.findIndex((part) => /^\.(git|artifacts)$/i.test(part))
  return at < 0 ? undefined : parts.slice(0, at + 1).join('/')
}

function collected(name: string): ArtifactsError {
  return new ArtifactsError(
    'ERR_BUSY',
    `While the tar ${name} was read, gc removed bytes that it shares with the store.`,
    { hint: 'Import it again.' },
  )
}
