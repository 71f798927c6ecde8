/** Operations in a segment that comes over a connection, one after another, each bounded before it is kept. */
import { MAX_LINE, TAIL } from '../../store/log/operation.ts'

/** Both lines of each operation; ends where a line has no end or is too long, which whoever counts finds out. */
export async function* recordsIn(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  let kept: Buffer[] = []
  let length = 0
  let lines = 0
  for await (const piece of bytes) {
    let from = 0
    for (let end = piece.indexOf(LINE_END); end >= 0; end = piece.indexOf(LINE_END, from)) {
      const line = piece.subarray(from, end + 1)
      from = end + 1
      // Copies: pieces may be overwritten.
      kept.push(Buffer.from(line))
      length += line.length
      lines++
      if (length > MAX_LINE + TAIL) return
      if (lines < 2) continue
      yield Buffer.concat(kept)
      kept = []
      length = 0
      lines = 0
    }
    const rest = piece.subarray(from)
    kept.push(Buffer.from(rest))
    length += rest.length
    if (length > MAX_LINE + TAIL) return
  }
}

const LINE_END = 0x0a
