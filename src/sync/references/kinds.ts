/** Which kind of reference a URI is. */
import { artifact } from './artifact.ts'
import { file } from './file.ts'
import { gs } from './gs.ts'
import { http } from './http.ts'
import type { ReferenceKind } from './kind.ts'
import { other } from './other.ts'
import { s3 } from './s3.ts'
import { schemeOf } from './uri.ts'

const KINDS: Readonly<Record<string, ReferenceKind>> = {
  artifacts: artifact,
  file,
  gs,
  http,
  https: http,
  s3,
}

/** @throws ArtifactsError ERR_USAGE for what has no scheme. */
export function kindOf(uri: string): ReferenceKind {
  const scheme = schemeOf(uri)
  return Object.hasOwn(KINDS, scheme) ? (KINDS[scheme] as ReferenceKind) : other
}
