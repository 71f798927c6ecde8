/**
 * The log of a store as the log of a remote: every operation is there under its own name, also where the store has folded it
 * into a segment; and none is shown that could still be lost with the power.
 */
import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs'
import { damaged, isSystemError } from '../../errors.ts'
import { operationPath, parseSegmentName, segmentPath } from '../../store/layout.ts'
import { LogReader } from '../../store/log/log-reader.ts'
import type { OpenedStore } from '../../store/opened.ts'
import { type Body, bytesBody, fileBody } from './answers.ts'

export class ServedLog {
  readonly #store: OpenedStore
  #reader: LogReader
  /** The newest operation whose name is known to be durable. */
  #durable = 0

  constructor(store: OpenedStore) {
    this.#store = store
    this.#reader = new LogReader(store.layout)
  }

  /** Undefined when its number is free. */
  operation(n: number): Body | undefined {
    const fd = openIfThere(operationPath(this.#store.layout, n))
    if (fd === undefined) return undefined
    try {
      this.#assureDurable(n)
      const { size } = fstatSync(fd)
      if (size > 0) return fileBody(fd, size)
    } catch (error) {
      closeSync(fd)
      throw error
    }
    closeSync(fd)
    return bytesBody(this.#folded(n))
  }

  segment(first: number, last: number): Body | undefined {
    const fd = openIfThere(segmentPath(this.#store.layout, { first, last }))
    return fd === undefined ? undefined : fileBody(fd, fstatSync(fd).size)
  }

  /** `latest.json`: where the log ends. */
  latest(): Buffer {
    const { applied: n, hash } = this.#store.index.refresh()
    if (n > 0) this.#assureDurable(n)
    return Buffer.from(`${JSON.stringify({ hash, n })}\n`)
  }

  /** Names in `log/`, without the folder. */
  names(): string[] {
    const isServed = (name: string): boolean =>
      /^(?!0{12})\d{12}\.json$/.test(name) || parseSegmentName(name) !== undefined
    return readdirSync(this.#store.layout.log).filter(isServed)
  }

  close(): void {
    this.#reader.close()
  }

  #folded(n: number): Buffer {
    const { index } = this.#store
    index.refresh()
    const hash = index.state.operation(n)?.hash
    if (hash === undefined) throw damaged(`Operation ${n} is in no segment that can be read.`)
    try {
      const bytes = this.#reader.bytes(n, hash)
      if (bytes !== undefined) return Buffer.from(bytes)
    } catch (error) {
      // What it remembers of segments may be out of date.
      this.#reader.close()
      this.#reader = new LogReader(this.#store.layout)
      throw error
    }
    throw damaged(`Operation ${n} is in no segment that can be read.`)
  }

  /** An operation that was seen must not be gone when the power comes back: a client takes that for another log. */
  #assureDurable(n: number): void {
    if (n <= this.#durable) return
    this.#store.io.fsyncDirectory(this.#store.layout.log)
    this.#durable = n
  }
}

/** The descriptor of a file; undefined where there is none. */
export function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
}
