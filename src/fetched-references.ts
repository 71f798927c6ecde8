/**
 * Referenced bytes for a directory: fetched aside before anything in it changes, each compared with what was recorded.
 * What is there already and can be told to be the same is not fetched.
 */
import { resolve } from 'node:path'
import { ArtifactsError } from './errors.ts'
import { withReferences } from './references.ts'
import type { Session } from './session.ts'
import {
  type AtHand,
  holdsReferenceAt,
  type ReferencesAtHand,
} from './store/checkout/references.ts'
import type { Staging } from './store/checkout/staging.ts'
import type { ReferenceContext } from './sync/references/kind.ts'
import type { EntryPath, OperationOptions, ReferenceEntry } from './types.ts'

export interface FetchRequest extends OperationOptions {
  /** What messages call the version. */
  readonly ref: string
  /** Absolute. */
  readonly dir: string
  readonly entries: readonly ReferenceEntry[]
  readonly staging: Staging
  /** Leave out what can't be had, instead of failing. What has changed is never left out. */
  readonly allowMissing: boolean
}

export interface Fetched {
  readonly atHand: ReferencesAtHand
  /** Paths of references that were left out. */
  readonly missing: readonly string[]
}

/** Transfers under way. */
const AT_ONCE = 8
/** Failures after which no more are collected. */
const MOST_FAILURES = 10
/** Codes of bytes that can't be had, which is not the same as bytes that are others now. */
const MISSING: ReadonlySet<string> = new Set([
  'ERR_NOT_FOUND',
  'ERR_UNSUPPORTED',
  'ERR_REMOTE_UNREACHABLE',
])

interface Failure {
  readonly path: EntryPath
  readonly error: ArtifactsError
}

/**
 * @throws ArtifactsError ERR_REMOTE_CHANGED, ERR_NOT_FOUND, ERR_UNSUPPORTED, ERR_REMOTE_UNREACHABLE, ERR_REMOTE_DENIED,
 * naming up to ten paths; nothing was written then.
 */
export async function fetchReferences(session: Session, request: FetchRequest): Promise<Fetched> {
  const { dir, entries, staging, allowMissing } = request
  const atHand = new Map<EntryPath, AtHand | 'there'>()
  const wanted = entries.filter((entry) => {
    if (!holdsReferenceAt(entry, resolve(dir, entry.path), undefined)) return true
    atHand.set(entry.path, 'there')
    return false
  })
  const missing: string[] = []
  if (wanted.length === 0) return { atHand, missing }
  const { fetchReference } = await import('./sync/references/read.ts')
  const failures = await withReferences(session, request, (context) => {
    const { io } = session.opened
    const report = reporter(request, context)
    return forAll(wanted, async ({ path, reference }) => {
      const file = staging.nextName()
      atHand.set(
        path,
        await fetchReference(reference, file, { context, io, onBytes: report.bytes }),
      )
      report.file()
    })
  })
  for (const { path, error } of failures) {
    if (!allowMissing || !MISSING.has(error.code)) throw summary(request.ref, failures)
    missing.push(path)
  }
  return { atHand, missing }
}

/** Runs `work` for each entry, a few at a time; returns what failed with an error for people, in path order. */
async function forAll(
  entries: readonly ReferenceEntry[],
  work: (entry: ReferenceEntry) => Promise<void>,
): Promise<readonly Failure[]> {
  const failures: Failure[] = []
  const queue = entries.values()
  const isHopeless = (): boolean =>
    failures.filter(({ error }) => !MISSING.has(error.code)).length >= MOST_FAILURES
  const one = async (): Promise<void> => {
    for (const entry of queue) {
      if (isHopeless()) return
      try {
        await work(entry)
      } catch (error) {
        if (!(error instanceof ArtifactsError)) throw error
        failures.push({ path: entry.path, error })
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: AT_ONCE }, one))
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return failures.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function reporter(
  { entries }: FetchRequest,
  { onProgress }: ReferenceContext,
): { readonly bytes: (count: number) => void; readonly file: () => void } {
  let files = 0
  let bytes = 0
  const total = {
    files: entries.length,
    bytes: entries.reduce((sum, { reference }) => sum + (reference.size ?? 0), 0),
  }
  const tell = (): void => onProgress?.({ phase: 'read', files, bytes, total })
  return {
    bytes: (count) => {
      bytes += count
      tell()
    },
    file: () => {
      files++
      tell()
    },
  }
}

/** One error for all: what decides is the worst, which is a change. */
function summary(ref: string, failures: readonly Failure[]): ArtifactsError {
  const worst =
    failures.find(({ error }) => error.code === 'ERR_REMOTE_CHANGED') ??
    failures.find(({ error }) => !MISSING.has(error.code)) ??
    failures[0]
  if (worst === undefined) throw new Error('Nothing has failed.')
  const { code, hint, data } = worst.error
  const paths = failures.map(({ path }) => path)
  const lines = failures
    .slice(0, MOST_FAILURES)
    .map(({ path, error }) => `  "${path}": ${error.message}`)
  if (failures.length > lines.length) lines.push(`  and ${failures.length - lines.length} more`)
  const leave = MISSING.has(code) ? ' Leave out what is missing: `--allow-missing-references`.' : ''
  return new ArtifactsError(
    code,
    `${failures.length === 1 ? 'A reference' : `${failures.length} references`} of "${ref}" can't be had; nothing was written:\n${lines.join('\n')}`,
    { hint: `${hint ?? ''}${leave}`.trim(), data: { ...data, paths }, cause: worst.error },
  )
}
