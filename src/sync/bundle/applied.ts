/**
 * What was applied of another store's bundles: `remotes/<its id>/bundles.json` says for each artifact up to which of its
 * operations, and `bundle-<id>.jsonl` keeps the log of a bundle, as what both sides had when they last met. When these are
 * lost, labels that differ count as changed on both sides.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { readFormat } from '../../store/format.ts'
import { type PastState, pastState } from '../../store/index/past.ts'
import { RuleError } from '../../store/index/rules.ts'
import type { RunRow, StateView } from '../../store/index/state.ts'
import { temporaryName } from '../../store/layout.ts'
import { canonicalJson } from '../../store/log/canonical.ts'
import { decodeOperation, MAX_LINE, type Operation, TAIL } from '../../store/log/operation.ts'
import { countSchema, hashSchema, nonceSchema } from '../../store/log/schemas.ts'
import type { OpenedStore } from '../../store/opened.ts'
import type { ArtifactId } from '../../types.ts'
import { readVolumeFile } from '../backends/tar-volume.ts'
import { operationName } from '../log/names.ts'
import { artifactState } from '../merge/artifact-state.ts'
import type { ArtifactState } from '../merge/state.ts'
import type { Manifest, Meeting } from './manifest.ts'
import type { BundleVolume } from './open-bundle.ts'
import { foldedState } from './state.ts'

export interface AppliedArtifact {
  /** The sender's operation up to which its bundles were applied. */
  readonly n: number
  readonly hash: string
  /** The bundle that told everything of the artifact last. */
  readonly base?: string | undefined
  /** The own operation after which that one was applied. */
  readonly at?: number | undefined
}

export type Applied = ReadonlyMap<ArtifactId, AppliedArtifact>

const schema = v.record(
  v.string(),
  v.strictObject({
    n: countSchema,
    hash: hashSchema,
    base: v.exactOptional(nonceSchema),
    at: v.exactOptional(countSchema),
  }),
)

export function readApplied(store: OpenedStore, from: string): Applied {
  const parsed = v.safeParse(schema, readJson(join(folderOf(store, from), 'bundles.json')))
  return new Map(Object.entries(parsed.success ? parsed.output : {})) as Map<
    ArtifactId,
    AppliedArtifact
  >
}

/** What was merged of other stores whole, by bundles: who made those may take it for what both sides had. */
export function meetings(store: OpenedStore, isTold: (artifact: ArtifactId) => boolean): Meeting[] {
  const { remotes } = store.layout
  const names = existsSync(remotes) ? readdirSync(remotes).sort() : []
  const stores = names.filter((name) => /^[0-9a-f]{32}$/.test(name))
  return stores.flatMap((from) =>
    [...readApplied(store, from)]
      .filter(([artifact, { base }]) => base !== undefined && isTold(artifact))
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([artifact, { n, hash }]) => ({ artifact, n, hash, store: from })),
  )
}

/**
 * What both sides had of an artifact, by its id there: what the sender says that it has merged of this store, where that is
 * newer, else what its last bundle told. Reads a log at most once.
 */
export class AppliedBases implements Disposable {
  readonly #store: OpenedStore
  readonly #from: string
  readonly #applied: Applied
  readonly #met: ReadonlyMap<ArtifactId, Meeting>
  readonly #states = new Map<string, PastState | undefined>()

  /** @param own id of the store that applies the bundle */
  constructor(store: OpenedStore, own: string, { from, met }: Manifest, applied: Applied) {
    this.#store = store
    this.#from = from.store
    this.#applied = applied
    const mine = met.filter((meeting) => meeting.store === own)
    this.#met = new Map(mine.map((meeting) => [meeting.artifact, meeting]))
  }

  base(artifact: ArtifactId): ArtifactState | undefined {
    const own = this.#store.index.state.artifactByJoinedId(artifact)
    const met = own && this.#met.get(own.id)
    if (own !== undefined && met !== undefined && this.#isNewer(met, artifact)) {
      return artifactState(this.#pastOf(met.n), own.id)
    }
    const bundle = this.#applied.get(artifact)?.base
    const state = bundle === undefined ? undefined : this.#stateOf(bundle)
    return state && artifactState(state, artifact)
  }

  /** What a run was in the newest bundle that told of it. */
  baseOfRun(run: string): RunRow | undefined {
    const newest = [...this.#applied.values()].sort((a, b) => b.n - a.n)
    for (const bundle of new Set(newest.flatMap(({ base }) => base ?? []))) {
      const row = this.#stateOf(bundle)?.run(run)
      if (row !== undefined) return row
    }
    return undefined
  }

  /** Whether what they have merged of this store was said after their last bundle was applied here. */
  #isNewer({ n, hash }: Meeting, artifact: ArtifactId): boolean {
    const { at = 0 } = this.#applied.get(artifact) ?? {}
    return n >= at && this.#store.index.state.operation(n)?.hash === hash
  }

  #pastOf(n: number): StateView {
    const key = String(n)
    const { layout } = this.#store
    const past = this.#states.get(key) ?? pastState(layout, readFormat(layout.format), n)
    this.#states.set(key, past)
    return past.state
  }

  #stateOf(bundle: string): StateView | undefined {
    if (!this.#states.has(bundle)) {
      this.#states.set(bundle, readState(join(folderOf(this.#store, this.#from), logName(bundle))))
    }
    return this.#states.get(bundle)?.state
  }

  [Symbol.dispose](): void {
    for (const state of this.#states.values()) state?.[Symbol.dispose]()
  }
}

/**
 * Notes that artifacts were applied, after the operation that did it is durable.
 * @param whole those of which the bundle told everything, and everything was taken
 */
export function noteApplied(
  store: OpenedStore,
  volume: BundleVolume,
  artifacts: readonly ArtifactId[],
  whole: ReadonlySet<ArtifactId>,
): void {
  const { from, bundle, log } = volume.manifest
  const { io, layout, index } = store
  const now = index.snapshot((_, head) => head.applied)
  const folder = folderOf(store, from.store)
  io.mkdir(folder, { recursive: true })
  const write = (name: string, bytes: Uint8Array): void => {
    const tmp = join(layout.tmp, temporaryName())
    io.writeFileAtomic(join(folder, name), bytes, { tmp, durable: true })
  }
  const applied = new Map(readApplied(store, from.store))
  for (const artifact of artifacts) {
    const { n, hash } = from
    const { base, at } = applied.get(artifact) ?? {}
    if (whole.has(artifact)) applied.set(artifact, { n, hash, base: bundle, at: now })
    else applied.set(artifact, { n, hash, ...(base && { base }), ...(at && { at }) })
  }
  if (whole.size > 0) write(logName(bundle), logBytes(volume, log.n))
  write('bundles.json', Buffer.from(`${canonicalJson(Object.fromEntries(applied))}\n`))
  const used = new Set([...applied.values()].map(({ base }) => base && logName(base)))
  for (const name of readdirSync(folder)) {
    if (/^bundle-[0-9a-f]{32}\.jsonl$/.test(name) && !used.has(name)) io.unlink(join(folder, name))
  }
}

function folderOf({ layout }: OpenedStore, from: string): string {
  return join(layout.remotes, from)
}

function logName(bundle: string): string {
  return `bundle-${bundle}.jsonl`
}

function logBytes(volume: BundleVolume, length: number): Buffer {
  const names = Array.from({ length }, (_, index) => operationName(index + 1))
  return Buffer.concat(names.map((name) => readVolumeFile(volume, name, MAX_LINE + TAIL)))
}

/** Undefined for a log that is lost or damaged. */
function readState(path: string): PastState | undefined {
  if (!existsSync(path)) return undefined
  try {
    return foldedState('0'.repeat(32), operationsIn(path))
  } catch (error) {
    const isDamage = error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
    if (isDamage || error instanceof RuleError) return undefined
    throw error
  }
}

function* operationsIn(path: string): Generator<{ operation: Operation; hash: string }> {
  const bytes = readFileSync(path)
  let prev: string | undefined
  for (let n = 1, at = 0; at < bytes.length; n++) {
    const line = bytes.indexOf(LINE_END, at)
    const end = line < 0 ? bytes.length : line + TAIL
    const entry = decodeOperation(bytes.subarray(at, end), { n, prev, path })
    if (entry.kind !== 'operation') return
    yield { operation: entry.operation, hash: entry.hash }
    prev = entry.hash
    at = end
  }
}

const LINE_END = 0x0a

/** What can't be read was never noted. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
}
