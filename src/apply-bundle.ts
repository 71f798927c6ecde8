/** Applying bundles as a person asks for it: keys and receipts are files, and what came becomes a report. */
import { resolve } from 'node:path'
import { ArtifactsError } from './errors.ts'
import { historySentences } from './history-sentences.ts'
import type { Session } from './session.ts'
import { temporaryName } from './store/layout.ts'
import { applyBundle as apply } from './sync/bundle/apply.ts'
import { encodeReceipt } from './sync/bundle/receipt.ts'
import { readSigners } from './sync/bundle/signature.ts'
import { listWaiting, type WaitingBundle } from './sync/bundle/waiting.ts'
import type { ObjectId, OperationOptions } from './types.ts'
import { refOfId } from './wording.ts'

export type { WaitingBundle }

export interface ApplyBundleOptions extends OperationOptions {
  /** Says what would come, and changes nothing. */
  readonly dryRun?: boolean
  /** Where the receipt is written: what this store has whole after that. */
  readonly receipt?: string | undefined
  /** A PEM file with the public keys of those who may have signed it. */
  readonly signer?: string | undefined
  /** An unsigned bundle is refused; needs a signer, given or set as `bundle.signer`. */
  readonly requireSignature?: boolean | undefined
}

export interface BundleApplied {
  /** The bundle's id. */
  readonly bundle: string
  /** The store it was made from, and its operation then. */
  readonly from: { readonly store: string; readonly n: number }
  readonly dryRun: boolean
  /** What came, as it is called here; with `dryRun`, what would come, as it is called there. */
  readonly versions: readonly string[]
  /** Versions that wait for volumes, as they are called there. */
  readonly waiting: readonly string[]
  /** Numbers of the volumes that did not come yet. */
  readonly missing: readonly number[]
  readonly packs: number
  readonly objects: number
  readonly bytes: number
  readonly signed: boolean
  /** Absent where there was nothing to change. */
  readonly operation?: number
  readonly remarks: readonly string[]
  /** Where the receipt is. */
  readonly receipt?: string
}

export async function applyBundle(
  session: Session,
  paths: readonly string[],
  options: ApplyBundleOptions = {},
): Promise<BundleApplied> {
  const { opened } = session
  const { dryRun = false, signal, onProgress } = options
  const [first, ...others] = paths.map((path) => resolve(path))
  if (first === undefined) throw new TypeError('a bundle has at least one file')
  const { versions, remarks, ...result } = await apply(opened, {
    paths: [first, ...others],
    signers: signersOf(session, options),
    dryRun,
    signal,
    onProgress,
  })
  const { manifest, waiting, missing, packs, objects, bytes, signed, operation, names } = result
  const there = (id: ObjectId): string => names.get(id) ?? `@${id.slice(0, 12)}`
  const { store, n } = manifest.from
  const receipt = options.receipt === undefined ? undefined : resolve(options.receipt)
  if (receipt !== undefined && !dryRun) writeReceipt(session, receipt)
  return {
    bundle: manifest.bundle,
    from: { store, n },
    dryRun,
    versions: versions.map(({ id }) => (dryRun ? there(id) : refOfId(session, id))),
    waiting: waiting.map(there),
    missing,
    packs,
    objects,
    bytes,
    signed,
    ...(operation === undefined ? {} : { operation }),
    remarks: historySentences(session, remarks, { name: `store ${store.slice(0, 12)}` }),
    ...(receipt === undefined || dryRun ? {} : { receipt }),
  }
}

/** Sets of volumes of which some have come, and the rest has not. */
export function waitingBundles({ opened }: Session): readonly WaitingBundle[] {
  return listWaiting(opened)
}

function signersOf(
  { opened }: Session,
  { signer, requireSignature = false }: ApplyBundleOptions,
): ReturnType<typeof readSigners> | undefined {
  const path = signer ?? (opened.settings.get('bundle.signer') || undefined)
  if (path !== undefined) return readSigners(resolve(opened.workspace, path))
  if (!requireSignature) return undefined
  throw new ArtifactsError('ERR_USAGE', 'A signature is asked for, and nobody who may sign.', {
    hint: 'Name the key with `--signer FILE`, or `artifacts config set bundle.signer FILE`.',
  })
}

function writeReceipt({ opened }: Session, path: string): void {
  const { index, io, id } = opened
  const bytes = index.snapshot((state, { applied: n, hash }) => {
    const complete = state
      .artifacts()
      .flatMap((artifact) => state.versions(artifact.id))
      .flatMap((version) => (version.partial === true ? [] : [version.id]))
    return encodeReceipt({ store: id, n, hash, complete })
  })
  io.writeFileAtomic(path, bytes, { tmp: `${path}.${temporaryName()}`, durable: true })
}
