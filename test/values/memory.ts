/** A version in memory: what values become files in, and are read from. */
import { readFileSync } from 'node:fs'
import { comparePaths } from '../../src/store/tree/paths.ts'
import type { ValueFile, ValueSource } from '../../src/values/value-files.ts'
import { decodeValue, encodeValue, type TypedValue } from '../../src/values/values.ts'

export class MemoryFiles implements ValueSource {
  readonly files = new Map<string, Uint8Array>()
  /** URLs of entries of other versions, by path. */
  readonly urls = new Map<string, string>()

  entry(path: string): { size: number } | undefined {
    const bytes = this.files.get(path)
    return bytes && { size: bytes.length }
  }

  *read(path: string): Generator<Uint8Array> {
    const bytes = this.files.get(path)
    if (bytes === undefined) throw new Error(`no file ${path}`)
    const middle = bytes.length >> 1
    yield bytes.subarray(0, middle)
    yield bytes.subarray(middle)
  }

  paths(prefix: string): string[] {
    const found = [...this.files.keys()].filter((path) => path.startsWith(prefix))
    return found.sort(comparePaths)
  }

  put(path: string, content: string | Uint8Array): void {
    this.files.set(path, Buffer.from(content))
  }

  /** Adds the files of a value; returns the path of the first. */
  async add(path: string, value: TypedValue): Promise<string> {
    const files = await encodeValue(path, value)
    for (const file of files) this.#take(file)
    return files[0].path
  }

  get(path: string): Promise<TypedValue | undefined> {
    return decodeValue(path, this)
  }

  #take(file: ValueFile): void {
    if ('url' in file) this.urls.set(file.path, file.url)
    else this.put(file.path, 'bytes' in file ? file.bytes : readFileSync(file.source))
  }
}

/** A committed version: its files have URLs. */
export class StoredFiles extends MemoryFiles {
  url(path: string): string {
    return `artifacts://${'a'.repeat(64)}/${path}`
  }
}

/** All of an iterable. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
