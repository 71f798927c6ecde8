/**
 * Where S3 is and who asks: the variables and files of the AWS command line. In this order: variables; the profile
 * (`AWS_PROFILE`, else `default`) in `~/.aws/credentials` and `~/.aws/config`, with keys or a `credential_process`, which is
 * how SSO and roles come in; the endpoint of a container; else nobody, and requests are not signed.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { refusal } from '../net/failures.ts'
import { type Network, readText, type Variables } from '../net/network.ts'
import { parseIni } from './ini.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface S3Settings {
  /** Undefined: AWS itself. */
  readonly endpoint: URL | undefined
  readonly region: string
  /** Undefined: requests are not signed. */
  readonly credentials: Credentials | undefined
}

type Section = ReadonlyMap<string, string>

/** @throws ArtifactsError ERR_CONFIG for a file or variable that does not fit. */
export async function readS3Settings(env: Variables, network: Network): Promise<S3Settings> {
  const profile = readProfile(env)
  const endpoint =
    env['AWS_ENDPOINT_URL_S3'] ||
    env['AWS_ENDPOINT_URL'] ||
    env['AWS_S3_ENDPOINT_URL'] ||
    profile.get('endpoint_url')
  const region =
    env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || profile.get('region') || 'us-east-1'
  return {
    endpoint: endpoint ? endpointUrl(endpoint) : undefined,
    region,
    credentials:
      fromVariables(env) ??
      (await fromProfile(profile, env)) ??
      (await fromContainer(env, network)),
  }
}

function endpointUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new ArtifactsError('ERR_CONFIG', `"${text}" is no endpoint of S3.`, {
    hint: 'Set it with its scheme: `export AWS_ENDPOINT_URL_S3=https://minio.lan:9000`.',
  })
}

function fromVariables(env: Variables): Credentials | undefined {
  return credentialsOf(
    env['AWS_ACCESS_KEY_ID'],
    env['AWS_SECRET_ACCESS_KEY'],
    env['AWS_SESSION_TOKEN'],
  )
}

async function fromProfile(profile: Section, env: Variables): Promise<Credentials | undefined> {
  const command = profile.get('credential_process')
  const fixed = credentialsOf(
    profile.get('aws_access_key_id'),
    profile.get('aws_secret_access_key'),
    profile.get('aws_session_token'),
  )
  if (fixed !== undefined) return fixed
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
  } catch (cause) {
    throw new ArtifactsError('ERR_CONFIG', `The "credential_process" of the AWS profile fails.`, {
      hint: 'Run it by hand to see why.',
      cause,
    })
  }
}

/** The endpoint that ECS and EKS give to a container. */
async function fromContainer(env: Variables, network: Network): Promise<Credentials | undefined> {
  const relative = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']
  const full = env['AWS_CONTAINER_CREDENTIALS_FULL_URI']
  if (!relative && !full) return undefined
  const url = new URL(relative ? `http://169.254.170.2${relative}` : (full ?? ''))
  const file = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE']
  const token = file ? readFileSync(file, 'utf8').trim() : env['AWS_CONTAINER_AUTHORIZATION_TOKEN']
  network.trust(url)
  const headers: Record<string, string> = token ? { authorization: token } : {}
  const answer = await network.request(url, { headers, follow: false })
  const text = await readText(answer, 65_536)
  if (answer.status !== 200) throw refusal(url, answer.status)
  return credentialsIn(text, 'Token')
}

function credentialsIn(json: string, token: 'SessionToken' | 'Token'): Credentials {
  const value = JSON.parse(json) as Partial<Record<string, string>>
  const found = credentialsOf(value['AccessKeyId'], value['SecretAccessKey'], value[token])
  if (found !== undefined) return found
  throw new ArtifactsError('ERR_CONFIG', 'The credentials for S3 have no keys.')
}

function credentialsOf(
  accessKeyId: string | undefined,
  secretAccessKey: string | undefined,
  sessionToken: string | undefined,
): Credentials | undefined {
  if (!accessKeyId || !secretAccessKey) return undefined
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
}

/** Both files together; what is in `credentials` wins. */
function readProfile(env: Variables): Section {
  const name = env['AWS_PROFILE'] || 'default'
  const folder = join(env['HOME'] || homedir(), '.aws')
  const config = readIni(env['AWS_CONFIG_FILE'] || join(folder, 'config'))
  const secrets = readIni(env['AWS_SHARED_CREDENTIALS_FILE'] || join(folder, 'credentials'))
  const sections = [config.get(`profile ${name}`) ?? config.get(name), secrets.get(name)]
  if (env['AWS_PROFILE'] && sections.every((section) => section === undefined)) {
    throw new ArtifactsError('ERR_CONFIG', `There is no AWS profile "${name}" in "${folder}".`, {
      hint: 'Set AWS_PROFILE to one that is there, or unset it.',
    })
  }
  return new Map(sections.flatMap((section) => Array.from(section ?? [])))
}

function readIni(path: string): ReadonlyMap<string, Section> {
  try {
    return parseIni(readFileSync(path, 'utf8'))
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return new Map()
    throw error
  }
}
