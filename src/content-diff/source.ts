/** What two files are compared through: bytes at any place, and which chunks they consist of. No store, no disk. */

/** Chunk i holds the bytes from `starts[i]` to `starts[i + 1]`; its id is 32 bytes of `ids`. */
export interface Chunks {
  readonly ids: Buffer
  /** One more than there are chunks; the last is the size of the file. */
  readonly starts: Float64Array
}

export interface Source {
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** The bytes from `at` on, fewer where the file ends before; valid until the next call. */
  read(at: number, length: number): Uint8Array
  /** From `at` to the end; each piece is valid until the next. */
  pieces(at?: number): Iterable<Uint8Array>
  /** Equal ids are equal bytes. */
  chunks(): Chunks
}

/** The whole file in memory of its own. */
export function readAll(source: Source): Buffer {
  const bytes = Buffer.allocUnsafe(source.size)
  let at = 0
  for (const piece of source.pieces()) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
