/** The facts of a version, as of the moment when they were asked for. */
import { linkRefOf, refOf, type Session } from './session.ts'
import type { Resolved } from './store/index/resolve.ts'
import type { ArtifactRow } from './store/index/state.ts'
import type { Metadata, ObjectId } from './types.ts'
import { expiry } from './versions.ts'

/** How long a version is kept. */
export type VersionTtl =
  /** As long as the store says, or for ever. */
  | { readonly kind: 'inherit' | 'never' }
  | { readonly kind: 'after'; readonly seconds: number; readonly expiresAt: Date }

interface Facts {
  readonly resolved: Resolved
  readonly entity: string
  readonly ref: string
  readonly sourceRef: string
  readonly aliases: readonly string[]
  readonly tags: readonly string[]
  readonly updatedAt: string
}

export class VersionFacts {
  #facts: Facts

  protected constructor(session: Session, resolved: Resolved) {
    this.#facts = readFacts(session, resolved)
  }

  /** Takes up how things are now. */
  protected refresh(session: Session): void {
    const { state } = session.opened.index
    const { artifact, version, link, formerly } = this.#facts.resolved
    const portfolio = link && (state.artifactById(link.portfolio.id) ?? link.portfolio)
    const resolved = {
      artifact: state.artifactById(artifact.id) ?? artifact,
      version: state.versionById(version.id) ?? version,
      ...(link === undefined || portfolio === undefined ? {} : { link: { ...link, portfolio } }),
      ...(formerly === undefined ? {} : { formerly }),
    }
    this.#facts = readFacts(session, resolved)
  }

  /** Names its content and where that came from, everywhere and for ever: 64 hex digits. */
  get id(): ObjectId {
    return this.#facts.resolved.version.id
  }

  /** The same as `id`. */
  get commitHash(): ObjectId {
    return this.id
  }

  /** The id of its content alone: equal content, equal digest. */
  get digest(): ObjectId {
    return this.#facts.resolved.version.object.root
  }

  get entity(): string {
    return this.#facts.entity
  }

  get project(): string {
    return this.#named.project
  }

  /** The artifact's name, or that of the portfolio where the version was asked for there; `ref` has the version with it. */
  get name(): string {
    return this.#named.name
  }

  /** Whether it was asked for in a portfolio. */
  get isLink(): boolean {
    return this.#facts.resolved.link !== undefined
  }

  /** `bike:v3`; with `project/` where that is not the default one. */
  get ref(): string {
    return this.#facts.ref
  }

  /** `entity/project/bike:v3`. */
  get qualifiedName(): string {
    return `${this.entity}/${this.project}/${this.name}:${this.version}`
  }

  get type(): string {
    return this.#facts.resolved.artifact.type
  }

  /** `v3`; in a portfolio, as that numbers it. */
  get version(): `v${number}` {
    const { link, version } = this.#facts.resolved
    return `v${(link ?? version).number}`
  }

  get sourceName(): string {
    return this.#facts.resolved.artifact.name
  }

  get sourceProject(): string {
    return this.#facts.resolved.artifact.project
  }

  /** Its number in its own artifact, whether it was asked for there or in a portfolio. */
  get sourceVersion(): `v${number}` {
    return `v${this.#facts.resolved.version.number}`
  }

  /** As `ref`, in its own artifact. */
  get sourceRef(): string {
    return this.#facts.sourceRef
  }

  /** Bytes of all entries, references among them. */
  get size(): number {
    return this.#facts.resolved.version.object.bytes
  }

  /** Entries other than directories. */
  get fileCount(): number {
    return this.#facts.resolved.version.object.files
  }

  get state(): 'committed' | 'deleted' {
    return this.#facts.resolved.version.deleted === undefined ? 'committed' : 'deleted'
  }

  get createdAt(): Date {
    return new Date(this.#facts.resolved.version.object.createdAt)
  }

  /** When a label or an alias of it was last changed, or it was deleted or brought back. */
  get updatedAt(): Date {
    return new Date(this.#facts.updatedAt)
  }

  get aliases(): readonly string[] {
    return this.#facts.aliases
  }

  get tags(): readonly string[] {
    return this.#facts.tags
  }

  get description(): string | undefined {
    return this.#facts.resolved.version.description
  }

  get metadata(): Metadata {
    return this.#facts.resolved.version.metadata ?? {}
  }

  get ttl(): VersionTtl {
    const { ttl, object } = this.#facts.resolved.version
    if (ttl === undefined) return { kind: 'inherit' }
    if (ttl === 'never') return { kind: 'never' }
    return { kind: 'after', seconds: ttl, expiresAt: new Date(expiry(object.createdAt, ttl)) }
  }

  /** The portfolio where it was asked for there. */
  protected get portfolio(): ArtifactRow | undefined {
    return this.#facts.resolved.link?.portfolio
  }

  get #named(): ArtifactRow {
    return this.portfolio ?? this.#facts.resolved.artifact
  }

  /**
   * The version that its ref meant until a pull renumbered that one, for 30 days; `ref`: what it is called since, unless
   * its link was removed.
   */
  get formerly():
    | { readonly id: ObjectId; readonly ref: string | undefined; readonly until: Date }
    | undefined {
    const { formerly } = this.#facts.resolved
    if (formerly === undefined) return undefined
    const { version, number, until } = formerly
    const ref =
      number === undefined ? undefined : this.#facts.ref.replace(/v\d+$/, () => `v${number}`)
    return { id: version.id, ref, until: new Date(until) }
  }

  /** Whether bytes of it are still with the remote that it came from: `artifacts fetch` brings them. */
  get isPartial(): boolean {
    return this.#facts.resolved.version.partial === true
  }

  /** Ids of the versions that it was derived from. */
  get parents(): readonly ObjectId[] {
    return this.#facts.resolved.version.object.parents
  }
}

function readFacts(session: Session, resolved: Resolved): Facts {
  const { state } = session
  const { version, link } = resolved
  return {
    resolved,
    entity: session.defaults.entity,
    ref: linkRefOf(session, resolved),
    sourceRef: refOf(session, resolved),
    aliases: state.aliasesOf(version.id, link?.portfolio.id),
    tags: state.tagsOf(version.id),
    updatedAt: state.operation(version.updated)?.at ?? version.object.createdAt,
  }
}
