/** Receives versions, and creates the operation that a pull would. */
import { type Attempt, untilItHolds } from '../../../src/store/commit/kept-packs.ts'
import { commitOperation } from '../../../src/store/index/commit-point.ts'
import type { StateView } from '../../../src/store/index/state.ts'
import type { Change } from '../../../src/store/log/change.ts'
import type { Opened } from '../../../src/store/open.ts'
import type { Backend } from '../../../src/sync/backend.ts'
import type { WantedVersion } from '../../../src/sync/transfer/missing-there.ts'
import { type Received, type ReceiveOptions, receive } from '../../../src/sync/transfer/receive.ts'
import type { ArtifactId } from '../../../src/types.ts'
import type { TestRemote } from './remote.ts'

export interface JoinOptions extends Partial<ReceiveOptions> {
  readonly backend?: Backend
  /** Run when everything was received and nothing is named yet. */
  readonly before?: () => Promise<void>
}

const ARTIFACT = 'a'.repeat(32) as ArtifactId

/** Receives versions as those of one artifact. */
export function join(
  store: Opened,
  remote: TestRemote,
  versions: readonly WantedVersion[],
  options: JoinOptions = {},
): Promise<Received> {
  return untilItHolds(store, options.signal, (on) => attempt(store, remote, versions, options, on))
}

async function attempt(
  store: Opened,
  remote: TestRemote,
  versions: readonly WantedVersion[],
  { backend = remote.backend, before, ...options }: JoinOptions,
  on: Attempt,
): Promise<Received | undefined> {
  using received = await receive(store, { backend, mirror: remote }, versions, {
    content: 'all',
    jobs: 0,
    ...on,
    ...options,
  })
  await before?.()
  const { outcome } = await commitOperation(store, {
    packs: received.packs,
    plan: (state) =>
      received.holds(state)
        ? { changes: changes(state, versions, received), outcome: 'done' }
        : { changes: [], outcome: 'stale' },
  })
  return outcome === 'stale' ? undefined : received
}

function changes(
  state: StateView,
  versions: readonly WantedVersion[],
  { whole }: Received,
): Change[] {
  const all: Change[] = []
  const isNew = state.artifactById(ARTIFACT) === undefined
  if (isNew) {
    const { project, name, type } = { project: 'default', name: 'received', type: 'dataset' }
    all.push({ kind: 'artifact.create', artifact: ARTIFACT, project, name, type })
  }
  let number = isNew ? 1 : state.nextNumber(ARTIFACT)
  for (const { id, object } of versions) {
    const known = state.versionById(id)
    if (known === undefined) {
      const partial = whole.has(id) ? {} : { partial: true as const }
      const change = { artifact: ARTIFACT, version: id, object, number: number++, ...partial }
      all.push({ kind: 'version.add', ...change })
    } else if (known.partial === true) {
      const isWhole = whole.has(id) ? { whole: true as const } : {}
      all.push({ kind: 'version.fetch', artifact: known.artifact, version: id, ...isWhole })
    }
  }
  return all
}
