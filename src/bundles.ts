/** Bundles without a store: whether one is whole, and what is in it. Loaded when they are asked for. */
import type { ListedBundle } from './sync/bundle/list.ts'
import type { VerifiedVolume } from './sync/bundle/verify.ts'
import type { ObjectId, OperationOptions } from './types.ts'

export type { ListedBundle, ListedPrerequisite, ListedVersion } from './sync/bundle/list.ts'

export interface VerifyBundleOptions extends OperationOptions {
  /** A PEM file with the public keys of those who may have signed it; then it must be signed by one of them. */
  readonly signer?: string | undefined
}

export interface BundleVerification {
  /** Every volume that was given is whole, and they belong together. */
  readonly ok: boolean
  readonly volumes: readonly VerifiedVolume[]
  /** Numbers of volumes of the set that were not given. */
  readonly missing: readonly number[]
  /** What a volume that is whole says of the set; undefined when there is none. */
  readonly bundle: string | undefined
  /** Versions that it brings. */
  readonly versions: number
  /** Versions that the receiver must have. */
  readonly prerequisites: readonly ObjectId[]
}

/**
 * Reads every byte of a bundle's volumes. What is wrong stands in the report.
 * @param paths one tar, or some or all volumes of a set
 * @throws ArtifactsError ERR_UNSUPPORTED for what a later program made, ERR_INVALID_VALUE for a signer that is no key
 */
export async function verifyBundle(
  paths: string | readonly string[],
  { signer, ...options }: VerifyBundleOptions = {},
): Promise<BundleVerification> {
  const { verifyVolumes } = await import('./sync/bundle/verify.ts')
  const { readSigners } = await import('./sync/bundle/signature.ts')
  const signers = signer === undefined ? undefined : readSigners(signer)
  const { manifest, ...report } = await verifyVolumes([paths].flat(), { ...options, signers })
  return {
    ...report,
    bundle: manifest?.bundle,
    versions: manifest?.versions.length ?? 0,
    prerequisites: manifest?.prerequisites ?? [],
  }
}

/**
 * What is in a bundle, by names; any one volume of a set tells.
 * @throws ArtifactsError ERR_DAMAGED for what is no bundle, ERR_UNSUPPORTED
 */
export async function listBundle(paths: string | readonly string[]): Promise<ListedBundle> {
  const { listBundle } = await import('./sync/bundle/list.ts')
  return listBundle(atLeastOne([paths].flat()))
}

function atLeastOne(paths: readonly string[]): readonly [string, ...string[]] {
  const [first, ...others] = paths
  if (first === undefined) throw new TypeError('a bundle has at least one file')
  return [first, ...others]
}
