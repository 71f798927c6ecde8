/** Reads a file from front to end in small pieces with few large calls: a window that moves on when it is left. */
import { readSync } from 'node:fs'

const WINDOW_BYTES = 4 << 20
/** What is read where only a little is asked for, such as a header between payloads that nobody wants. */
const GLANCE_BYTES = 4096

export class WindowReader {
  readonly #fd: number
  readonly #end: number
  #buffer: Buffer = Buffer.alloc(0)
  #start = 0
  #length = 0

  /** @param end nothing is read from there on. */
  constructor(fd: number, end: number) {
    this.#fd = fd
    this.#end = end
  }

  /** The bytes, valid until the next call; undefined where the file ends before. */
  read(at: number, length: number): Buffer | undefined {
    if (at + length > this.#end) return undefined
    if (at < this.#start || at + length > this.#start + this.#length) this.#move(at, length)
    if (at + length > this.#start + this.#length) return undefined
    return this.#buffer.subarray(at - this.#start, at - this.#start + length)
  }

  #move(at: number, length: number): void {
    // Whoever goes on where the window ends reads on; whoever leaps wants a glance.
    const goesOn = at >= this.#start && at <= this.#start + this.#length
    const wanted = Math.max(length, goesOn ? WINDOW_BYTES : GLANCE_BYTES)
    const most = Math.min(wanted, this.#end - at)
    if (this.#buffer.length < most) this.#buffer = Buffer.allocUnsafeSlow(most)
    this.#start = at
    this.#length = 0
    while (this.#length < most) {
      const got = readSync(
        this.#fd,
        this.#buffer,
        this.#length,
        most - this.#length,
        at + this.#length,
      )
      if (got === 0) return
      this.#length += got
    }
  }
}
