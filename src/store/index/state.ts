/** The state of the store as the log tells it: artifacts, versions, labels, links, runs, drafts. What plans are made on. */
import type { ArtifactId, Metadata, ObjectId, VersionObject } from '../../types.ts'
import type { Ttl } from '../log/change.ts'
import type { RunProgram } from '../log/run-change.ts'
import type { Closure } from '../log/sync-change.ts'
import type { Connection } from './connection.ts'

export interface ArtifactRow {
  readonly id: ArtifactId
  readonly project: string
  readonly name: string
  readonly type: string
  readonly description?: string
  /** Its versions are links to versions of other artifacts. */
  readonly portfolio?: true
}

export interface VersionRow {
  readonly id: ObjectId
  readonly artifact: ArtifactId
  readonly number: number
  readonly object: VersionObject
  readonly description?: string
  readonly metadata?: Metadata
  /** Absent: what the store says. */
  readonly ttl?: Ttl
  /** The operation that added it. */
  readonly operation: number
  /** The newest operation that changed a label or an own alias of it, or whether it is live. */
  readonly updated: number
  /** The operation that deleted it; absent: it is live. */
  readonly deleted?: number
  /** The operation that gave up its bytes; it stays deleted. */
  readonly purged?: number
  /** Its bytes need not be here: it came without them, or without some. */
  readonly partial?: true
  /** How many tags it has. */
  readonly tags: number
}

/** A version, and what needs it. */
export interface UsedVersion {
  readonly version: VersionRow
  readonly tags: readonly string[]
  /** The runs that use it. */
  readonly runs: readonly string[]
  /** Those that it is linked into. */
  readonly portfolios: readonly ArtifactId[]
  /** Live versions of other artifacts that were derived from it. */
  readonly children: readonly ObjectId[]
}

export interface AliasRow {
  readonly alias: string
  readonly version: ObjectId
}

/** A version of a portfolio. */
export interface LinkRow {
  readonly portfolio: ArtifactId
  readonly number: number
  readonly version: ObjectId
  /** The operation that made it. */
  readonly operation: number
  /** The operation that took it away; absent: it is there. */
  readonly removed?: number
}

/** A number that a version, or a link of a portfolio, had until an operation gave it another. */
export interface RenumberRow {
  readonly artifact: ArtifactId
  readonly number: number
  readonly operation: number
  readonly version: ObjectId
}

export interface RunRow extends RunProgram {
  readonly id: string
  readonly project: string
  readonly name?: string
  readonly job?: string
  readonly group?: string
  readonly notes?: string
  readonly tags: readonly string[]
  readonly config?: Metadata
  readonly user: string
  readonly host: string
  readonly startedAt: string
  readonly endedAt?: string
  /** As the log tells it: whether it still runs, its process may know. */
  readonly state: 'running' | 'finished' | 'failed'
  readonly exitCode?: number
  /** The operation that started it. */
  readonly operation: number
}

export interface RunFilter {
  readonly project?: string
  readonly name?: string
  readonly job?: string
  readonly group?: string
  readonly state?: RunRow['state']
}

/** A version that several processes build together. */
export interface DraftRow {
  readonly id: string
  readonly project: string
  readonly name: string
  readonly type?: string
  readonly key: string
  readonly base?: ObjectId
  /** The operation that began it. */
  readonly operation: number
  readonly parts: number
  readonly state: 'open' | 'finished' | 'aborted'
  /** What it became. */
  readonly version?: ObjectId
}

export interface DraftPartRow {
  readonly draft: string
  readonly part: number
  readonly root: ObjectId
  readonly files: number
  readonly bytes: number
  readonly writer: string
  readonly run?: string
  readonly overwrite: boolean
  readonly removed: readonly string[]
  readonly operation: number
}

/** What a run used (`input`) or logged (`output`). */
export interface EdgeRow extends EdgeKey {
  /** What a version that the store does not have is called elsewhere. */
  readonly name?: string
  /** The run logged content that was there. */
  readonly deduplicated: boolean
  readonly operation: number
}

export interface EdgeKey {
  readonly run: string
  readonly direction: 'input' | 'output'
  readonly slot: string
  readonly version: ObjectId
}

export interface OperationRow {
  readonly n: number
  readonly hash: string
  readonly at: string
  readonly user: string
  readonly host: string
  readonly tool: string
  /** Holds nothing that can be undone. */
  readonly final: boolean
  /** The operation that it undoes. */
  readonly undoes?: number
  /** The operation by which it is undone now. */
  readonly undone?: number
}

/** One move of an alias; null: it named none. */
export interface AliasMoveRow {
  readonly artifact: ArtifactId
  readonly alias: string
  readonly old: ObjectId | null
  readonly version: ObjectId | null
  readonly operation: number
}

export interface StateView {
  artifactByName(project: string, name: string): ArtifactRow | undefined
  artifactById(id: ArtifactId): ArtifactRow | undefined
  /** The artifact that bears this id here or, by an `artifact.join`, in other stores. */
  artifactByJoinedId(id: ArtifactId): ArtifactRow | undefined
  /** The ids that it bears in other stores. */
  joinedIds(artifact: ArtifactId): ArtifactId[]
  /** By project and name; of one project, or of all. Those without live versions are among them. */
  artifacts(project?: string): ArtifactRow[]
  /** All live versions, by number. */
  versions(artifact: ArtifactId): VersionRow[]
  /** Live and deleted ones, by number. */
  everyVersion(artifact: ArtifactId): VersionRow[]
  /** As `everyVersion`, with what needs them. */
  usedVersions(artifact: ArtifactId): UsedVersion[]
  /** Live or deleted. */
  versionByNumber(artifact: ArtifactId, number: number): VersionRow | undefined
  /** Live or deleted. */
  versionById(id: ObjectId): VersionRow | undefined
  /** At most `limit` versions whose id begins with the hex digits, live ones first, then by id; of one artifact, or of all. */
  versionsByPrefix(prefix: string, limit: number, artifact?: ArtifactId): VersionRow[]
  /** The live version with this digest that has the highest number. */
  versionByRoot(artifact: ArtifactId, root: ObjectId): VersionRow | undefined
  /** The live version `back` live versions below the given number. */
  versionBefore(artifact: ArtifactId, number: number, back: number): VersionRow | undefined
  highestLive(artifact: ArtifactId): VersionRow | undefined
  lowestLive(artifact: ArtifactId): VersionRow | undefined
  countLive(artifact: ArtifactId): number
  /** Live versions, the newest first: of one artifact by number, of all by the operation that added them. */
  newestVersions(limit: number, artifact?: ArtifactId): VersionRow[]
  /** The number the next version gets: one above all that were ever given. */
  nextNumber(artifact: ArtifactId): number
  /** False for a version that is whole, or not here at all. */
  isPartial(version: ObjectId): boolean
  /** Not purged, live or deleted; by artifact and number. */
  partialVersions(): VersionRow[]
  /** In which packs its objects lay when it was pushed into this store. */
  closureOf(version: ObjectId): Closure | undefined
  /** The chunks that list packs of closures, of versions that are not purged. */
  closureLists(): ObjectId[]
  /** What had this number of an artifact or a portfolio until it got another, the newest first. */
  renumbered(artifact: ArtifactId, number: number): RenumberRow[]
  /** The version that an alias names. */
  alias(artifact: ArtifactId, alias: string): ObjectId | undefined
  aliases(artifact: ArtifactId): AliasRow[]
  /** Those of its artifact, or of a portfolio that it is linked into. */
  aliasesOf(version: ObjectId, portfolio?: ArtifactId): string[]
  tagsOf(version: ObjectId): string[]
  /** Moves of an alias, the oldest first; in one artifact, or in all. */
  aliasMoves(alias: string, artifact?: ArtifactId): AliasMoveRow[]
  /** By number. */
  links(portfolio: ArtifactId): LinkRow[]
  /** Those that were removed too, by number. */
  everyLink(portfolio: ArtifactId): LinkRow[]
  /** The portfolios that a version stands in. */
  linksOf(version: ObjectId): LinkRow[]
  linkOf(portfolio: ArtifactId, version: ObjectId): LinkRow | undefined
  /** The version that has, or had until its link was removed, this number of a portfolio. */
  linkedAt(portfolio: ArtifactId, number: number): ObjectId | undefined
  run(id: string): RunRow | undefined
  /** The newest first. */
  runs(filter: RunFilter, limit: number): RunRow[]
  /** Those that used or logged a version of the artifact. */
  runsOfArtifact(artifact: ArtifactId): RunRow[]
  /** At most `limit` runs whose id begins so. */
  runsByPrefix(prefix: string, limit: number): RunRow[]
  hasEdge(edge: EdgeKey): boolean
  /** What a run used and logged, in its order. */
  edgesOfRun(run: string, direction?: EdgeRow['direction']): EdgeRow[]
  /** By which runs a version was used and logged, in that order. */
  edgesOfVersion(version: ObjectId, direction?: EdgeRow['direction']): EdgeRow[]
  /** The versions that were derived from one, whatever became of them. */
  childrenOf(version: ObjectId): ObjectId[]
  /** Whether a run has used the version. */
  isUsed(version: ObjectId): boolean
  draft(id: string): DraftRow | undefined
  openDraft(project: string, name: string, key: string): DraftRow | undefined
  /** Open ones, the oldest first. */
  openDrafts(): DraftRow[]
  /** In their order. */
  draftParts(draft: string): DraftPartRow[]
  operation(n: number): OperationRow | undefined
  /** At most `limit` operations with numbers below `before`, the newest first. */
  operationsBefore(before: number, limit: number): OperationRow[]
  /** The newest operation that is not after this time (ISO 8601, UTC); 0: all are. */
  operationAt(time: string): number
  /** The newest operation of this user on this host that is not an undo, not undone, and can be. */
  newestUndoable(user: string, host: string): OperationRow | undefined
  /** True for a pack that an operation has named and that could be read. */
  hasPack(id: ObjectId): boolean
  /** True for a pack that an operation has named and none has dropped. */
  isNamed(id: ObjectId): boolean
  /** True for a pack that an operation has dropped: it never comes back. */
  isDropped(id: ObjectId): boolean
  /** The packs that operations after `n` dropped. */
  droppedSince(n: number): ObjectId[]
}

/** What can run a query: a connection, or the index around it, which mends itself when a query meets damage. */
export interface Source {
  read<T>(query: (connection: Connection) => T): T
}
