/**
 * Signatures of bundles: ed25519 (RFC 8032) of the manifest's bytes, by `node:crypto`. Keys are PEM files, as
 * `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write them.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ArtifactsError } from '../../errors.ts'

export const SIGNATURE_BYTES = 64

/** Reads the key to sign with. @throws ArtifactsError ERR_INVALID_VALUE, or the system's error. */
export function readSigningKey(path: string): KeyObject {
  const hint = 'Make one with `openssl genpkey -algorithm ed25519 -out key.pem`.'
  const pem = readKeyFile(path)
  if (pem.includes('ENCRYPTED')) {
    throw new ArtifactsError('ERR_INVALID_VALUE', `The key "${path}" is encrypted.`, {
      hint: 'Decrypt it for as long as it is needed: `openssl pkey -in key.pem -out plain.pem`.',
    })
  }
  const key = attempt(() => createPrivateKey(pem))
  if (key?.asymmetricKeyType === 'ed25519') return key
  throw new ArtifactsError('ERR_INVALID_VALUE', `"${path}" holds no private ed25519 key.`, { hint })
}

/** Reads the public keys in a file, at least one. @throws ArtifactsError ERR_INVALID_VALUE, or the system's error. */
export function readSigners(path: string): readonly KeyObject[] {
  const blocks = readKeyFile(path).match(PUBLIC_KEY) ?? []
  const keys = blocks.flatMap((pem) => attempt(() => createPublicKey(pem)) ?? [])
  const isRight = keys.every(({ asymmetricKeyType }) => asymmetricKeyType === 'ed25519')
  if (keys.length > 0 && keys.length === blocks.length && isRight) return keys
  throw new ArtifactsError('ERR_INVALID_VALUE', `"${path}" holds no public ed25519 key.`, {
    hint: 'Take it out of the private one where that is: `openssl pkey -in key.pem -pubout -out signer.pem`.',
  })
}

export function signManifest(manifest: Uint8Array, key: KeyObject): Buffer {
  return sign(null, manifest, key)
}

/** Whether one of the keys signed these bytes. */
export function isSignedBy(
  manifest: Uint8Array,
  signature: Uint8Array,
  signers: readonly KeyObject[],
): boolean {
  return signers.some((key) => verify(null, manifest, key, signature))
}

const LONGEST_KEY_FILE = 1 << 20
const PUBLIC_KEY = /-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g

function readKeyFile(path: string): string {
  const bytes = readFileSync(path)
  return bytes.length > LONGEST_KEY_FILE ? '' : bytes.toString('latin1')
}

function attempt(read: () => KeyObject): KeyObject | undefined {
  try {
    return read()
  } catch (error) {
    // OpenSSL has a code of its own for each way in which a key can be wrong.
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
