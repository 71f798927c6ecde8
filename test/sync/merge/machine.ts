/** A store that lies in memory: what people do to it, as the commands plan it, and merges with others. */
import type { ArtifactRow, RunRow, StateView, VersionRow } from '../../../src/store/index/state.ts'
import type { Change } from '../../../src/store/log/change.ts'
import type { Plan } from '../../../src/store/log/plan.ts'
import { artifactState } from '../../../src/sync/merge/artifact-state.ts'
import {
  type HistoriesInput,
  type MergedHistories,
  mergeHistories,
  type Selection,
} from '../../../src/sync/merge/histories.ts'
import type { ArtifactState } from '../../../src/sync/merge/state.ts'
import type { ArtifactId, VersionObject } from '../../../src/types.ts'
import { type MemoryState, memoryState } from '../../store/index/memory-state.ts'
import { sampleArtifact, sampleObject } from '../../store/log/samples.ts'

/** What two stores had when they last met, by the ids of the remote. */
export type Bases = Map<ArtifactId, ArtifactState>

export class Machine {
  readonly name: string
  readonly memory: MemoryState = memoryState()
  readonly #bases = new Map<Machine, Bases>()
  /** What runs were when both last met. */
  readonly #runs = new Map<Machine, Map<string, RunRow>>()

  constructor(name: string) {
    this.name = name
  }

  get state(): StateView {
    return this.memory.state
  }

  apply(changes: readonly Change[]): void {
    if (changes.length > 0) this.memory.apply(...changes)
  }

  plan<T>(plan: Plan<T>): T {
    this.apply(plan.changes)
    return plan.outcome
  }

  /** Commits a version unlike all others, and returns it. */
  commit(name: string, object: VersionObject = someObject(), type?: string): VersionRow {
    // Artifacts of one name have another id in each store that made one.
    const newArtifact = sampleArtifact(`${this.name} ${name} ${object.root}`)
    const intent = { newArtifact, ...(type === undefined ? {} : { type }) }
    const { outcome } = this.memory.commit(name, object, intent)
    const row = outcome.kind === 'taken' ? undefined : this.state.versionById(outcome.version)
    if (row === undefined) throw new Error(`"${name}" got no version`)
    return row
  }

  artifact(name: string): ArtifactRow {
    const row = this.state.artifactByName('default', name)
    if (row === undefined) throw new Error(`"${this.name}" has no "${name}"`)
    return row
  }

  /** `bike:v3 best`, of everything live. */
  numbers(): string[] {
    return this.state
      .artifacts()
      .flatMap(({ id, name, portfolio }) =>
        portfolio === true
          ? this.state
              .links(id)
              .map(({ number, version }) => `${name}:v${number} ${version.slice(0, 6)}`)
          : this.state
              .versions(id)
              .map(({ number, id: version }) => `${name}:v${number} ${version.slice(0, 6)}`),
      )
  }

  pull(remote: Machine, options: SyncOptions = {}): MergedHistories {
    const { selection = everything(remote.state), areTheyPrimary = true } = options
    const bases = this.basesOf(remote)
    const merged = mergeHistories({
      direction: 'pull',
      ours: this.state,
      theirs: remote.state,
      base: (id) => bases.get(id),
      baseOfRun: (run) => this.#runs.get(remote)?.get(run),
      selection,
      wins: 'theirs',
      areTheyPrimary,
      runs: 'all',
      withPatch: true,
      ...options.other,
    })
    if (options.torn !== undefined) {
      this.apply(merged.changes.slice(0, options.torn % (merged.changes.length + 1)))
      return merged
    }
    this.apply(merged.changes)
    if (options.other?.runs !== 'of-versions') this.#noteRuns(remote)
    for (const [id, which] of selection) {
      if (which === 'all' && !merged.unmerged.has(id)) this.#note(remote, id)
    }
    return merged
  }

  /** Without a pull before. */
  push(remote: Machine, options: SyncOptions = {}): MergedHistories {
    const { selection = everything(this.state) } = options
    const bases = this.basesOf(remote)
    const merged = mergeHistories({
      direction: 'push',
      ours: remote.state,
      theirs: this.state,
      base: (id) => bases.get(id),
      baseOfRun: (run) => this.#runs.get(remote)?.get(run),
      selection,
      wins: 'ours',
      areTheyPrimary: false,
      runs: 'all',
      withPatch: false,
      ...options.other,
    })
    const most = options.torn ?? merged.changes.length
    remote.apply(merged.changes.slice(0, most % (merged.changes.length + 1)))
    return merged
  }

  /** Pulls what is pushed, and pushes: then both have the same. */
  sync(
    remote: Machine,
    options: SyncOptions = {},
  ): { pulled: MergedHistories; pushed: MergedHistories } {
    const pulled = this.pull(remote, options)
    const pushed = this.push(remote, options)
    if (options.other?.runs !== 'of-versions') this.#noteRuns(remote)
    for (const { id } of remote.state.artifacts()) {
      if (!pushed.unmerged.has(id) && !pulled.unmerged.has(id)) this.#note(remote, id)
    }
    return { pulled, pushed }
  }

  basesOf(remote: Machine): Bases {
    const bases = this.#bases.get(remote) ?? new Map<ArtifactId, ArtifactState>()
    this.#bases.set(remote, bases)
    return bases
  }

  #noteRuns(remote: Machine): void {
    const runs = remote.state.runs({}, Number.MAX_SAFE_INTEGER)
    this.#runs.set(remote, new Map(runs.map((run) => [run.id, run])))
  }

  #note(remote: Machine, id: ArtifactId): void {
    const state = artifactState(remote.state, id)
    if (state !== undefined) this.basesOf(remote).set(id, state)
  }
}

export interface SyncOptions {
  /** Only so many of the changes get into an operation; then it breaks off, and nothing is noted. */
  readonly torn?: number
  readonly selection?: Selection
  readonly areTheyPrimary?: boolean
  readonly other?: Partial<HistoriesInput>
}

export function everything(state: StateView): Selection {
  return new Map(state.artifacts().map(({ id }) => [id, 'all']))
}

let count = 0

/** A version object unlike all others. `minute` orders them by creation. */
export function someObject(
  minute: number = count,
  more: Partial<VersionObject> = {},
): VersionObject {
  count++
  return { ...sampleObject(`machine ${count}`, minute * 60_000), ...more }
}
