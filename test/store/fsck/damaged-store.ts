/** A small store with a bit of everything, ways to damage its files, and to see what is left of it. */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { ArtifactsError, type OperationOptions, Store } from '../../../src/index.ts'
import { type ExamineReport, examine } from '../../../src/store/fsck/examine.ts'
import { type RepairReport, repair } from '../../../src/store/fsck/repair.ts'
import { createIo } from '../../../src/store/io/io.ts'
import { type Layout, layoutOf } from '../../../src/store/layout.ts'
import { seededRandom } from '../../support/random.ts'
import { temporaryDirectory } from '../../support/temp.ts'

/** Contents of the live versions by `ref:path`. */
export type Contents = ReadonlyMap<string, Buffer>

export class Space implements AsyncDisposable {
  readonly path: string
  readonly layout: Layout
  readonly contents: Contents
  readonly #dispose: () => PromiseLike<void>

  constructor(path: string, contents: Contents, dispose: () => PromiseLike<void>) {
    this.path = path
    this.layout = layoutOf(join(path, '.artifacts'))
    this.contents = contents
    this.#dispose = dispose
  }

  /** The packs, largest first, relative to the store. */
  get packs(): string[] {
    return readdirSync(this.layout.packs)
      .map((name) => `packs/${name}`)
      .sort((a, b) => this.bytes(b).length - this.bytes(a).length)
  }

  file(name: string): string {
    return join(this.layout.root, name)
  }

  bytes(name: string): Buffer {
    return readFileSync(this.file(name))
  }

  write(name: string, bytes: Uint8Array): void {
    writeFileSync(this.file(name), bytes)
  }

  flip(name: string, at: number, bit = at & 7): void {
    const bytes = this.bytes(name)
    const place = at < 0 ? bytes.length + at : at
    bytes[place] = (bytes[place] as number) ^ (1 << bit)
    this.write(name, bytes)
  }

  removeIndex(): void {
    for (const name of readdirSync(this.layout.root)) {
      if (name.startsWith('index')) rmSync(this.file(name))
    }
  }

  examine(data = 1, options: OperationOptions = {}): Promise<ExamineReport> {
    return examine({ ...this.#options, ...options, data })
  }

  repair(data = 1): Promise<RepairReport> {
    return repair({ ...this.#options, data, tool: 'artifacts/test' })
  }

  open(): Promise<Store> {
    return Store.open({ store: this.layout.root })
  }

  /**
   * Reads every file of every live version. Returns those that can't be read, as `ref:path`; what can be read is what was
   * stored, or the test fails.
   */
  async unreadable(): Promise<string[]> {
    const failed: string[] = []
    let store: Store
    try {
      store = await this.open()
    } catch (error) {
      assertDamage(error)
      return [...this.contents.keys()]
    }
    try {
      for (const [name, bytes] of this.contents) {
        const [, ref = '', path = ''] = /^(.*:v\d+):(.*)$/.exec(name) ?? []
        try {
          assert.ok(Buffer.concat([...store.read(ref, path)]).equals(bytes), `${name} is wrong`)
        } catch (error) {
          assertDamage(error)
          failed.push(name)
        }
      }
    } finally {
      store.close()
    }
    return failed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose()
  }

  get #options() {
    const { layout } = this
    const io = createIo({ durability: 'power' })
    return { io, layout, project: 'default', jobs: 0 } as const
  }
}

/** Makes the store: `bike:v0` (deleted), `v1`, `v2`, bound to `bike`; `car:v0`, bound to `car`; six operations. */
export async function damageableStore(): Promise<Space> {
  const directory = await temporaryDirectory()
  const { path } = directory
  const { store } = await Store.init(path)
  store.settings.set('durability', 'process')
  const random = seededRandom(7)
  const commit = async (name: string, files: Readonly<Record<string, Buffer>>): Promise<void> => {
    for (const [file, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(path, name, file)), { recursive: true })
      writeFileSync(join(path, name, file), bytes)
    }
    await store.commit([join(path, name)], { name, jobs: 0 })
  }
  await commit('bike', {
    'noise.bin': random.bytes(900),
    'sub/text.txt': Buffer.from(random.text(3000)),
    'inline.txt': Buffer.from('inline'),
    old: random.bytes(200),
  })
  rmSync(join(path, 'bike/old'))
  await commit('bike', {
    'sub/more.txt': Buffer.from(random.text(1500)),
    'b.bin': random.bytes(300),
  })
  await commit('bike', { 'noise.bin': random.bytes(800) })
  await commit('car', {
    'large.bin': random.bytes(290_000),
    'same.bin': random.bytes(400),
    'copy.bin': readFileSync(join(path, 'bike/b.bin')),
  })
  await store.alias('bike:v1', ['good'])
  await store.remove(['bike:v0'])
  const contents = new Map<string, Buffer>()
  for (const { ref } of store.history()) {
    for (const entry of store.entries(ref)) {
      if (entry.kind === 'file')
        contents.set(`${ref}:${entry.path}`, Buffer.concat([...store.read(ref, entry.path)]))
    }
  }
  store.close()
  return new Space(path, contents, () => directory[Symbol.asyncDispose]())
}

/** Another one with the same files, to be damaged. */
export async function copyOf(space: Space): Promise<Space> {
  const directory = await temporaryDirectory()
  cpSync(space.path, directory.path, { recursive: true, preserveTimestamps: true })
  return new Space(directory.path, space.contents, () => directory[Symbol.asyncDispose]())
}

/** The files named by problems, each once. */
export function filesIn({ problems }: { problems: ExamineReport['problems'] }): string[] {
  return [...new Set(problems.flatMap(({ file }) => file ?? []))]
}

/** All that problems say can't be read. */
export function affectedIn({ problems }: { problems: ExamineReport['problems'] }): string[] {
  return problems.flatMap(({ affected }) => affected.first).sort()
}

/** Keeps a file's bytes while a test damages it. */
export function keeping(space: Space, name: string): Disposable {
  const bytes = space.bytes(name)
  return { [Symbol.dispose]: () => space.write(name, bytes) }
}

export function exchange(space: Space, a: string, b: string): void {
  const temporary = space.file('exchanged')
  copyFileSync(space.file(a), temporary)
  copyFileSync(space.file(b), space.file(a))
  copyFileSync(temporary, space.file(b))
  rmSync(temporary)
}

export function isThere(space: Space, name: string): boolean {
  return existsSync(space.file(name))
}

function assertDamage(error: unknown): void {
  if (error instanceof ArtifactsError && error.code === 'ERR_DAMAGED') return
  throw error
}
