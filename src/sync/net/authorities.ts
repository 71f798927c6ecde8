/**
 * The certificates to trust beside those that Node comes with: the file that `ARTIFACTS_CA_BUNDLE` names, else `AWS_CA_BUNDLE`, else
 * `SSL_CERT_FILE`; and in any case the one of `NODE_EXTRA_CA_CERTS`, which Node itself forgets where others are given.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { ArtifactsError, isFailedCall } from '../../errors.ts'
import type { Variables } from './network.ts'

const NAMES = ['ARTIFACTS_CA_BUNDLE', 'AWS_CA_BUNDLE', 'SSL_CERT_FILE']

/** Undefined: those that Node trusts. @throws ArtifactsError ERR_CONFIG for a file that can't be read or holds none. */
export function authorities(env: Variables): string[] | undefined {
  const name = NAMES.find((each) => env[each])
  if (name === undefined) return undefined
  const extra = env['NODE_EXTRA_CA_CERTS']
  const files = [certificatesIn(env[name] ?? '', name)]
  if (extra) files.push(certificatesIn(extra, 'NODE_EXTRA_CA_CERTS'))
  return [...rootCertificates, ...files]
}

function certificatesIn(path: string, name: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (!isFailedCall(error)) throw error
    throw unusable(path, name, `can't be read (${error.code})`, error)
  }
  const [first] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text) ?? []
  try {
    // Whatever else a file holds, TLS would pass over it without a word.
    if (first !== undefined && new X509Certificate(first)) return text
  } catch (error) {
    throw unusable(path, name, 'holds what is no certificate', error)
  }
  throw unusable(path, name, 'holds no certificate')
}

function unusable(path: string, name: string, why: string, cause?: unknown): ArtifactsError {
  return new ArtifactsError('ERR_CONFIG', `The file "${path}", which ${name} names, ${why}.`, {
    hint: `Name a file of certificates in PEM: \`export ${name}=FILE\`, or \`unset ${name}\`.`,
    ...(cause === undefined ? {} : { cause }),
  })
}
