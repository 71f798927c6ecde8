/**
 * Whether an operation that a client has planned may be the next one: it holds nothing that is not a push's business, fits the
 * state by the rules of the log, names packs that are here and are what it says, and every version it adds is whole.
 */
import { statSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import type { VersionRow } from '../../store/index/state.ts'
import { brokenRule } from '../../store/index/try-fold.ts'
import { packPath } from '../../store/layout.ts'
import type { ChangeKind, VersionAdd } from '../../store/log/change.ts'
import type { JoiningPack, Operation } from '../../store/log/operation.ts'
import { currentVersion } from '../../store/log/plan.ts'
import type { PackTable } from '../../store/object/pack.ts'
import { readTable } from '../../store/object/pack-reader.ts'
import type { OpenedStore } from '../../store/opened.ts'
import type { ObjectId, VersionObject } from '../../types.ts'
import { VersionCheck } from './check-version.ts'
import { type PackChecker, rememberHash } from './pack-checker.ts'
import { Refusal } from './refusal.ts'

/** What stands in a remote's log as a push's change (docs/remote.md section 4). */
const PUSHED: ReadonlySet<ChangeKind> = new Set<ChangeKind>([
  'artifact.create',
  'artifact.edit',
  'artifact.rename',
  'artifact.join',
  'version.add',
  'version.edit',
  'version.delete',
  'version.restore',
  'alias.set',
  'alias.remove',
  'link.add',
  'link.remove',
  'run.start',
  'run.update',
  'run.finish',
  'run.uses',
  'run.logs',
])
/** An operation far ahead of the clock would keep gc from dropping anything until then. */
const FAR_AHEAD_MS = 24 * 60 * 60 * 1000
/** How long other requests wait for a check. */
const TURN_MS = 15

export interface OperationCheck {
  readonly store: OpenedStore
  readonly checker: PackChecker
  /** SHA-256 of packs that were looked over. */
  readonly hashes: Map<ObjectId, string>
}

/**
 * Checks operation n on the state after n − 1.
 * @returns `moved` where the log has gone on meanwhile
 * @throws Refusal
 */
export async function checkOperation(
  check: OperationCheck,
  operation: Operation,
  hash: string,
): Promise<'fits' | 'moved'> {
  const { store } = check
  const { index } = store
  checkChanges(operation)
  if (Date.parse(operation.at) > Date.now() + FAR_AHEAD_MS) {
    throw new Refusal(
      400,
      `The operation is of "${operation.at}": the clock that says so is ahead.`,
    )
  }
  const broken = brokenRule(index, operation, hash)
  if (broken === 'moved') return 'moved'
  if (broken !== undefined) throw new Refusal(400, `The operation breaks a rule: ${broken.rule}.`)
  const joining = operation.packs.map(({ id }) => id)
  await checkPacks(check, operation.packs)
  const { rebuilds } = index
  index.objects.admit(joining)
  try {
    await checkVersions(store, operation, joining)
  } catch (error) {
    if (!(error instanceof ArtifactsError) || error.code !== 'ERR_DAMAGED') throw error
    // What was taken up of the packs went with the index.
    if (index.rebuilds > rebuilds) throw new Refusal(503, 'The index was built anew meanwhile.')
    throw new Refusal(400, error.message)
  } finally {
    index.objects.dismiss(joining)
  }
  return 'fits'
}

function checkChanges({ changes }: Operation): void {
  for (const change of changes) {
    const { kind } = change
    if (!PUSHED.has(kind)) {
      throw new Refusal(403, `A change "${kind}" is made where the store is, not by a push.`)
    }
    if (kind !== 'version.add') continue
    if (change.partial === true) {
      throw new Refusal(403, `The version "${change.version}" is pushed without its bytes.`)
    }
    if (change.closure === undefined) {
      throw new Refusal(400, `The version "${change.version}" does not say in which packs it lies.`)
    }
  }
}

async function checkPacks(
  { store, checker, hashes }: OperationCheck,
  packs: readonly JoiningPack[],
): Promise<void> {
  const { layout, index, io } = store
  if (new Set(packs.map(({ id }) => id)).size < packs.length) {
    throw new Refusal(400, 'The operation names a pack twice.')
  }
  for (const pack of packs) {
    const { id } = pack
    if (index.state.isDropped(id)) throw new Refusal(400, `The pack "${id}" was dropped.`)
    try {
      const table = await checkPack(packPath(layout, id), pack, checker, hashes)
      index.stagePacks([{ pack, table }])
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error
      throw new Refusal(400, `The pack "${id}" is not here.`)
    }
  }
  if (packs.length > 0) io.fsyncDirectory(layout.packs)
}

async function checkPack(
  path: string,
  { id, bytes, toc: [offset, length], sha256 }: JoiningPack,
  checker: PackChecker,
  hashes: Map<ObjectId, string>,
): Promise<PackTable> {
  if (sha256 === undefined) throw new Refusal(400, `The pack "${id}" is named without a sha256.`)
  if (!hashes.has(id)) {
    const found = await checker.check(path, id)
    if ('fault' in found) throw new Refusal(400, `The pack "${id}" is refused: ${found.fault}.`)
    rememberHash(hashes, id, found.sha256)
  }
  const table = readTable(path)
  const isSo =
    hashes.get(id) === sha256 &&
    statSync(path).size === bytes &&
    table.offset === offset &&
    table.bytes.length === length
  if (isSo) return table
  throw new Refusal(400, `The pack "${id}" is not what the operation says of it.`)
}

async function checkVersions(
  store: OpenedStore,
  operation: Operation,
  joining: readonly ObjectId[],
): Promise<void> {
  const { index } = store
  const held = new Map<ObjectId, boolean>(joining.map((id) => [id, true]))
  const check = new VersionCheck(store, (pack) => {
    let is = held.get(pack)
    if (is === undefined) {
      is = index.state.hasPack(pack)
      held.set(pack, is)
    }
    return is
  })
  /** Those of this operation that were found whole, by artifact. */
  const whole = new Map<string, VersionObject>()
  // Where a pack is lost, that a version has something says nothing.
  const isComplete = index.objects.areComplete()
  let since = Date.now()
  for (const change of operation.changes) {
    if (change.kind !== 'version.add') continue
    const { artifact, version: id, object, closure } = change
    const base = whole.get(artifact) ?? (isComplete ? baseOf(store, change) : undefined)
    for (const _ of check.run({ id, object, closure }, base)) {
      if (Date.now() - since < TURN_MS) continue
      await turn()
      since = Date.now()
    }
    whole.set(artifact, object)
  }
}

/** A live version that the new one is likely to be like. */
function baseOf(
  { index }: OpenedStore,
  { artifact, object }: VersionAdd,
): VersionObject | undefined {
  const { state } = index
  for (const id of object.parents) {
    const parent = state.versionById(id)
    if (parent !== undefined && isWhole(parent)) return parent.object
  }
  const current = currentVersion(state, artifact)
  return current !== undefined && isWhole(current) ? current.object : undefined
}

function isWhole({ deleted, partial }: VersionRow): boolean {
  return deleted === undefined && partial !== true
}
