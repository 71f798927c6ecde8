/** A state with changes on top that are planned for the next operation: later ones are planned on earlier ones. */
import type { ArtifactId, Json, ObjectId } from '../../types.ts'
import type { StateView, VersionRow } from '../index/state.ts'
import type { Change } from './change.ts'
import { effectsOf, type Life, type Slot, slotKey, sortedTags } from './effects.ts'

export class Pending {
  readonly state: StateView
  readonly changes: Change[] = []
  readonly #values = new Map<string, { readonly slot: Slot; readonly value: Json }>()

  constructor(state: StateView) {
    this.state = state
  }

  add(change: Change): void {
    this.changes.push(change)
    for (const { slot, after } of effectsOf(change)) {
      this.#values.set(slotKey(slot), { slot, value: after })
    }
  }

  /** What is in a slot after the changes planned so far; undefined where there is no such artifact or version. */
  read(slot: Slot): Json | undefined {
    const planned = this.#values.get(slotKey(slot))
    return planned === undefined ? stored(this.state, slot) : planned.value
  }

  alias(artifact: ArtifactId, alias: string): ObjectId | null {
    return this.read({ kind: 'alias', artifact, alias }) as ObjectId | null
  }

  life(artifact: ArtifactId, version: ObjectId): Life | undefined {
    return this.read({ kind: 'life', artifact, version }) as Life | undefined
  }

  /** Those of an artifact or a portfolio that name the version. */
  aliasesOf(artifact: ArtifactId, version: ObjectId): string[] {
    const names = new Set(this.state.aliasesOf(version, artifact))
    for (const { slot } of this.#values.values()) {
      if (slot.kind === 'alias' && slot.artifact === artifact) names.add(slot.alias)
    }
    return [...names].filter((alias) => this.alias(artifact, alias) === version)
  }

  /** The portfolios in which a version stands. */
  portfoliosOf(version: ObjectId): ArtifactId[] {
    const portfolios = new Set(this.state.linksOf(version).map(({ portfolio }) => portfolio))
    for (const { slot } of this.#values.values()) {
      if (slot.kind === 'link' && slot.version === version) portfolios.add(slot.portfolio)
    }
    return [...portfolios].filter(
      (portfolio) => this.read({ kind: 'link', portfolio, version }) !== null,
    )
  }
}

function stored(state: StateView, slot: Slot): Json | undefined {
  switch (slot.kind) {
    case 'alias':
      return state.alias(slot.artifact, slot.alias) ?? null
    case 'life':
      return lifeOf(state.versionById(slot.version))
    case 'artifact': {
      const row = state.artifactById(slot.artifact)
      return row && (row[slot.field] ?? null)
    }
    case 'version': {
      const row = state.versionById(slot.version)
      if (slot.field === 'tags') return row && sortedTags(state.tagsOf(row.id))
      return row && (row[slot.field] ?? null)
    }
    case 'name':
      return state.artifactByName(slot.project, slot.name)?.id ?? null
    case 'link':
      return state.linkOf(slot.portfolio, slot.version)?.number ?? null
    case 'run': {
      const row = state.run(slot.run)
      if (slot.field === 'tags') return row && sortedTags(row.tags)
      return row && (row[slot.field] ?? null)
    }
  }
}

function lifeOf(row: VersionRow | undefined): Life | undefined {
  if (row === undefined) return undefined
  if (row.purged !== undefined) return 'purged'
  return row.deleted === undefined ? 'live' : 'deleted'
}
