/** What the library's functions share: an open store, and how names without a project are meant. */
import { parseRef } from './names.ts'
import {
  type RefDefaults,
  type Resolved,
  resolveArtifact,
  resolveVersion,
} from './store/index/resolve.ts'
import type { ArtifactRow } from './store/index/state.ts'
import type { Opened } from './store/open.ts'

export interface Session {
  readonly opened: Opened
  readonly defaults: RefDefaults
}

/** The version that a ref means. @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_INVALID_NAME. */
export function versionOf({ opened, defaults }: Session, ref: string): Resolved {
  return resolveVersion(opened.index.state, parseRef(ref), defaults)
}

/** The artifact that a name means. @throws ArtifactsError ERR_NOT_FOUND, ERR_INVALID_NAME. */
export function artifactOf({ opened, defaults }: Session, name: string): ArtifactRow {
  return resolveArtifact(opened.index.state, parseRef(name), defaults)
}

/** `bike:v4`, or `project/bike:v4` where the project is not the default one. */
export function refOf({ defaults }: Session, { artifact, version }: Naming): string {
  const project = artifact.project === defaults.project ? '' : `${artifact.project}/`
  return `${project}${artifact.name}:v${version.number}`
}

interface Naming {
  readonly artifact: { readonly project: string; readonly name: string }
  readonly version: { readonly number: number }
}
