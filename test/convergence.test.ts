/** Random histories of three stores that push, pull and carry bundles: what merges promise, with real remotes in folders, and bytes. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ArtifactSummary, ArtifactsError, Store, type VersionSummary } from '../src/index.ts'
import { type TemporaryDirectory, temporaryDirectory } from './support/temp.ts'

const test = suite('stores that meet')

const FULL = process.env['ARTIFACTS_TEST_FULL'] === '1'
const STORES = ['one', 'two', 'three'] as const
const NAMES = ['bike', 'cat'] as const
const KINDS = [
  ...['commit', 'commit', 'commit', 'remove', 'restore', 'alias', 'unalias', 'edit', 'tag'],
  ...['link', 'unlink', 'run', 'note', 'rename', 'push', 'push', 'push', 'pull', 'pull'],
  ...['push one', 'pull one', 'push usb', 'pull usb', 'pull usb', 'push blind', 'bundle', 'bundle'],
] as const

interface Step {
  readonly kind: (typeof KINDS)[number]
  readonly who: number
  readonly pick: number
  readonly value: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...KINDS),
  who: fc.nat(2),
  pick: fc.nat(50),
  value: fc.nat(2),
})

test('they come to the same versions, numbers, aliases and labels, and nothing is lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: FULL ? 60 : 30 }), async (steps) => {
      await using world = await World.make()
      for (const each of steps) await world.act(each)
      await world.settle()
      const pictures = await Promise.all(world.stores.map(picture))
      for (const other of pictures) assert.equal(other, pictures[0])
      for (const store of world.stores) {
        world.checkThatNothingIsLost(store)
        const { problems } = await Store.fsck({ store: store.root }, { data: 1 })
        assert.equal(problems, [])
      }
    }),
    { numRuns: FULL ? 60 : 3, interruptAfterTimeLimit: FULL ? 80_000 : 15_000 },
  )
})

test.run()

class World implements AsyncDisposable {
  readonly stores: readonly Store[]
  readonly #directory: TemporaryDirectory
  readonly #committed = new Set<string>()
  readonly #removed = new Set<string>()
  #count = 0

  private constructor(directory: TemporaryDirectory, stores: readonly Store[]) {
    this.#directory = directory
    this.stores = stores
  }

  static async make(): Promise<World> {
    const directory = await temporaryDirectory()
    const stores: Store[] = []
    for (const name of STORES) {
      const { store } = await Store.init(join(directory.path, name))
      store.settings.set('durability', 'process')
      for (const remote of ['origin', 'usb'])
        await store.remotes.add(remote, `${pathToFileURL(join(directory.path, remote))}`)
      stores.push(store)
    }
    return new World(directory, stores)
  }

  async act({ kind, who, pick, value }: Step): Promise<void> {
    const store = this.stores[who]
    if (store === undefined) return
    const [verb = '', how] = kind.split(' ')
    try {
      if (verb === 'push' || verb === 'pull') await this.#meet(store, verb, how, pick)
      else if (verb === 'bundle') await this.#carry(store, this.stores[(who + 1 + (pick % 2)) % 3])
      else await this.#work(store, verb, pick, value)
    } catch (error) {
      // What people may not do: remove what an alias holds, link what is linked.
      if (!(error instanceof ArtifactsError) || !REFUSALS.includes(error.code)) throw error
    }
  }

  /** All push, once more for what the others have brought back, and then learn what those after them have pushed. */
  async settle(): Promise<void> {
    for (const store of [...this.stores, ...this.stores]) {
      await store.pull([])
      await store.push([])
    }
    for (const store of this.stores) await store.pull([])
    for (const store of this.stores) {
      const { requests, operation } = await store.pull([])
      assert.equal({ requests, operation }, { requests: 1, operation: undefined })
    }
  }

  checkThatNothingIsLost(store: Store): void {
    const live = new Set(liveVersions(store).map(({ id }) => id as string))
    for (const id of this.#committed) {
      if (!this.#removed.has(id)) assert.ok(live.has(id), `${id} is lost in ${store.root}`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.stores) store.close()
    await this.#directory[Symbol.asyncDispose]()
  }

  async #meet(store: Store, verb: string, how: string | undefined, pick: number): Promise<void> {
    const remote = how === 'usb' ? 'usb' : 'origin'
    if (how !== 'one') {
      if (verb === 'pull') await store.pull([], { remote })
      else await store.push([], { remote, pull: how !== 'blind' })
      return
    }
    const version = pickOf(liveVersions(store), pick)
    if (verb === 'push' && version !== undefined) await store.push([version.ref])
    if (verb === 'push') return
    await using view = await store.lookAt('origin')
    const there = pickOf(liveVersions(view), pick)
    if (there !== undefined) await store.pull([there.ref])
  }

  async #carry(from: Store, to: Store | undefined): Promise<void> {
    if (to === undefined || from.artifacts().length === 0) return
    const path = join(this.#directory.path, `${this.#count++}.tar`)
    await from.createBundle(path)
    await to.applyBundle(path)
  }

  async #work(store: Store, verb: string, pick: number, value: number): Promise<void> {
    const version = pickOf(liveVersions(store), pick)
    if (verb === 'commit') return this.#commit(store, NAMES[pick % NAMES.length] ?? 'bike')
    if (verb === 'run')
      return void (await (await store.startRun({ id: `run-${this.#count++}` })).finish())
    if (verb === 'restore') return this.#restore(store, pick)
    if (version === undefined) return
    const { ref, id } = version
    if (verb === 'alias') await store.alias(ref, [`a${value}`])
    else if (verb === 'unalias') await store.alias(ref, [`a${value}`], { mode: 'remove' })
    else if (verb === 'tag') await store.tag(ref, [`t${value}`])
    else if (verb === 'edit')
      await store.edit(ref, { description: `d${pick}`, metadata: { [`k${value}`]: pick } })
    else if (verb === 'link') await store.link(ref, 'shelf')
    else if (verb === 'unlink') await store.unlink(`shelf:v${value}`)
    else if (verb === 'rename') await store.rename(ref.replace(/:.*/, ''), `n${this.#count++}`)
    else if (verb === 'remove') {
      await store.remove([ref])
      this.#removed.add(id)
    } else if (verb === 'note') {
      for await (const run of store.runs()) {
        await run.update({ notes: `note ${pick}` })
        return
      }
    }
  }

  async #commit(store: Store, name: string): Promise<void> {
    const data = join(store.root, '..', `data-${name}`)
    mkdirSync(data, { recursive: true })
    writeFileSync(join(data, `${this.#count++}.txt`), `${store.root} ${this.#count}\n`)
    const { id } = await store.commit([data], { name, jobs: 0 })
    this.#committed.add(id)
  }

  async #restore(store: Store, pick: number): Promise<void> {
    const { rows } = await store.sql('SELECT ref FROM deleted_versions')
    const row = pickOf([...rows], pick)
    if (row !== undefined) await store.restore([String(row[0])])
  }
}

const REFUSALS: readonly string[] = ['ERR_IN_USE', 'ERR_NOT_FOUND']

interface Reader {
  artifacts(): readonly ArtifactSummary[]
  versions(name: string): readonly VersionSummary[]
}

function liveVersions(store: Reader): readonly VersionSummary[] {
  return store
    .artifacts()
    .filter(({ portfolio }) => portfolio !== true)
    .flatMap(({ name }) => store.versions(name))
}

/** What people see of a store. */
async function picture(store: Store): Promise<unknown> {
  const artifacts = store.artifacts().map(({ name, type, description }) => ({
    name,
    type,
    description,
    versions: store.versions(name).map(({ ref, source, id, aliases, tags, ...rest }) => {
      const { description: said, metadata, ttl } = rest as Record<string, unknown>
      return { ref, source, id, aliases, tags: [...tags].sort(), said, metadata, ttl }
    }),
  }))
  const runs: unknown[] = []
  for await (const run of store.runs()) {
    const { id, state, notes, endedAt } = run.toJSON()
    runs.push({ id, state, notes, endedAt })
  }
  return { artifacts, runs: runs.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) }
}

function pickOf<T>(items: readonly T[], pick: number): T | undefined {
  return items.length === 0 ? undefined : items[pick % items.length]
}
