/**
 * Who asks a bucket: as the AWS command line finds it out. In this order: variables; a role that a web identity may take (EKS);
 * the profile, with keys or a `credential_process`, which is how SSO and other roles come in; the endpoint of a container
 * (ECS, EKS); for AWS itself the metadata service of the machine (EC2); else nobody, and requests are not signed.
 *
 * What ends is asked for again before it does: a long transfer outlives it.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { refusal } from '../net/failures.ts'
import { Network, type Request, readText, type Variables } from '../net/network.ts'
import { text } from './xml.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  /** Milliseconds since 1970; absent: they do not end. */
  readonly expiresAt?: number
}

/** One section of the files of the AWS command line. */
export type Section = ReadonlyMap<string, string>

export interface Whereabouts {
  readonly env: Variables
  readonly profile: Section
  readonly network: Network
  readonly region: string
  /** Whether AWS itself is asked, and no other server. */
  readonly isAws: boolean
}

/** Those that are good for some minutes; undefined: requests are not signed. */
export type CredentialsSource = (now: number) => Promise<Credentials | undefined>

const MARGIN = 5 * 60_000
const LARGEST = 65_536
const METADATA = 'http://169.254.169.254'

/** @throws ArtifactsError ERR_CONFIG for a file or variable that does not fit, and what asking can throw */
export async function credentialsSource(where: Whereabouts): Promise<CredentialsSource> {
  let held = await find(where)
  let asking: Promise<Credentials | undefined> | undefined
  return async (now) => {
    if (held?.expiresAt === undefined || held.expiresAt - now > MARGIN) return held
    asking ??= find(where).finally(() => {
      asking = undefined
    })
    held = (await asking) ?? held
    return held
  }
}

async function find(where: Whereabouts): Promise<Credentials | undefined> {
  const { env, profile } = where
  return (
    credentialsOf({
      accessKeyId: env['AWS_ACCESS_KEY_ID'],
      secretAccessKey: env['AWS_SECRET_ACCESS_KEY'],
      sessionToken: env['AWS_SESSION_TOKEN'],
    }) ??
    (await fromWebIdentity(where)) ??
    (await fromProfile(profile, env)) ??
    (await fromContainer(where)) ??
    (await fromMachine(where))
  )
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
async function fromWebIdentity(where: Whereabouts): Promise<Credentials | undefined> {
  const { env, network, region } = where
  const file = env['AWS_WEB_IDENTITY_TOKEN_FILE']
  const role = env['AWS_ROLE_ARN']
  if (!file || !role) return undefined
  const endpoint = env['AWS_ENDPOINT_URL_STS']
  const url = urlOf(endpoint || `https://sts.${region}.amazonaws.com/`, 'AWS_ENDPOINT_URL_STS')
  if (endpoint) network.trust(url)
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: env['AWS_ROLE_SESSION_NAME'] || 'artifacts',
    WebIdentityToken: tokenIn(file, 'AWS_WEB_IDENTITY_TOKEN_FILE'),
  }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await network.request(url, {
    method: 'POST',
    headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    body: Buffer.from(body),
    follow: false,
  })
  const xml = await readText(answer, LARGEST)
  if (answer.status !== 200) throw refusal(url, answer.status, text(xml, 'Code'))
  const found = credentialsOf({
    accessKeyId: text(xml, 'AccessKeyId'),
    secretAccessKey: text(xml, 'SecretAccessKey'),
    sessionToken: text(xml, 'SessionToken'),
    expiration: text(xml, 'Expiration'),
  })
  return found ?? withoutKeys()
}

async function fromProfile(profile: Section, env: Variables): Promise<Credentials | undefined> {
  const fixed = credentialsOf({
    accessKeyId: profile.get('aws_access_key_id'),
    secretAccessKey: profile.get('aws_secret_access_key'),
    sessionToken: profile.get('aws_session_token'),
  })
  if (fixed !== undefined) return fixed
  const command = profile.get('credential_process')
  if (command !== undefined) return fromProcess(command, env)
  const other = ['sso_session', 'sso_start_url', 'role_arn'].find((key) => profile.has(key))
  if (other === undefined) return undefined
  const name = env['AWS_PROFILE'] || 'default'
  throw new ArtifactsError(
    'ERR_CONFIG',
    `The AWS profile "${name}" has "${other}", which is not understood here.`,
    {
      hint: `Let the AWS command line do it: \`eval "$(aws configure export-credentials --profile ${name} --format env)"\`.`,
    },
  )
}

/** What a program prints: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html */
async function fromProcess(command: string, env: Variables): Promise<Credentials> {
  try {
    const run = promisify(execFile)
    const { stdout } = await run('/bin/sh', ['-c', command], { env: { ...env }, timeout: 60_000 })
    return credentialsIn(stdout, 'SessionToken')
  } catch (error) {
    // What the program printed is not told: it may be keys.
    const why = isSystemError(error, 'ENOENT') ? 'there is no /bin/sh' : 'it fails'
    throw new ArtifactsError(
      'ERR_CONFIG',
      `The "credential_process" of the AWS profile gives no keys: ${why}.`,
      { hint: 'Run it by hand to see why.' },
    )
  }
}

/** The endpoint that ECS and EKS give to a container. */
async function fromContainer({ env, network }: Whereabouts): Promise<Credentials | undefined> {
  const relative = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']
  const full = env['AWS_CONTAINER_CREDENTIALS_FULL_URI']
  if (!relative && !full) return undefined
  const url = urlOf(
    relative ? `http://169.254.170.2${relative}` : (full ?? ''),
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  )
  const name = 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'
  const file = env[name]
  const token = file ? tokenIn(file, name) : env['AWS_CONTAINER_AUTHORIZATION_TOKEN']
  network.trust(url)
  const headers: Record<string, string> = token ? { authorization: token } : {}
  return credentialsIn(await ask(network, url, { headers }), 'Token')
}

/**
 * The role of a machine of EC2, by version 2 of its metadata service. Elsewhere nobody answers, and soon that is known.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
async function fromMachine({ env, isAws }: Whereabouts): Promise<Credentials | undefined> {
  if (!isAws || env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return undefined
  const name = 'AWS_EC2_METADATA_SERVICE_ENDPOINT'
  const base = urlOf(env[name] || METADATA, name)
  const times = { connectTimeout: 1000, idleTimeout: 2000, attempts: 1, pause: 1 }
  using network = new Network({ ...times, trusted: [], env: {} })
  network.trust(base)
  const roles = new URL('/latest/meta-data/iam/security-credentials/', base)
  try {
    const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': '300' }
    const asked = { method: 'PUT', headers: { ...ttl, 'content-length': '0' } } as const
    const token = await ask(network, new URL('/latest/api/token', base), asked)
    const headers = { 'x-aws-ec2-metadata-token': token.trim() }
    const [role = ''] = (await ask(network, roles, { headers })).split('\n')
    if (!/^[\w+=,.@-]{1,128}$/.test(role)) return undefined
    return credentialsIn(await ask(network, new URL(role, roles), { headers }), 'Token')
  } catch (error) {
    // Another kind of machine, or one without a role.
    if (error instanceof ArtifactsError && error.code !== 'ERR_CONFIG') return undefined
    throw error
  }
}

async function ask(network: Network, url: URL, request: Request): Promise<string> {
  const answer = await network.request(url, { ...request, follow: false })
  const said = await readText(answer, LARGEST)
  if (answer.status !== 200) throw refusal(url, answer.status)
  return said
}

function credentialsIn(json: string, token: 'SessionToken' | 'Token'): Credentials {
  let value: Partial<Record<string, string>> | null
  try {
    value = JSON.parse(json)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return withoutKeys()
  }
  const found = credentialsOf({
    accessKeyId: value?.['AccessKeyId'],
    secretAccessKey: value?.['SecretAccessKey'],
    sessionToken: value?.[token],
    expiration: value?.['Expiration'],
  })
  return found ?? withoutKeys()
}

function credentialsOf(found: {
  readonly accessKeyId: string | undefined
  readonly secretAccessKey: string | undefined
  readonly sessionToken: string | undefined
  readonly expiration?: string | undefined
}): Credentials | undefined {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = found
  if (!accessKeyId || !secretAccessKey) return undefined
  const expiresAt = Date.parse(expiration ?? '')
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken ? { sessionToken } : {}),
    ...(Number.isFinite(expiresAt) ? { expiresAt } : {}),
  }
}

function tokenIn(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR')) throw error
    throw new ArtifactsError(
      'ERR_CONFIG',
      `The file "${path}", which ${name} names, can't be read.`,
      {
        hint: `Name the file of the token, or \`unset ${name}\`.`,
        cause: error,
      },
    )
  }
}

function urlOf(address: string, name: string): URL {
  if (URL.canParse(address)) return new URL(address)
  throw new ArtifactsError('ERR_CONFIG', `${name} is no URL.`, {
    hint: `Set it with its scheme, or \`unset ${name}\`.`,
  })
}

function withoutKeys(): never {
  throw new ArtifactsError('ERR_CONFIG', 'The credentials for S3 have no keys.', {
    hint: 'Look at what gives them: `aws sts get-caller-identity`.',
  })
}
