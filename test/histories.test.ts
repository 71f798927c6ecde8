/**
 * Random histories of three stores that push to one remote, pull from it, and carry bundles to each other: when each has
 * pushed and pulled what there is, all are the same; a number that the remote gave never changes its meaning, and no version is lost.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError, Store } from '../src/index.ts'
import { temporaryDirectory } from './support/temp.ts'

const test = suite('histories')
const isFull = process.env['ARTIFACTS_TEST_FULL'] === '1'

const NAMES = ['bike', 'car']
const ALIASES = ['best', 'prod']

type Step =
  | { readonly kind: 'commit'; readonly at: number; readonly name: number }
  | { readonly kind: 'alias'; readonly at: number; readonly name: number; readonly alias: number }
  | { readonly kind: 'tag'; readonly at: number; readonly name: number; readonly value: number }
  | { readonly kind: 'edit'; readonly at: number; readonly name: number; readonly value: number }
  | { readonly kind: 'remove'; readonly at: number; readonly name: number }
  | { readonly kind: 'push' | 'pull'; readonly at: number }
  | { readonly kind: 'bundle'; readonly at: number; readonly to: number }

const at = fc.nat({ max: 2 })
const name = fc.nat({ max: NAMES.length - 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('commit' as const), at, name }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('alias' as const),
      at,
      name,
      alias: fc.nat({ max: 1 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('tag' as const), at, name, value: fc.nat(3) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('edit' as const), at, name, value: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), at, name }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('push' as const), at }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pull' as const), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('bundle' as const), at, to: at }) },
)

class Stores implements AsyncDisposable {
  /** By id, what the remote has called a version. */
  readonly given: Map<string, string> = new Map()
  readonly made: Set<string> = new Set()
  readonly removed: Set<string> = new Set()
  readonly #path: string
  readonly #stores: readonly Store[]
  #count = 0

  constructor(path: string, stores: readonly Store[]) {
    this.#path = path
    this.#stores = stores
  }

  static async make(path: string): Promise<Stores> {
    const stores: Store[] = []
    mkdirSync(join(path, 'share'))
    for (const who of ['a', 'b', 'c']) {
      const { store } = await Store.init(join(path, who))
      store.settings.set('durability', 'process')
      await store.remotes.add('origin', join(path, 'share'))
      stores.push(store)
    }
    return new Stores(path, stores)
  }

  async play(what: Step): Promise<void> {
    const store = this.#stores[what.at] as Store
    try {
      await this.#act(store, what)
    } catch (error) {
      // A person would be told: an alias keeps the version, there is none of this name, a type is another.
      const isRefusal =
        error instanceof ArtifactsError &&
        ['ERR_IN_USE', 'ERR_NOT_FOUND', 'ERR_USAGE'].includes(error.code)
      if (!isRefusal) throw error
    }
  }

  async #act(store: Store, what: Step): Promise<void> {
    switch (what.kind) {
      case 'commit': {
        const file = join(this.#path, `file-${this.#count}.txt`)
        writeFileSync(file, `version ${this.#count++}\n`)
        const { id } = await store.commit([file], { name: NAMES[what.name] as string, jobs: 0 })
        this.made.add(id)
        rmSync(file)
        return
      }
      case 'alias':
        await store.alias(NAMES[what.name] as string, [ALIASES[what.alias] as string])
        return
      case 'tag':
        await store.tag(NAMES[what.name] as string, [`t${what.value}`])
        return
      case 'edit':
        await store.edit(NAMES[what.name] as string, { metadata: { value: what.value } })
        return
      case 'remove': {
        const [newest] = store.versions(NAMES[what.name] as string)
        if (newest === undefined) return
        await store.remove([newest.ref])
        this.removed.add(newest.id)
        return
      }
      case 'push':
        await store.push([])
        this.#noteNumbers(await this.#there(store))
        return
      case 'pull':
        await store.pull([])
        return
      case 'bundle':
        if (what.to === what.at) return
        await this.#carry(store, this.#stores[what.to] as Store)
    }
  }

  async #carry(from: Store, to: Store): Promise<void> {
    if (from.artifacts().length === 0) return
    const file = join(this.#path, `bundle-${this.#count++}.tar`)
    await from.createBundle(file)
    await to.applyBundle([file])
    rmSync(file)
  }

  async #there(store: Store): Promise<readonly { readonly ref: string; readonly id: string }[]> {
    await using view = await store.lookAt('origin')
    return view.history().map(({ ref, id }) => ({ ref, id }))
  }

  /** What the remote calls a version it calls so for ever. */
  #noteNumbers(versions: readonly { readonly ref: string; readonly id: string }[]): void {
    for (const { ref, id } of versions) {
      assert.is(this.given.get(id) ?? ref, ref, `the remote has given "${id}" another number`)
      this.given.set(id, ref)
    }
  }

  /** Everybody pushes and pulls until nothing is new. */
  async settle(): Promise<void> {
    for (let round = 0; round < 4; round++) {
      let isStill = true
      for (const store of this.#stores) {
        const pushed = await store.push([])
        const pulled = await store.pull([])
        this.#noteNumbers(await this.#there(store))
        isStill &&= pushed.operation === undefined && pulled.operation === undefined
      }
      if (isStill) return
    }
    assert.unreachable('it does not come to rest')
  }

  async check(): Promise<void> {
    const [first, ...others] = this.#stores.map(pictureOf)
    for (const other of others) assert.equal(other, first)
    const there = new Set((this.#stores[0] as Store).history().map(({ id }) => id as string))
    const lost = [...this.made].filter((id) => !there.has(id) && !this.removed.has(id))
    assert.equal(lost, [], 'versions are lost')
    for (const store of this.#stores) {
      assert.equal((await Store.fsck({ store: store.root }, { data: 1 })).problems, [])
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) store.close()
  }
}

function pictureOf(store: Store): unknown {
  return store
    .artifacts()
    .map(({ name, type }) => [
      name,
      type,
      store
        .versions(name)
        .map(({ ref, id, aliases, tags }) => [
          ref,
          id,
          [...aliases].sort(),
          [...tags].sort(),
          store.version(ref).metadata,
        ]),
    ])
}

test('three stores and a remote come together, whatever happened', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 6, maxLength: isFull ? 40 : 16 }),
      async (steps) => {
        await using directory = await temporaryDirectory()
        await using stores = await Stores.make(directory.path)
        for (const each of steps) await stores.play(each)
        await stores.settle()
        await stores.check()
      },
    ),
    { numRuns: isFull ? 100 : 4, ...(isFull ? {} : { endOnFailure: true }) },
  )
})

test.run()
