/** Versions that are made in one line, and looked at as text. */
import fs from 'node:fs'
import { Artifact, type ArtifactVersion, type LogOptions } from '../../src/index.ts'
import type { Workspace } from '../library/workspace.ts'
import type { Tree } from '../support/files.ts'

/** A draft of `bike`, a dataset. */
export function draft(options: Partial<ConstructorParameters<typeof Artifact>[1]> = {}): Artifact {
  return new Artifact('bike', { type: 'dataset', ...options })
}

/** Logs a draft of `bike` that holds these files, which are gone from the disk then. */
export async function log(
  ws: Workspace,
  files: Tree,
  options: LogOptions = {},
  artifact = draft(),
): Promise<ArtifactVersion> {
  const dir = ws.at('to-be-logged')
  await artifact.addDir(ws.write('to-be-logged', files))
  const version = await ws.store.commit(artifact, { jobs: 0, ...options })
  fs.rmSync(dir, { recursive: true })
  return version
}

/** The text of every file by its path; of other entries their kind. */
export async function textsOf(version: ArtifactVersion): Promise<Record<string, string>> {
  const texts: Record<string, string> = {}
  for await (const entry of version.manifest()) {
    let text = ''
    if (entry.kind === 'file') for await (const bytes of entry.read()) text += bytes
    texts[entry.path] = entry.kind === 'file' ? text : entry.kind
  }
  return texts
}

export async function pathsOf(version: ArtifactVersion): Promise<string[]> {
  return Object.keys(await textsOf(version))
}

/** All that `log` says of it: whether two moments are the same. */
export function picture({ store }: Workspace): string {
  return JSON.stringify([store.artifacts(), store.history(), Array.from(store.operations()).length])
}
