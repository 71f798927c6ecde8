/** Drafts as a person builds them: begun by name, filled with paths, step by step. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Artifact, contentsOf } from './artifact.ts'
import { parseName } from './commit.ts'
import { ArtifactsError, isSystemError } from './errors.ts'
import { isUri, type ReferenceOptions } from './references.ts'
import { type Session, versionOf } from './session.ts'
import {
  addToDraft,
  type DraftSummary,
  draftTarget,
  newestOf,
  openDraft,
  removeFromDraft,
  resolveDraft,
  targetOf,
} from './shared-drafts.ts'
import type { PartResult } from './store/commit/draft-part.ts'

export interface NewDraftOptions {
  readonly type?: string
  /** What those who build it call it; default: the id that it gets. */
  readonly key?: string
  /** The version that it starts from. */
  readonly base?: string
  /** It starts from the newest version, if there is one. */
  readonly incremental?: boolean
}

export interface AddToDraftOptions extends ReferenceOptions {
  /** Id or key; default: the only one that is open. */
  readonly draft?: string
  /** What is added takes the place of what others have added. */
  readonly overwrite?: boolean
  /** The run that adds it. */
  readonly run?: string
  /** What relative paths are relative to. */
  readonly cwd?: string
}

export interface DraftPartReport {
  readonly draft: string
  readonly artifact: string
  readonly project: string
  readonly key: string
  readonly part: number
  readonly files: number
  readonly bytes: number
  readonly storedBytes: number
}

/** @throws ArtifactsError ERR_EXISTS, ERR_INVALID_NAME, ERR_NOT_FOUND for the base, ERR_TYPE_MISMATCH. */
export async function beginDraft(
  session: Session,
  text: string,
  { type, key, base, incremental = false }: NewDraftOptions = {},
): Promise<DraftSummary> {
  const { project, name } = parseName(session, text)
  const from = base === undefined ? undefined : versionOf(session, base).version.id
  const start = from ?? (incremental ? newestOf(session, project, name) : undefined)
  const facts = { project, name, ...(type === undefined ? {} : { type }) }
  const target = draftTarget({ ...facts, key: key ?? 'draft' }, start)
  return openDraft(session, key === undefined ? { ...target, key: target.newDraft } : target)
}

/** @throws ArtifactsError ERR_NOT_FOUND for a path or draft, ERR_INVALID_PATH, and as a commit: then nothing is added. */
export async function addPaths(
  session: Session,
  paths: readonly string[],
  options: AddToDraftOptions = {},
): Promise<DraftPartReport> {
  const { draft: named, overwrite = false, run, cwd = '.', as, ...others } = options
  const { signal, onProgress, ...rest } = others
  const draft = resolveDraft(session, named)
  if (paths.length === 0) {
    throw new ArtifactsError('ERR_USAGE', 'There is nothing to add: no path is given.', {
      hint: 'Name one: `artifacts draft add PATH`.',
    })
  }
  if (as !== undefined && paths.length > 1) {
    throw new ArtifactsError('ERR_USAGE', '"--as" names the place of one path.', {
      hint: 'Add them one by one.',
    })
  }
  const artifact = new Artifact(draft.artifact, { type: draft.type ?? 'dataset' })
  for (const path of paths) {
    const local = resolve(cwd, path)
    const place = as === undefined ? {} : { as }
    if (isUri(path)) await artifact.addReference(path, { ...rest, ...place, signal, onProgress })
    else if (isDirectory(local)) await artifact.addDir(local, { ...rest, ...place })
    else await artifact.addFile(local, place)
  }
  const { allowSecrets = false } = rest
  const contents = contentsOf(artifact)
  const part = { run, overwrite, allowSecrets, signal, onProgress }
  const result = await addToDraft(session, contents, { ...targetOf(draft), only: draft.id }, part)
  return reportOf(draft, result)
}

/** @throws ArtifactsError ERR_NOT_FOUND for an entry or a draft. */
export async function removePaths(
  session: Session,
  paths: readonly string[],
  named?: string,
): Promise<DraftPartReport> {
  const draft = resolveDraft(session, named)
  return reportOf(draft, await removeFromDraft(session, draft, paths))
}

function reportOf(
  { id, artifact, project, key }: DraftSummary,
  { part, files, bytes, storedBytes }: PartResult,
): DraftPartReport {
  return { draft: id, artifact, project, key, part, files, bytes, storedBytes }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return false
    throw error
  }
}
