/**
 * Where S3 is: the variables and files of the AWS command line, of which a profile (`AWS_PROFILE`, else `default`) stands in
 * `~/.aws/credentials` and `~/.aws/config`. Who asks: credentials.ts.
 */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import type { Network, Variables } from '../net/network.ts'
import { type CredentialsSource, credentialsSource, type Section } from './credentials.ts'
import { parseIni } from './ini.ts'

export interface S3Settings {
  /** Undefined: AWS itself. */
  readonly endpoint: URL | undefined
  readonly region: string
  readonly credentials: CredentialsSource
}

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
    credentials: await credentialsSource({
      env,
      profile,
      network,
      region,
      isAws: !endpoint,
    }),
  }
}

function endpointUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new ArtifactsError('ERR_CONFIG', `"${text}" is no endpoint of S3.`, {
    hint: 'Set it with its scheme: `export AWS_ENDPOINT_URL_S3=https://minio.lan:9000`.',
  })
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
