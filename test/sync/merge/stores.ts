/** Stores that hold one artifact, for merges: they fold changes by the rules of the log, and refuse what breaks them. */
import { isDeepStrictEqual } from 'node:util'
import * as assert from 'uvu/assert'
import { versionId } from '../../../src/store/log/version-object.ts'
import type { MergeChange } from '../../../src/sync/merge/input.ts'
import type { ArtifactState, VersionState } from '../../../src/sync/merge/state.ts'
import type { ArtifactId, ObjectId, VersionObject } from '../../../src/types.ts'

export const ARTIFACT = 'a'.repeat(32) as ArtifactId

export function empty(): ArtifactState {
  return {
    id: ARTIFACT,
    project: 'default',
    name: 'bike',
    type: 'dataset',
    next: 0,
    versions: new Map(),
    aliases: new Map(),
  }
}

let count = 0

/** A version object unlike all others. `minute` orders them by creation. */
export function someObject(minute = count, parents: readonly ObjectId[] = []): VersionObject {
  count++
  return {
    root: count.toString(16).padStart(64, '0') as ObjectId,
    parents,
    files: 1,
    bytes: 1,
    createdAt: new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString(),
  }
}

/** A commit: the next number, and `latest` moves. */
export function committed(state: ArtifactState, object: VersionObject): ArtifactState {
  const version = versionId(object)
  const old = state.aliases.get('latest') ?? null
  return fold(state, [
    { kind: 'version.add', artifact: ARTIFACT, number: state.next, version, object },
    { kind: 'alias.set', artifact: ARTIFACT, alias: 'latest', version, old },
  ])
}

/** Deletes a version, and moves `latest` away from it. Not one with another alias. */
export function deleted(state: ArtifactState, version: ObjectId): ArtifactState {
  const live = [...state.versions]
    .filter(([id, { isDeleted }]) => !isDeleted && id !== version)
    .sort(([, one], [, other]) => other.number - one.number)
  const changes: MergeChange[] = []
  if (state.aliases.get('latest') === version) {
    const to = live[0]?.[0]
    changes.push(
      to === undefined
        ? { kind: 'alias.remove', artifact: ARTIFACT, alias: 'latest', old: version }
        : { kind: 'alias.set', artifact: ARTIFACT, alias: 'latest', version: to, old: version },
    )
  }
  return fold(state, [...changes, { kind: 'version.delete', artifact: ARTIFACT, version }])
}

export function aliased(state: ArtifactState, alias: string, version: ObjectId): ArtifactState {
  const old = state.aliases.get(alias) ?? null
  return fold(state, [{ kind: 'alias.set', artifact: ARTIFACT, alias, version, old }])
}

/** What a version says of itself changes. */
export function labelled(
  state: ArtifactState,
  version: ObjectId,
  labels: Partial<VersionState>,
): ArtifactState {
  const found = state.versions.get(version)
  if (found === undefined) throw new Error(`no version ${version}`)
  return { ...state, versions: new Map(state.versions).set(version, { ...found, ...labels }) }
}

export function fold(state: ArtifactState, changes: readonly MergeChange[]): ArtifactState {
  return changes.reduce(foldOne, state)
}

function foldOne(state: ArtifactState, change: MergeChange): ArtifactState {
  const versions = new Map(state.versions)
  const aliases = new Map(state.aliases)
  const found = 'version' in change ? versions.get(change.version) : undefined
  const isFree = (number: number): boolean =>
    ![...versions.values()].some((version) => version.number === number)
  let { next, description, type } = state
  switch (change.kind) {
    case 'artifact.create':
      assert.is(versions.size, 0)
      break
    case 'artifact.edit':
      assert.equal(
        change.old,
        Object.fromEntries(
          Object.keys(change.set).map((key) => [key, state[key as 'type' | 'description'] ?? null]),
        ),
      )
      if (change.set.description !== undefined) description = change.set.description ?? undefined
      type = change.set.type ?? type
      break
    case 'version.add':
      assert.ok(found === undefined && isFree(change.number), `add v${change.number}`)
      versions.set(change.version, {
        number: change.number,
        object: change.object,
        isDeleted: false,
        ...(change.description === undefined ? {} : { description: change.description }),
        ...(change.metadata === undefined ? {} : { metadata: change.metadata }),
        tags: change.tags ?? [],
        users: [],
      })
      next = Math.max(next, change.number + 1)
      break
    case 'version.renumber':
      assert.ok(found?.number === change.old && isFree(change.number), `to v${change.number}`)
      if (found) versions.set(change.version, { ...found, number: change.number })
      next = Math.max(next, change.number + 1)
      break
    case 'version.edit': {
      assert.ok(found && !found.isDeleted)
      const now: Record<string, unknown> = { ...found }
      for (const [key, value] of Object.entries(change.set)) {
        const was = (change.old as Record<string, unknown>)[key]
        const held = key === 'tags' && found?.tags.length === 0 ? null : (now[key] ?? null)
        const sorted = (each: unknown): unknown => (Array.isArray(each) ? [...each].sort() : each)
        assert.ok(isDeepStrictEqual(sorted(held), sorted(was)), `old ${key}`)
        if (key === 'tags') now[key] = value ?? []
        else if (value === null) delete now[key]
        else now[key] = value
      }
      versions.set(change.version, now as unknown as VersionState)
      break
    }
    case 'version.delete':
      assert.ok(found && !found.isDeleted && ![...aliases.values()].includes(change.version))
      if (found) versions.set(change.version, { ...found, isDeleted: true })
      break
    case 'version.restore':
      assert.ok(found?.isDeleted)
      if (found) versions.set(change.version, { ...found, isDeleted: false })
      break
    case 'alias.set':
      assert.ok(found && !found.isDeleted, `alias ${change.alias} of what is not live`)
      assert.is(aliases.get(change.alias) ?? null, change.old)
      aliases.set(change.alias, change.version)
      break
    case 'alias.remove':
      assert.is(aliases.get(change.alias), change.old)
      aliases.delete(change.alias)
      break
    default:
      throw new Error(`no change of a merge: ${change.kind}`)
  }
  const { description: _, ...rest } = state
  return {
    ...rest,
    ...(description === undefined ? {} : { description }),
    type,
    next,
    versions,
    aliases,
  }
}
