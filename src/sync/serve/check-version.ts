/**
 * Whether a version that comes from elsewhere is whole here: its tree keeps all rules, and every object that it names is in a
 * pack. It is walked beside a live version of the store, which is whole; what both have in the same place is stepped over, so
 * it costs what has changed. Nothing an operation or a client says about it is believed.
 */
import { type ArtifactsError, damaged } from '../../errors.ts'
import type { Objects } from '../../store/index/objects.ts'
import type { Closure } from '../../store/log/sync-change.ts'
import { CHUNK, VERSION } from '../../store/object/id.ts'
import { kindOf } from '../../store/object/pack.ts'
import { nodeReader, type OpenedStore, readObject } from '../../store/opened.ts'
import { readRecipe } from '../../store/recipes.ts'
import { entries, type ReadNode } from '../../store/tree/cursor.ts'
import { diffFromWhole, type EntryChange } from '../../store/tree/diff.ts'
import { entrySize } from '../../store/tree/entry.ts'
import type { Entry, FileEntry, ObjectId, VersionObject } from '../../types.ts'
import { decodeClosureList } from '../transfer/index-pack.ts'

/** Whether a pack counts: the store has it by its log, or it joins with the operation. */
export type IsHeld = (pack: ObjectId) => boolean

export interface CheckedVersion {
  readonly id: ObjectId
  readonly object: VersionObject
  /** In which packs it is said to lie. */
  readonly closure: Closure | undefined
}

/** Chunks that are looked up between two looks at the clock. */
const CHUNKS_AT_ONCE = 256

export class VersionCheck {
  readonly #store: OpenedStore
  readonly #isHeld: IsHeld
  readonly #read: ReadNode
  readonly #readHeld: ReadNode
  /** The packs that the version is said to lie in. */
  #closure: ReadonlySet<ObjectId> | undefined
  /** Recipes that were found whole. */
  readonly #recipes = new Set<string>()

  constructor(store: OpenedStore, isHeld: IsHeld) {
    this.#store = store
    this.#isHeld = isHeld
    this.#read = nodeReader(store)
    this.#readHeld = (id) => {
      this.#require(id, `node "${id}"`)
      return this.#read(id)
    }
  }

  /**
   * Checks one version; it stops now and then, to be gone on with.
   * @param base a version that is whole
   * @throws ArtifactsError ERR_DAMAGED that says what is missing or wrong
   */
  *run(version: CheckedVersion, base: VersionObject | undefined): Generator<void, void> {
    const { id, object, closure } = version
    this.#closure = undefined
    this.#recipes.clear()
    this.#require(id, `version object "${id}"`)
    readObject(this.#store, VERSION, id)
    this.#closure = closure && this.#packsOf(closure)
    let files = base?.files ?? 0
    let bytes = base?.bytes ?? 0
    for (const { before, after } of this.#changes(base, object.root)) {
      if (before !== undefined) {
        files -= countOf(before)
        bytes -= entrySize(before)
      }
      if (after !== undefined) {
        files += countOf(after)
        bytes += entrySize(after)
        if (after.kind === 'file') yield* this.#checkFile(after)
      }
      yield
    }
    if (files !== object.files || bytes !== object.bytes) {
      const said = `${object.files} files and ${object.bytes} bytes`
      throw damaged(`Version "${id}" has ${files} files and ${bytes} bytes, but says ${said}.`)
    }
  }

  *#changes(base: VersionObject | undefined, root: ObjectId): Generator<Omit<EntryChange, 'path'>> {
    if (base === undefined) {
      for (const after of entries(this.#readHeld, root)) yield { after }
    } else {
      yield* diffFromWhole(this.#read, base.root, this.#readHeld, root)
    }
  }

  *#checkFile({ path, size, content }: FileEntry): Generator<void, void> {
    if (content.kind === 'inline') return
    const what = `of "${path}"`
    if (content.kind === 'chunk') {
      this.#requireChunk(Buffer.from(content.id, 'hex'), size, what)
      return
    }
    const known = `${content.id} ${size}`
    if (this.#recipes.has(known)) return
    this.#require(content.id, `recipe "${content.id}" ${what}`)
    const { ids, lengths, parts } = readRecipe(this.#store, content.id, size)
    for (const part of parts) this.#require(part, `recipe "${part}" ${what}`)
    for (const [index, length] of lengths.entries()) {
      this.#requireChunk(ids.subarray(index * 32, (index + 1) * 32), length, what)
      if (index % CHUNKS_AT_ONCE === 0) yield
    }
    this.#recipes.add(known)
  }

  #requireChunk(id: Buffer, length: number, what: string): void {
    const places = this.#places(id)
    const name = (): string => `chunk "${id.toString('hex')}" ${what}`
    if (places.length === 0) throw missing(name())
    if (places.some(({ type, raw }) => kindOf(type) === CHUNK && raw === length)) return
    // A file can hold the very bytes of a node with its prefix: then the node's record stands for the file's chunk.
    const bytes = readObject(this.#store, CHUNK, id.toString('hex') as ObjectId)
    if (bytes.length !== length) throw damaged(`The ${name()} has ${bytes.length} bytes.`)
  }

  /** What a client that reads the version relies on: nothing outside of these packs is looked for. */
  #packsOf(closure: Closure): ReadonlySet<ObjectId> {
    const { packs } = closure
    const isList = 'list' in closure
    if (isList) this.#require(closure.list, `list of packs "${closure.list}"`)
    const ids = isList
      ? decodeClosureList(Buffer.from(readObject(this.#store, CHUNK, closure.list)), closure.list)
      : packs
    for (const pack of [...packs, ...ids]) {
      if (!this.#isHeld(pack)) throw damaged(`The pack "${pack}" of a closure is not here.`)
    }
    return new Set(ids)
  }

  #require(id: ObjectId, name: string): void {
    if (this.#places(Buffer.from(id, 'hex')).length === 0) throw missing(name)
  }

  #places(id: Buffer): ReturnType<Objects['locations']> {
    const closure = this.#closure
    return this.#store.index.objects
      .locations(id)
      .filter(({ pack }) => this.#isHeld(pack) && closure?.has(pack) !== false)
  }
}

function countOf({ kind }: Entry): number {
  return kind === 'directory' ? 0 : 1
}

function missing(name: string): ArtifactsError {
  return damaged(`The ${name} is in no pack that the store has, or that joins it.`)
}
