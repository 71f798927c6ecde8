/**
 * By what a server behind HTTP knows who asks. In this order: `ARTIFACTS_TOKEN_<REMOTE>` for the remote of that name;
 * `ARTIFACTS_TOKEN` for the one remote it is meant for; the user's file of tokens; netrc. What is found goes to one origin, and
 * neither into a store nor into a message.
 */
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { loginFor } from './netrc.ts'
import type { Variables } from './network.ts'

export interface Asked {
  readonly env: Variables
  /** The name of the remote in the store's settings. */
  readonly remote?: string | undefined
  /** Whether `ARTIFACTS_TOKEN` is meant for it. */
  readonly takesToken: boolean
}

/**
 * The `Authorization` header for a server; undefined: nobody in particular asks.
 * @throws ArtifactsError ERR_CONFIG for a file with secrets that others may read, or a token that no header holds
 */
export function authorizationFor(url: URL, { env, remote, takesToken }: Asked): string | undefined {
  const own = remote === undefined ? undefined : env[tokenVariable(remote)]
  const token = own || (takesToken ? env['ARTIFACTS_TOKEN'] : undefined)
  if (token) return bearer(token, own ? tokenVariable(remote ?? '') : 'ARTIFACTS_TOKEN')
  const file = credentialsFile(env)
  const listed = tokenIn(readIfThere(file), url)
  if (listed !== undefined) {
    refuseOpen(file)
    return bearer(listed, file)
  }
  const netrc = env['NETRC'] || join(homeOf(env), '.netrc')
  const login = loginFor(readIfThere(netrc), url.hostname)
  if (login === undefined) return undefined
  refuseOpen(netrc)
  const pair = Buffer.from(`${login.user}:${login.password}`).toString('base64')
  return login.user === '' ? bearer(login.password, netrc) : `Basic ${pair}`
}

/** `ARTIFACTS_TOKEN_TEAM_EU` for the remote `team.eu`. */
export function tokenVariable(remote: string): string {
  return `ARTIFACTS_TOKEN_${remote.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
}

/** The user's file of tokens: lines of an address and a token. */
export function credentialsFile(env: Variables): string {
  const config = env['XDG_CONFIG_HOME'] || join(homeOf(env), '.config')
  return env['ARTIFACTS_CREDENTIALS'] || join(config, 'artifacts', 'credentials')
}

/** Of all lines whose address the URL lies at or below, the one with the longest address. */
function tokenIn(text: string, url: URL): string | undefined {
  let best = ''
  let found: string | undefined
  for (const line of text.split(/\r?\n/)) {
    const [address = '', token] = line.trim().split(/\s+/)
    if (token === undefined || address.startsWith('#') || !URL.canParse(address)) continue
    const { origin, pathname } = new URL(address)
    const folder = pathname.endsWith('/') ? pathname : `${pathname}/`
    const isFor = origin === url.origin && `${url.pathname}/`.startsWith(folder)
    if (!isFor || (found !== undefined && folder.length <= best.length)) continue
    best = folder
    found = token
  }
  return found
}

function bearer(token: string, from: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`
  throw new ArtifactsError(
    'ERR_CONFIG',
    `The token in "${from}" has characters that no token has.`,
    {
      hint: 'Copy it again, without spaces and line ends.',
    },
  )
}

/** As ssh does with keys. */
function refuseOpen(path: string): void {
  const { mode } = statSync(path)
  if ((mode & 0o077) === 0 || process.platform === 'win32') return
  throw new ArtifactsError(
    'ERR_CONFIG',
    `Others may read the file "${path}", which holds secrets.`,
    {
      hint: `Take that right from them: \`chmod 600 '${path}'\``,
    },
  )
}

function homeOf(env: Variables): string {
  return env['HOME'] || homedir()
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return ''
    throw error
  }
}
