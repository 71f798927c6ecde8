/** What goes wrong between here and a server, as errors a person can act on. No message holds a credential. */
import { ArtifactsError, isSystemError } from '../../errors.ts'

/** The URL without what may be secret: user, password, query. */
export function shownUrl(url: URL | string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

/** Errors of a system that has no way to any network, or none to this one. */
const NO_ROUTE = ['ENETUNREACH', 'ENETDOWN', 'EHOSTUNREACH', 'EAI_AGAIN']
/** A connection that was there and broke off, or a server that was slow: worth another attempt. */
const BROKEN_OFF = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'ERR_PROXY_BUSY']
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  ETIMEDOUT: 'it does not answer',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'its name can not be looked up at the moment',
  ENETUNREACH: 'there is no network',
  EHOSTUNREACH: 'there is no way to it',
  ENETDOWN: 'there is no network',
}

const PROXY_HINT =
  'The proxy wants to know who asks: `export https_proxy=http://USER:PASSWORD@HOST:PORT`, and `http_proxy` alike.'

export function isBrokenOff(error: unknown): boolean {
  return isSystemError(error, ...BROKEN_OFF)
}

/** True for an error of `unreachable` that says that this machine has no network, so that nothing can be learned now. */
export function isOffline(error: unknown): boolean {
  return (
    error instanceof ArtifactsError &&
    error.code === 'ERR_REMOTE_UNREACHABLE' &&
    error.data['offline'] === true
  )
}

/** A connection that failed. Errors that are no failure of a connection are returned as they are. */
export function unreachable(url: URL, error: unknown): unknown {
  if (error instanceof ArtifactsError || !(error instanceof Error) || !('code' in error)) {
    return error
  }
  const code = String(error.code)
  const isCertificate = /CERT|SIGNATURE|ISSUER|^ERR_TLS/.test(code)
  const reason = isCertificate
    ? `its certificate is not trusted (${code})`
    : (REASONS[code] ?? error.message)
  return new ArtifactsError(
    'ERR_REMOTE_UNREACHABLE',
    `"${shownUrl(url)}" can't be reached: ${reason}.`,
    {
      hint: isCertificate
        ? 'Name the file of certificates to trust: `export ARTIFACTS_CA_BUNDLE=FILE`.'
        : code === 'ERR_PROXY_DENIED'
          ? PROXY_HINT
          : 'Check the network and the address, and try again.',
      cause: error,
      data: { url: shownUrl(url), offline: NO_ROUTE.includes(code), passing: isBrokenOff(error) },
    },
  )
}

/** An answer that is not the one asked for. `said` is the server's own word for it. */
export function refusal(url: URL, status: number, said = ''): ArtifactsError {
  const name = `"${shownUrl(url)}"`
  const answer = said === '' ? String(status) : `${status} ${said}`
  const data = { url: shownUrl(url), status }
  if (status === 404 || status === 410) {
    return new ArtifactsError('ERR_NOT_FOUND', `There is nothing at ${name} (${answer}).`, {
      hint: 'Check the address; what was there may be gone.',
      data,
    })
  }
  if (status === 429 || status >= 500) {
    return new ArtifactsError('ERR_REMOTE_UNREACHABLE', `${name} fails: it answers ${answer}.`, {
      hint: 'Try again later.',
      data: { ...data, passing: status !== 501 },
    })
  }
  return new ArtifactsError('ERR_REMOTE_DENIED', `${name} refuses: it answers ${answer}.`, {
    hint: status === 407 ? PROXY_HINT : 'Check the credentials and what they allow.',
    data,
  })
}
