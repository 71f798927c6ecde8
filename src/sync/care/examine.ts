/**
 * Is everything at a remote that its log names, and does that hold every version? What a pack should be the log says, where
 * objects lie the tables say, and what a version needs its closure says; of versions that are here the trees are walked. With
 * `data` every pack is fetched once, and every object in it compared with its id.
 */
import { join } from 'node:path'
import { ArtifactsError } from '../../errors.ts'
import type { StepReport } from '../../store/fsck/examine.ts'
import type { Problem } from '../../store/fsck/problems.ts'
import type { VersionRow } from '../../store/index/state.ts'
import { temporaryName } from '../../store/layout.ts'
import { checkPack } from '../../store/object/pack-check.ts'
import type { Opened } from '../../store/open.ts'
import type { ObjectId, OperationOptions } from '../../types.ts'
import type { Backend, RequestOptions } from '../backend.ts'
import { readNews } from '../log/remote-log.ts'
import type { Mirror } from '../mirror/mirror.ts'
import type { RemotePack } from '../mirror/tables.ts'
import { packName } from '../put-pack.ts'
import { readClosureList } from '../transfer/index-pack.ts'
import { planSend } from '../transfer/plan-send.ts'

export interface ExamineRemoteOptions extends OperationOptions {
  /** Whether all bytes are read. */
  readonly data: boolean
  /** What a version is called. */
  readonly refOf: (version: VersionRow) => string
}

export interface RemoteExamination {
  readonly steps: readonly StepReport[]
  readonly problems: readonly Problem[]
}

/** @throws ArtifactsError ERR_REMOTE_* where the remote can't be examined at all */
export async function examineRemote(
  opened: Opened,
  backend: Backend,
  mirror: Mirror,
  options: ExamineRemoteOptions,
): Promise<RemoteExamination> {
  const problems: Problem[] = []
  const steps: StepReport[] = []
  const step = async (
    name: StepReport['name'],
    run: () => Promise<StepReport['counts']>,
  ): Promise<void> => {
    const start = performance.now()
    const counts = await run()
    steps.push({ name, ms: Math.round(performance.now() - start), counts })
  }
  await mirror.readNews(backend, options)
  const closures = new Map<VersionRow, readonly ObjectId[]>()
  const bad = new Map<ObjectId, string>()
  await step('log', () => checkLog(backend, mirror, problems, options))
  await step('packs', () => checkPacks(opened, backend, mirror, bad, options))
  await step('versions', async () => {
    const versions = mirror.state
      .artifacts()
      .flatMap(({ id }) => mirror.state.everyVersion(id))
      .filter(({ purged }) => purged === undefined)
    for (const version of versions) {
      closures.set(version, await packsOf(backend, mirror, version, problems, options))
    }
    const unheld = await checkTrees(opened, mirror, versions, problems, options)
    return { versions: versions.length, notWalked: unheld }
  })
  for (const [pack, message] of bad) {
    const users = [...closures].flatMap(([version, packs]) =>
      packs.includes(pack) ? [options.refOf(version)] : [],
    )
    const affected = { count: users.length, first: users.slice(0, MOST_NAMED) }
    problems.push({ step: 'packs', file: packName(pack), message, affected })
  }
  return { steps, problems }
}

const MOST_NAMED = 10
const NOTHING = { count: 0, first: [] } as const

/** Reads the log from its beginning, once more: what was noted must be what is there. */
async function checkLog(
  backend: Backend,
  mirror: Mirror,
  problems: Problem[],
  options: RequestOptions,
): Promise<StepReport['counts']> {
  const { n, hash } = mirror.head
  let operations = 0
  try {
    for await (const entry of readNews(backend, mirror.start, options)) {
      if (entry.n === n && entry.hash !== hash) {
        const message = `Operation ${n} is another one than was read before.`
        problems.push({ step: 'log', message, affected: NOTHING })
      }
      operations = entry.n
      if (entry.entry.kind === 'unknown') break
    }
  } catch (error) {
    const isDamage =
      error instanceof ArtifactsError &&
      (error.code === 'ERR_DAMAGED' || error.code === 'ERR_REMOTE_CHANGED')
    if (!isDamage) throw error
    problems.push({ step: 'log', message: error.message, affected: NOTHING })
    return { operations }
  }
  if (operations < n) {
    const message = `The log ends with operation ${operations}; up to ${n} was read before.`
    problems.push({ step: 'log', message, affected: NOTHING })
  }
  return { operations }
}

/** What is wrong with packs that the log names. */
async function checkPacks(
  opened: Opened,
  backend: Backend,
  mirror: Mirror,
  bad: Map<ObjectId, string>,
  { data, ...options }: ExamineRemoteOptions,
): Promise<StepReport['counts']> {
  const sizes = new Map<string, number>()
  for await (const { name, size } of backend.list('packs/', options)) sizes.set(name, size)
  const packs = mirror.packs()
  let [objects, bytesRead] = [0, 0]
  for (const pack of packs) {
    const size = sizes.get(packName(pack.id))
    if (size === undefined) bad.set(pack.id, 'is missing')
    else if (size !== pack.bytes) {
      bad.set(pack.id, `is ${size} bytes long, where the log says ${pack.bytes}`)
    } else if (data) {
      options.signal?.throwIfAborted()
      const found = await readWhole(opened, backend, pack, options)
      if (found.problem !== undefined) bad.set(pack.id, found.problem)
      objects += found.records
      bytesRead += size
      options.onProgress?.({ phase: 'verify', files: 0, bytes: bytesRead })
    }
  }
  await mirror.loadTables(backend, options)
  return { packs: packs.length, objects, bytesRead }
}

/** Fetches a pack and looks it over, record by record. */
async function readWhole(
  { io, layout }: Opened,
  backend: Backend,
  pack: RemotePack,
  options: RequestOptions,
): Promise<{ readonly problem?: string; readonly records: number }> {
  const path = join(layout.tmp, temporaryName())
  const fd = io.open(path, 'wx')
  try {
    try {
      const { bytes } = await backend.get(packName(pack.id), options)
      for await (const piece of bytes) io.writeAll(fd, piece)
    } finally {
      io.close(fd)
    }
    const found = checkPack(path, { bytes: pack.bytes, id: pack.id, data: true, sha256: true })
    const [first] = found.bad
    if (found.problem !== undefined) return { problem: found.problem, records: found.records }
    if (first !== undefined) {
      return {
        problem: `has ${found.bad.length} records that can't be read: ${first.reason}`,
        records: found.records,
      }
    }
    const isOther = pack.sha256 !== undefined && found.sha256 !== pack.sha256
    const problem = isOther ? 'has another SHA-256 than the log says' : undefined
    return { ...(problem === undefined ? {} : { problem }), records: found.records }
  } finally {
    io.unlink(path)
  }
}

/** In which packs a version lies today. */
async function packsOf(
  backend: Backend,
  mirror: Mirror,
  version: VersionRow,
  problems: Problem[],
  { refOf, ...options }: ExamineRemoteOptions,
): Promise<readonly ObjectId[]> {
  const closure = mirror.state.closureOf(version.id)
  if (closure === undefined) return []
  const affected = { count: 1, first: [refOf(version)] }
  const lost = (message: string): readonly ObjectId[] => {
    problems.push({ step: 'versions', message, affected })
    return []
  }
  let packs: readonly ObjectId[] = closure.packs
  if ('list' in closure) {
    const holder = mirror.pack(closure.packs[0])
    if (holder === undefined) return lost(`Pack "${closure.packs[0]}" is not named any more.`)
    try {
      packs = await readClosureList(backend, holder, closure.list, options)
    } catch (error) {
      const isLoss =
        error instanceof ArtifactsError &&
        (error.code === 'ERR_DAMAGED' || error.code === 'ERR_NOT_FOUND')
      if (!isLoss) throw error
      return lost(error.message)
    }
  }
  return packs.flatMap((id) => mirror.successor(id) ?? [])
}

/** Looks up each object of the versions that are whole here; returns how many are not. */
async function checkTrees(
  opened: Opened,
  mirror: Mirror,
  versions: readonly VersionRow[],
  problems: Problem[],
  { refOf, signal, onProgress }: ExamineRemoteOptions,
): Promise<number> {
  const { state } = opened.index
  let notWalked = 0
  for (const version of versions) {
    if (version.deleted !== undefined) continue
    const here = state.versionById(version.id)
    if (here === undefined || here.deleted !== undefined || here.partial === true) {
      notWalked++
      continue
    }
    const { objects } = await planSend(opened, mirror, [version], { signal, onProgress })
    if (objects === 0) continue
    const message = `${objects} objects of "${refOf(version)}" are in no pack of the remote.`
    const affected = { count: objects, first: [refOf(version)] }
    problems.push({ step: 'versions', message, affected })
  }
  return notWalked
}
