/** Bytes of a stream in pieces of the length that is asked for, with no more in memory than the stream hands out. */
export class ByteSource {
  /** Bytes taken so far. */
  position = 0
  readonly #pieces: AsyncIterator<Uint8Array>
  #piece: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#pieces = bytes[Symbol.asyncIterator]()
  }

  /** Between 1 and `most` bytes, valid until the next call; undefined at the end. */
  async some(most: number): Promise<Buffer | undefined> {
    while (this.#at === this.#piece.length) {
      const { done, value } = await this.#pieces.next()
      if (done === true) return undefined
      this.#piece = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      this.#at = 0
    }
    const end = Math.min(this.#at + most, this.#piece.length)
    const bytes = this.#piece.subarray(this.#at, end)
    this.position += bytes.length
    this.#at = end
    return bytes
  }

  /** So many bytes, or fewer where the stream ends. */
  async take(length: number): Promise<Buffer> {
    const first = await this.some(length)
    if (first === undefined || first.length === length) return first ?? Buffer.alloc(0)
    const all = Buffer.allocUnsafe(length)
    let got = first.copy(all)
    while (got < length) {
      const more = await this.some(length - got)
      if (more === undefined) return all.subarray(0, got)
      got += more.copy(all, got)
    }
    return all
  }

  /** Whoever hands the bytes out need not go on. */
  async close(): Promise<void> {
    await this.#pieces.return?.()
  }
}
