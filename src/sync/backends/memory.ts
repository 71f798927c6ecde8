/** A remote in memory: the plainest backend, for tests and for what is made to be written elsewhere. */
import type { Backend, Content, GetOptions, ListedFile, ListOptions } from '../backend.ts'
import { checkedPieces, type Source } from '../source.ts'
import { absent, outside } from './errors.ts'
import { checkFileName, checkFolderName } from './names.ts'

interface Held {
  readonly bytes: Buffer
  readonly modified: number
}

export class MemoryBackend implements Backend {
  readonly address: string
  readonly #files = new Map<string, Held>()

  constructor(name = 'remote') {
    this.address = `memory://${name}/`
  }

  async get(name: string, { range, signal }: GetOptions = {}): Promise<Content> {
    signal?.throwIfAborted()
    const held = this.#files.get(checkFileName(name))
    if (held === undefined) throw absent(this.address + name)
    const wrong = range && outside(this.address + name, held.bytes.length, range)
    if (wrong !== undefined) throw wrong
    const bytes = held.bytes.subarray(range?.start, range?.end)
    return { size: bytes.length, bytes: once(bytes) }
  }

  async head(name: string): Promise<{ size: number } | undefined> {
    const held = this.#files.get(checkFileName(name))
    return held && { size: held.bytes.length }
  }

  async putIfAbsent(name: string, source: Source): Promise<'created' | 'exists'> {
    if (this.#files.has(checkFileName(name))) return 'exists'
    this.#files.set(name, hold(source))
    return 'created'
  }

  async put(name: string, source: Source): Promise<void> {
    this.#files.set(checkFileName(name), hold(source))
  }

  async *list(folder: string, { after = '' }: ListOptions = {}): AsyncIterable<ListedFile> {
    checkFolderName(folder)
    for (const name of [...this.#files.keys()].sort()) {
      const held = this.#files.get(name)
      if (held === undefined || !name.startsWith(folder) || name <= after) continue
      yield { name, size: held.bytes.length, modified: held.modified }
    }
  }

  async delete(name: string): Promise<void> {
    this.#files.delete(checkFileName(name))
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function hold(source: Source): Held {
  // Copies: pieces may be overwritten.
  const pieces = Array.from(checkedPieces(source), (piece) => Buffer.from(piece))
  return { bytes: Buffer.concat(pieces), modified: Date.now() }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.length > 0) yield bytes
}
