/** URIs as people write them: what scheme, what they would be called, and whether they hold a secret. */
import { ArtifactsError } from '../../errors.ts'

const SCHEME = /^([a-z][a-z0-9+.-]*):./i
/** Parameters that give whoever has the URL the right of who signed it. */
const SIGNED =
  /[?&](x-amz-(signature|security-token|credential)|x-goog-(signature|credential)|sig|awsaccesskeyid)=/i

/** The scheme in lower case. @throws ArtifactsError ERR_USAGE where there is none. */
export function schemeOf(uri: string): string {
  const scheme = SCHEME.exec(uri)?.[1]
  if (scheme !== undefined) return scheme.toLowerCase()
  throw new ArtifactsError('ERR_USAGE', `"${uri}" is no URI: it has no scheme.`, {
    hint: 'To refer to a local file: `artifacts commit --reference PATH`.',
  })
}

/** The last part of a path with `/`; empty where there is none. */
export function lastPart(path: string, encoded: boolean): string {
  const part = path.replace(/\/+$/, '').split('/').at(-1) ?? ''
  return encoded ? decoded(part) : part
}

/** Percent-encoded text as it is meant; as it stands where it is not that. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text
    throw error
  }
}

/** A URI for messages: without what may be secret, a user, a password, a query. */
export function shownUri(uri: string): string {
  if (!/^https?:/i.test(uri)) return uri
  return uri.replace(/:\/\/[^/?#]*@/, '://').replace(/[?#].*$/, '')
}

/** A version can't be changed, and is shared: what opens doors does not belong in it. @throws ArtifactsError ERR_SECRETS. */
export function refuseSecrets(uri: string): void {
  const hasUser = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i.test(uri) && !/^(s3|gs|artifact):/i.test(uri)
  if (!hasUser && !SIGNED.test(uri)) return
  throw new ArtifactsError(
    'ERR_SECRETS',
    `The URI of "${shownUri(uri)}" holds ${hasUser ? 'a user or password' : 'a signature'}, which would be in the version for good.`,
    { hint: 'Leave it out, or record it as it is with `--allow-secrets`.' },
  )
}
