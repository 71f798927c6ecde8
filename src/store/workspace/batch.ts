/**
 * What a walk hands on: up to 1,024 neighbouring entries of one directory, as columns. A million files then cost no
 * million objects, and neighbours are matched with the stat cache by comparing columns.
 */
import type { EntryPath } from '../../types.ts'
import type { FileStat } from '../ingest/protocol.ts'

/** Entries that a batch holds at most. */
export const BATCH_ENTRIES = 1024

/** The values of `WalkBatch.kinds`. */
export const WalkKind = { file: 0, symlink: 1, directory: 2 } as const

export interface WalkBatch {
  /** Entry path of the directory; empty for the root. */
  readonly directory: string
  /** Number of the file system that the directory is on. */
  readonly device: number
  readonly length: number
  /** In the order of the entries' paths. */
  readonly names: readonly string[]
  readonly kinds: Uint8Array
  /** Bytes; of a symlink, of its target; 0 for a directory. */
  readonly sizes: Float64Array
  /** Milliseconds since 1970, like the next one; 0, like the inode, for all but files. */
  readonly mtimes: Float64Array
  readonly ctimes: Float64Array
  readonly inodes: Float64Array
  /** 1 where the owner may execute the file. */
  readonly executables: Uint8Array
  /** Targets of the symlinks, by index. */
  readonly targets: ReadonlyMap<number, string>
}

export function pathAt(batch: WalkBatch, index: number): EntryPath {
  const name = batch.names[index] as string
  return (batch.directory === '' ? name : `${batch.directory}/${name}`) as EntryPath
}

export function statAt(batch: WalkBatch, index: number): FileStat {
  return {
    size: batch.sizes[index] as number,
    mtimeMs: batch.mtimes[index] as number,
    ctimeMs: batch.ctimes[index] as number,
    ino: batch.inodes[index] as number,
  }
}

/** Collects a batch. `take` returns what was added and starts anew. */
export class BatchBuilder {
  #names: string[] = []
  #targets: Map<number, string> | undefined
  readonly #kinds = new Uint8Array(BATCH_ENTRIES)
  readonly #sizes = new Float64Array(BATCH_ENTRIES)
  readonly #mtimes = new Float64Array(BATCH_ENTRIES)
  readonly #ctimes = new Float64Array(BATCH_ENTRIES)
  readonly #inodes = new Float64Array(BATCH_ENTRIES)
  readonly #executables = new Uint8Array(BATCH_ENTRIES)

  get length(): number {
    return this.#names.length
  }

  addFile(name: string, stat: FileStat, executable: boolean): void {
    this.#add(name, WalkKind.file, stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino, executable)
  }

  addSymlink(name: string, target: string): void {
    this.#targets ??= new Map()
    this.#targets.set(this.#names.length, target)
    this.#add(name, WalkKind.symlink, Buffer.byteLength(target), 0, 0, 0, false)
  }

  addDirectory(name: string): void {
    this.#add(name, WalkKind.directory, 0, 0, 0, 0, false)
  }

  take(directory: string, device: number): WalkBatch {
    const length = this.#names.length
    const batch = {
      directory,
      device,
      length,
      names: this.#names,
      kinds: this.#kinds.slice(0, length),
      sizes: this.#sizes.slice(0, length),
      mtimes: this.#mtimes.slice(0, length),
      ctimes: this.#ctimes.slice(0, length),
      inodes: this.#inodes.slice(0, length),
      executables: this.#executables.slice(0, length),
      targets: this.#targets ?? NO_TARGETS,
    }
    this.#names = []
    this.#targets = undefined
    return batch
  }

  #add(
    name: string,
    kind: number,
    size: number,
    mtime: number,
    ctime: number,
    inode: number,
    executable: boolean,
  ): void {
    const at = this.#names.length
    if (at === BATCH_ENTRIES) throw new Error(`A batch holds ${BATCH_ENTRIES} entries.`)
    this.#names.push(name)
    this.#kinds[at] = kind
    this.#sizes[at] = size
    this.#mtimes[at] = mtime
    this.#ctimes[at] = ctime
    this.#inodes[at] = inode
    this.#executables[at] = executable ? 1 : 0
  }
}

const NO_TARGETS: ReadonlyMap<number, string> = new Map()
