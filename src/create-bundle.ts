/** Bundles as a person asks for them: refs become what is selected, and what the receiver has becomes what is left out. */
import { resolve } from 'node:path'
import { ArtifactsError } from './errors.ts'
import { parseRef, parseSize } from './names.ts'
import { selecting } from './selection.ts'
import { type Session, versionOf } from './session.ts'
import { resolveVersion } from './store/index/resolve.ts'
import type { StateView } from './store/index/state.ts'
import { createBundle as create, type Since } from './sync/bundle/create.ts'
import { readReceipt } from './sync/bundle/receipt.ts'
import { readSigningKey } from './sync/bundle/signature.ts'
import type { WrittenVolume } from './sync/bundle/write-bundle.ts'
import type { Selection } from './sync/merge/histories.ts'
import type { ObjectId, OperationOptions } from './types.ts'
import { refOfId } from './wording.ts'

export interface CreateBundleOptions extends OperationOptions {
  /**
   * What the receiver has: all versions that were live after an operation, a version, or what its receipt (a file) says. It is
   * left out, and the bundle can be applied only where it is. Without refs, `ref` means the newer versions of its artifact.
   */
  readonly since?:
    | { readonly operation: number }
    | { readonly ref: string }
    | { readonly receipt: string }
    | undefined
  /** Bytes that a volume may have, or a text such as `4GB`; without, there is one volume. */
  readonly maxSize?: number | string | undefined
  /** A PEM file with the private ed25519 key to sign with. */
  readonly sign?: string | undefined
  /** Patches of runs' sources go along. */
  readonly withPatch?: boolean | undefined
}

export interface BundleReport {
  /** The bundle's id; absent: there was nothing that the receiver does not have, and nothing was written. */
  readonly bundle?: string
  /** In order; several have a number in their names. */
  readonly volumes: readonly WrittenVolume[]
  /** What it brings, as it is called here. */
  readonly versions: readonly string[]
  /** What the receiver must have, as it is called here. */
  readonly prerequisites: readonly string[]
  readonly objects: number
  readonly packs: number
  /** Of all volumes. */
  readonly bytes: number
  readonly signed: boolean
}

export async function createBundle(
  session: Session,
  path: string,
  refs: readonly string[],
  options: CreateBundleOptions = {},
): Promise<BundleReport> {
  const { since, maxSize, sign, withPatch = false, signal, onProgress } = options
  const { opened } = session
  const key = sign === undefined ? undefined : readSigningKey(sign)
  const created = await create(opened, {
    path: resolve(path),
    select: selecting(refs, session.defaults) ?? newerThan(session, since),
    since: sinceOf(session, since),
    maxSize: typeof maxSize === 'string' ? parseSize(maxSize) : maxSize,
    key,
    withPatch,
    signal,
    onProgress,
  })
  const signed = key !== undefined
  if (created === undefined) return { ...NOTHING, signed }
  const { bundle, volumes, objects, packs } = created
  const named = (ids: readonly ObjectId[]): string[] => ids.map((id) => refOfId(session, id))
  return {
    bundle,
    volumes,
    versions: named(created.versions),
    prerequisites: named(created.prerequisites),
    objects,
    packs,
    bytes: volumes.reduce((sum, { bytes }) => sum + bytes, 0),
    signed,
  }
}

const NOTHING = { volumes: [], versions: [], prerequisites: [], objects: 0, packs: 0, bytes: 0 }

function sinceOf(session: Session, since: CreateBundleOptions['since']): Since {
  if (since === undefined) return { kind: 'nothing' }
  if ('receipt' in since) {
    return { kind: 'versions', ids: new Set(readReceipt(since.receipt).complete) }
  }
  if ('ref' in since) {
    return { kind: 'versions', ids: new Set([versionOf(session, since.ref).version.id]) }
  }
  const { operation: n } = since
  if (n === 0 || session.state.operation(n) !== undefined) return { kind: 'operation', n }
  const [newest] = session.state.operationsBefore(Number.MAX_SAFE_INTEGER, 1)
  throw new ArtifactsError('ERR_NOT_FOUND', `There is no operation "${n}".`, {
    hint: `The newest is ${newest?.n ?? 0}: run \`artifacts op log\` to see them.`,
  })
}

/** Without refs, a version that the receiver has selects the newer ones of its artifact. */
function newerThan(
  { defaults }: Session,
  since: CreateBundleOptions['since'],
): ((state: StateView) => Selection) | undefined {
  if (since === undefined || !('ref' in since)) return undefined
  return (state) => {
    const { artifact, version } = resolveVersion(state, parseRef(since.ref), defaults)
    const newer = state.versions(artifact.id).filter(({ number }) => number > version.number)
    const ids = newer.length === 0 ? [] : [version.id, ...newer.map(({ id }) => id)]
    return new Map(ids.length === 0 ? [] : [[artifact.id, new Set(ids)]])
  }
}
