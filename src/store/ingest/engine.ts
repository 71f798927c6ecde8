/** Everything one thread does with bytes: reading files into packs, and taking them out again. */
import { createIo, type Durability } from '../io/io.ts'
import { layoutOf } from '../layout.ts'
import { loadHashes } from '../object/checksum.ts'
import { checkPack } from '../object/pack-check.ts'
import { Extractor } from './extractor.ts'
import { PackStream } from './pack-stream.ts'
import type { Job, JobResult, MetaObject, Packed } from './protocol.ts'
import { Reader } from './reader.ts'

export interface EngineOptions {
  /** The `.artifacts` directory. */
  readonly root: string
  readonly durability: Durability
  /** True for the id of a pack that the log has dropped: it never comes back. Absent where nothing is stored. */
  readonly isDropped?: (id: string) => boolean
}

/** Must be awaited once in each thread before an engine is made. */
export function loadEngine(): Promise<void> {
  return loadHashes()
}

export class Engine {
  readonly #packs: PackStream
  readonly #reader: Reader
  readonly #extractor: Extractor

  constructor(options: EngineOptions, cancelled: () => boolean) {
    const io = createIo({ durability: options.durability })
    this.#packs = new PackStream(io, layoutOf(options.root), options.isDropped ?? (() => false))
    this.#reader = new Reader(this.#packs, cancelled)
    this.#extractor = new Extractor(io)
  }

  run(id: number, job: Job): JobResult {
    switch (job.kind) {
      case 'extract':
        return this.#extractor.extract(job)
      case 'fill':
        return this.#extractor.fill(job)
      case 'check':
        return this.#extractor.check(job)
      case 'pack':
        return { kind: 'pack', findings: checkPack(job.path, job) }
      default:
        return this.#reader.run(id, job)
    }
  }

  holds(id: number): boolean {
    return this.#reader.holds(id)
  }

  store(id: number, isNew: Uint8Array): void {
    this.#reader.store(id, isNew)
  }

  finish(beside: readonly MetaObject[]): Promise<Packed> {
    return this.#packs.finish(beside)
  }

  abort(): void {
    this.#packs.abort()
    this.#extractor.close()
  }
}
