/**
 * Addresses of remotes, as they stand in the settings: `s3://bucket/prefix`, `http(s)://host/path/`, `file:///path`. Each has one
 * form, so that equal texts are equal places. What has a user, a password, a query or a fragment is refused, and not
 * repeated in the refusal: it may be a secret, which belongs into no store and on no screen.
 */
import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ArtifactsError } from '../errors.ts'

/**
 * The one form of an address, or of a path of a folder or a bundle.
 * @param from the absolute folder that relative paths start in
 * @throws ArtifactsError ERR_USAGE for what is no address, or may hold a secret
 */
export function remoteAddress(text: string, from: string): string {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase()
  if (scheme === 's3') return bucketAddress(text)
  if (scheme === 'http' || scheme === 'https') return webAddress(text)
  if (scheme === 'file') return fileAddress(text)
  if (scheme !== undefined || text === '' || text.includes('\0')) throw noAddress(text)
  return withoutSlash(pathToFileURL(resolve(from, text)).href)
}

/** True for an address in its one form. */
export function isRemoteAddress(text: string): boolean {
  try {
    return /^[a-z0-9]+:\/\//.test(text) && remoteAddress(text, '/') === text
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_USAGE') return false
    throw error
  }
}

/** An address as it may be shown: without user, password, query and fragment. */
export function shownAddress(text: string): string {
  return text.replace(/[?#].*$/s, '').replace(/^([A-Za-z][A-Za-z0-9+.-]*:\/*)[^/]*@/, '$1')
}

/** True for what can only be an address or a path, and no remote's name. */
export function looksLikeAddress(text: string): boolean {
  return /[/\\:]/.test(text) || text.endsWith('.tar') || text === '.' || text === '..'
}

/** The folder or bundle of a `file://` address. */
export function pathOfAddress(address: string): string | undefined {
  return address.startsWith('file:///') && URL.canParse(address)
    ? fileURLToPath(address)
    : isAbsolute(address)
      ? address
      : undefined
}

function bucketAddress(text: string): string {
  const [, bucket, path = '', more] = /^s3:\/\/([^/?#]+)(\/[^?#]*)?([?#].*)?$/is.exec(text) ?? []
  if (bucket === undefined) throw noAddress(text)
  if (bucket.includes('@') || more !== undefined) {
    throw maySecret(
      text,
      'Give the keys as the AWS command line takes them: `export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…`, or `aws configure`.',
    )
  }
  const prefix = path.replace(/^\/+|\/+$/g, '')
  const isPlain = prefix.split('/').every((part) => /^(?!\.{1,2}$)[A-Za-z0-9._=@ -]*$/.test(part))
  if (!isPlain || !/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(bucket)) {
    throw new ArtifactsError(
      'ERR_USAGE',
      `"${shownAddress(text)}" is no address of a remote in S3.`,
      {
        hint: 'Write `s3://BUCKET/PREFIX`; the prefix has letters, digits and `. _ - = @`.',
      },
    )
  }
  return `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`
}

function webAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:\/\/[^/]/i.test(text)) throw noAddress(text)
  const { username, password, search, hash } = url
  if (username !== '' || password !== '' || search !== '' || hash !== '') {
    throw maySecret(
      text,
      `Write a line \`${url.origin} TOKEN\` into the file \`~/.config/artifacts/credentials\`, which only you may read, or \`export ARTIFACTS_TOKEN=TOKEN\`.`,
    )
  }
  return url.href.endsWith('/') ? url.href : `${url.href}/`
}

function fileAddress(text: string): string {
  const isPlain = /^file:\/\/\/[^?#]*$/i.test(text) && URL.canParse(text)
  if (!isPlain) throw noAddress(text)
  let path: string
  try {
    path = fileURLToPath(text)
  } catch {
    // An encoded slash, or no UTF-8.
    throw noAddress(text)
  }
  if (path.includes('\0')) throw noAddress(text)
  return withoutSlash(pathToFileURL(resolve(path)).href)
}

function withoutSlash(href: string): string {
  return href === 'file:///' ? href : href.replace(/\/+$/, '')
}

function maySecret(text: string, hint: string): ArtifactsError {
  return new ArtifactsError(
    'ERR_USAGE',
    `The address "${shownAddress(text)}" comes with a user, a password, "?" or "#", and a store keeps no secrets.`,
    { hint },
  )
}

function noAddress(text: string): ArtifactsError {
  return new ArtifactsError('ERR_USAGE', `"${shownAddress(text)}" is no address of a remote.`, {
    hint: 'Write `s3://BUCKET/PREFIX`, `https://HOST/PATH`, `file:///PATH`, or the path of a folder or a bundle; with `./` before it where it has a colon.',
  })
}
