/**
 * The remotes of a store: names for addresses, in its settings. Where a command names none, the primary is meant: the one
 * that numbers versions (docs/remote.md section 7).
 */
import { ArtifactsError } from '../errors.ts'
import type { Opened } from '../store/open.ts'
import { looksLikeAddress, remoteAddress } from '../store/remote-address.ts'
import type { Backend } from './backend.ts'
import { authorizationFor, tokenVariable } from './net/credentials.ts'
import { type OpenBackendOptions, openBackend } from './open-backend.ts'

export interface Remote {
  /** Its name in the settings; of an address that is in none, the address. */
  readonly name: string
  /** In its one form, without anything secret. */
  readonly url: string
  readonly isPrimary: boolean
  /** Its owner promises that one machine writes at a time. */
  readonly isSingleWriter: boolean
  /** False for an address that was named instead of a remote. */
  readonly isConfigured: boolean
}

/** The remotes in the settings, in the order in which they were added. */
export function remotesOf({ settings }: Pick<Opened, 'settings'>): readonly Remote[] {
  const primary = settings.get('primary')
  return settings.remotes().map((name) => ({
    name,
    url: settings.get(`remote.${name}.url`),
    isPrimary: name === primary,
    isSingleWriter: settings.get(`remote.${name}.single-writer`) === 'true',
    isConfigured: true,
  }))
}

/**
 * The remote that is meant: by its name, by an address, by the path of a folder or a bundle, or the primary.
 * @param from the absolute folder that relative paths start in; default: the current one
 * @throws ArtifactsError ERR_NOT_FOUND where there is none, ERR_USAGE for an address that is none
 */
export function remoteNamed(
  opened: Pick<Opened, 'settings'>,
  name?: string,
  { from = process.cwd() }: { readonly from?: string | undefined } = {},
): Remote {
  const remotes = remotesOf(opened)
  if (name === undefined) return primaryOf(remotes)
  const found = remotes.find((remote) => remote.name === name)
  if (found !== undefined) return found
  if (looksLikeAddress(name)) return unnamed(remoteAddress(name, from))
  throw new ArtifactsError('ERR_NOT_FOUND', `There is no remote "${name}".`, {
    hint:
      remotes.length === 0
        ? `Add it: \`artifacts remote add ${name} URL\`; a path begins with \`./\` or \`/\`.`
        : `There ${remotes.length === 1 ? 'is' : 'are'} ${remotes.map((each) => each.name).join(', ')}; a path begins with \`./\` or \`/\`.`,
  })
}

/** A place that no store has a name for, as for `clone`. */
export function unnamed(url: string): Remote {
  return { name: url, url, isPrimary: false, isSingleWriter: false, isConfigured: false }
}

export type OpenRemoteOptions = Omit<OpenBackendOptions, 'io' | 'authorization' | 'isSingleWriter'>

/**
 * Opens a remote, with the credentials that are meant for it.
 * @throws ArtifactsError ERR_USAGE, ERR_CONFIG, ERR_DAMAGED for a bundle that is not whole
 */
export async function openRemote(
  opened: Pick<Opened, 'settings' | 'io'>,
  remote: Remote,
  options: OpenRemoteOptions,
): Promise<Backend> {
  const { url, isSingleWriter } = remote
  return openBackend(url, {
    ...options,
    io: opened.io,
    isSingleWriter,
    authorization: authorizationOf(remote, remotesOf(opened), options.env),
  })
}

/** As `openRemote`, where there is no store yet. */
export function openAddress(
  url: string,
  options: OpenRemoteOptions & Pick<OpenBackendOptions, 'io'>,
): Promise<Backend> {
  const authorization = authorizationOf(unnamed(url), [], options.env)
  return openBackend(url, { ...options, authorization })
}

/** Whether somebody on the way can read the token or password that a remote is asked with. */
export function isExposed(
  opened: Pick<Opened, 'settings'>,
  remote: Remote,
  { env }: Pick<OpenRemoteOptions, 'env'>,
): boolean {
  if (!remote.url.startsWith('http:') || isLoopback(new URL(remote.url).hostname)) return false
  return authorizationOf(remote, remotesOf(opened), env) !== undefined
}

function authorizationOf(
  { url, name, isConfigured }: Remote,
  remotes: readonly Remote[],
  env: OpenRemoteOptions['env'],
): string | undefined {
  if (!isWeb(url)) return undefined
  const at = new URL(url)
  const meant = tokenOrigin(remotes)
  const sharing = remotes.filter((each) => tokenVariable(each.name) === tokenVariable(name))
  return authorizationFor(at, {
    env,
    // Names that are too alike are refused when they are added, but settings can be written by hand.
    remote: isConfigured && sharing.length === 1 ? name : undefined,
    takesToken: meant === undefined || meant === at.origin,
  })
}

/**
 * The one origin that `ARTIFACTS_TOKEN` is for: that of the primary, else of the only server among the remotes. Empty where
 * there are several; undefined where there is none: then it is for the server that is named.
 */
function tokenOrigin(remotes: readonly Remote[]): string | undefined {
  const servers = remotes.filter(({ url }) => isWeb(url))
  const primary = servers.find(({ isPrimary }) => isPrimary)
  if (primary !== undefined) return new URL(primary.url).origin
  const origins = new Set(servers.map(({ url }) => new URL(url).origin))
  return origins.size > 1 ? '' : [...origins][0]
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}

function isWeb(url: string): boolean {
  return /^https?:\/\//.test(url)
}

function primaryOf(remotes: readonly Remote[]): Remote {
  const primary = remotes.find(({ isPrimary }) => isPrimary)
  if (primary !== undefined) return primary
  const [first] = remotes
  throw first === undefined
    ? new ArtifactsError('ERR_NOT_FOUND', 'The store has no remote.', {
        hint: 'Add one: `artifacts remote add origin URL`.',
      })
    : new ArtifactsError('ERR_NOT_FOUND', 'None of the remotes is the primary.', {
        hint: `Name one with \`--remote ${first.name}\`, or make it the primary: \`artifacts config set primary ${first.name}\`.`,
      })
}
