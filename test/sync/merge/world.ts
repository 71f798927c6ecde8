/** Three stores that work without each other, a primary remote, and another one. What is done is chosen by numbers. */
import * as assert from 'uvu/assert'
import type { ArtifactRow, StateView, VersionRow } from '../../../src/store/index/state.ts'
import { planAliases } from '../../../src/store/log/plan-aliases.ts'
import { planArtifactEdit, planEdit } from '../../../src/store/log/plan-edit.ts'
import { planLink, planUnlink } from '../../../src/store/log/plan-link.ts'
import { planRemove, planRestore } from '../../../src/store/log/plan-remove.ts'
import { planRename } from '../../../src/store/log/plan-rename.ts'
import { planFinish, planRunLabels, planUse } from '../../../src/store/log/plan-run.ts'
import type { Target } from '../../../src/store/log/targets.ts'
import type { HistoryRemark } from '../../../src/sync/merge/histories.ts'
import { LATEST } from '../../../src/sync/merge/input.ts'
import type { ObjectId } from '../../../src/types.ts'
import { sampleArtifact } from '../../store/log/samples.ts'
import { Machine, someObject } from './machine.ts'

const NAMES = ['bike', 'cat', 'door'] as const
const MEETINGS = ['sync', 'pull', 'push', 'part', 'torn', 'cut']
const SHELVES = ['shelf', 'rack'] as const

export class World implements Disposable {
  readonly stores: readonly Machine[] = ['one', 'two', 'three'].map((name) => new Machine(name))
  readonly primary: Machine = new Machine('primary')
  readonly other: Machine = new Machine('other')
  readonly #committed = new Set<ObjectId>()
  /** What anybody has ever deleted. */
  readonly #deleted = new Set<ObjectId>()
  /** What the primary's numbers have meant. */
  readonly #meanings = new Map<string, ObjectId>()
  #minute = 0

  act(kind: string, who: number, pick: number, value: number): void {
    const store = this.stores[who]
    if (store === undefined) return
    const [verb = '', where] = kind.split(' ')
    const remote = where === undefined ? this.primary : this.other
    if (MEETINGS.includes(verb)) this.#meet(store, remote, verb, pick)
    else this.#work(store, verb, pick, value)
  }

  /**
   * All push, once more for what the others have brought back, and then learn what those after them have pushed. Returns what
   * was said at last.
   */
  settle(): readonly HistoryRemark[] {
    for (const store of [...this.stores, ...this.stores]) this.#meet(store, this.primary, 'sync', 0)
    return this.stores.flatMap((store) => store.pull(this.primary).remarks)
  }

  /** What people see of a store: all but what is deleted. */
  seen({ state }: Machine): unknown {
    const artifacts = state.artifacts().flatMap((row) => {
      const versions = state.versions(row.id).map((version) => seenVersion(state, version))
      const links = state.links(row.id).map(({ number, version }) => [number, version])
      if (versions.length + links.length === 0) return []
      const { project, name, type, description, portfolio } = row
      const aliases = state.aliases(row.id).map(({ alias, version }) => `${alias} ${version}`)
      return [{ project, name, type, description, portfolio, versions, links, aliases }]
    })
    const runs = state.runs({}, 1000).map((run) => {
      const { operation: _, tags, ...rest } = run
      const edges = state
        .edgesOfRun(run.id)
        .map(({ direction, slot, version }) => `${direction} ${slot} ${version}`)
      return { ...rest, tags: [...tags].sort(), edges: edges.sort() }
    })
    return { artifacts, runs: runs.sort((one, other) => (one.id < other.id ? -1 : 1)) }
  }

  checkThatNothingIsLost(): void {
    for (const id of this.#committed) {
      if (this.#deleted.has(id)) continue
      for (const { name, state } of [...this.stores, this.primary]) {
        const row = state.versionById(id)
        assert.ok(row !== undefined && row.deleted === undefined, `${id} is lost in ${name}`)
      }
    }
  }

  [Symbol.dispose](): void {
    for (const { memory } of [...this.stores, this.primary, this.other]) memory.connection.close()
  }

  #meet(store: Machine, remote: Machine, verb: string, pick: number): void {
    const areTheyPrimary = remote === this.primary
    if (verb === 'sync') store.sync(remote, { areTheyPrimary })
    else if (verb === 'pull') store.pull(remote, { areTheyPrimary })
    else if (verb === 'push') store.push(remote)
    else if (verb === 'torn') store.pull(remote, { areTheyPrimary, torn: pick })
    else if (verb === 'cut') store.push(remote, { torn: pick })
    else {
      const version = pickOf(remote.state.newestVersions(100), pick)
      if (version === undefined) return
      const selection = new Map([[version.artifact, new Set([version.id])]])
      store.pull(remote, { areTheyPrimary, selection, other: { runs: 'of-versions' } })
    }
    if (verb === 'sync' || verb === 'pull') {
      assert.equal(store.pull(remote, { areTheyPrimary }).changes, [], 'merging again')
    }
    if (remote === this.primary) this.#checkNumbers(store, verb === 'sync')
  }

  #checkNumbers(store: Machine, isSame: boolean): void {
    const { state } = this.primary
    for (const row of state.artifacts()) {
      const mine = store.state.artifactByJoinedId(row.id)
      for (const [number, version] of numbersOf(state, row)) {
        const key = `${row.id}:v${number}`
        assert.is(this.#meanings.get(key) ?? version, version, 'a number means another version')
        this.#meanings.set(key, version)
        if (!isSame) continue
        // The store that has pushed calls everything as the primary does.
        const own = mine && numbersOf(store.state, mine).find(([, id]) => id === version)
        assert.is(own?.[0] ?? number, number, `${row.name}:v${number}`)
      }
    }
  }

  #work(store: Machine, verb: string, pick: number, value: number): void {
    const { state } = store
    const versions = state.artifacts().flatMap(({ id }) => state.versions(id))
    const version = pickOf(versions, pick)
    if (verb === 'commit') {
      const parents = version !== undefined && value === 0 ? [version.id] : []
      const object = someObject(this.#minute++, { parents })
      this.#committed.add(store.commit(NAMES[pick % NAMES.length] ?? 'bike', object).id)
    } else if (verb === 'run') this.#run(store, pick)
    else if (verb === 'note' || verb === 'finish') this.#note(store, verb, pick, value)
    else if (verb === 'restore') this.#restore(store, pick)
    else if (version !== undefined) this.#label(store, verb, version, pick, value)
  }

  #label(store: Machine, verb: string, row: VersionRow, pick: number, value: number): void {
    const { state } = store
    const target: Target = { version: row.id, name: 'x' }
    const alias = `a${value}`
    const artifact = row.artifact
    const shelf = SHELVES[value % SHELVES.length] ?? 'shelf'
    const portfolio = state.artifactByName('default', shelf)?.id
    const links = portfolio === undefined ? [] : state.links(portfolio)
    if (verb === 'alias')
      store.plan(planAliases(state, { ...target, aliases: [alias], mode: 'add' }))
    else if (verb === 'unalias') {
      const held = state.alias(artifact, alias)
      if (held === undefined) return
      const intent = { version: held, name: 'x', aliases: [alias], mode: 'remove' } as const
      store.plan(planAliases(state, intent))
    } else if (verb === 'describe') {
      const metadata = { merge: { [`k${pick % 2}`]: value } }
      store.plan(planEdit(state, { ...target, description: `d${value}`, metadata, ttl: value + 1 }))
    } else if (verb === 'tag') {
      const mode = state.tagsOf(row.id).includes(`t${value}`) ? 'remove' : 'add'
      store.plan(planEdit(state, { ...target, tags: { mode, tags: [`t${value}`] } }))
    } else if (verb === 'retype') {
      store.plan(planArtifactEdit(state, { artifact, description: `d${value}` }))
    } else if (verb === 'delete') this.#delete(store, row)
    else if (verb === 'use') this.#use(store, row, pick)
    else if (verb === 'rename') {
      store.plan(planRename(state, { artifact, name: `n${this.#minute++}` }))
    } else if (verb === 'call') {
      const name = NAMES[value % NAMES.length] ?? 'bike'
      if (state.artifactByName('default', name) === undefined)
        store.plan(planRename(state, { artifact, name }))
    } else if (verb === 'link') {
      const newPortfolio = sampleArtifact(`${store.name} ${shelf}`)
      const aliases = pick % 3 === 0 ? [alias] : []
      const intent = { ...target, project: 'default', portfolio: shelf, newPortfolio, aliases }
      store.plan(planLink(state, intent))
    } else if (verb === 'unlink' && portfolio !== undefined && links.length > 0) {
      const link = pickOf(links, pick)
      if (link) store.plan(planUnlink(state, { portfolio, versions: [link.version] }))
    } else if (verb === 'shelve' && portfolio !== undefined && links.length > 0) {
      const link = pickOf(links, pick)
      if (link === undefined) return
      const shelved = { version: link.version, name: 'x', portfolio }
      store.plan(planAliases(state, { ...shelved, aliases: [alias], mode: 'add' }))
    }
  }

  #delete(store: Machine, { id, artifact }: VersionRow): void {
    const { state } = store
    const held = state.aliases(artifact).some((row) => row.version === id && row.alias !== LATEST)
    if (held || state.linksOf(id).length > 0) return
    this.#deleted.add(id)
    store.plan(planRemove(state, { versions: [{ version: id, name: 'x' }], aliases: false }))
  }

  #restore(store: Machine, pick: number): void {
    const { state } = store
    const deleted = state
      .artifacts()
      .flatMap(({ id }) => state.everyVersion(id))
      .filter((row) => row.deleted !== undefined)
    const row = pickOf(deleted, pick)
    if (row !== undefined) store.plan(planRestore(state, [{ version: row.id, name: 'x' }]))
  }

  #run(store: Machine, pick: number): void {
    const run = `${store.name}-${this.#minute++}`
    const startedAt = new Date(Date.UTC(2026, 0, 1) + this.#minute).toISOString()
    const by = { user: 'ann', host: store.name }
    store.apply([{ kind: 'run.start', run, project: 'default', startedAt, by, name: `r${pick}` }])
  }

  #use(store: Machine, { id }: VersionRow, pick: number): void {
    const run = pickOf(store.state.runs({}, 100), pick)
    if (run === undefined) return
    store.plan(planUse(store.state, { run: run.id, uses: [{ version: id, slot: 'in', ref: 'x' }] }))
  }

  #note(store: Machine, verb: string, pick: number, value: number): void {
    const run = pickOf(store.state.runs({}, 100), pick)
    if (run === undefined) return
    if (verb === 'note') store.plan(planRunLabels(store.state, run.id, { notes: `n${value}` }))
    // A run ends where it runs.
    else if (run.state === 'running' && run.host === store.name) {
      const endedAt = new Date(Date.UTC(2026, 0, 2) + this.#minute++).toISOString()
      store.plan(planFinish(store.state, { run: run.id, state: 'finished', endedAt }))
    }
  }
}

function pickOf<T>(items: readonly T[], pick: number): T | undefined {
  return items.length === 0 ? undefined : items[pick % items.length]
}

function seenVersion(state: StateView, row: VersionRow): unknown {
  const { id, number, object, description, metadata, ttl } = row
  return { id, number, object, description, metadata, ttl, tags: state.tagsOf(id).sort() }
}

function numbersOf(state: StateView, row: ArtifactRow): [number, ObjectId][] {
  return row.portfolio === true
    ? state.links(row.id).map(({ number, version }) => [number, version])
    : state.everyVersion(row.id).map(({ number, id }) => [number, id])
}
