/** Segments of a remote's log (docs/remote.md section 4): who writes the last operation of one puts it, for those who read much. */
import type { OperationRange } from '../../store/layout.ts'
import type { Backend, RequestOptions } from '../backend.ts'
import { bytesSource } from '../source.ts'
import { SEGMENT_SIZES, segmentAround, segmentName } from './names.ts'

/** A longer one is left to be read operation by operation. */
const MOST_BYTES = 64 << 20

/**
 * Puts the segments that end with operation `n`.
 * @param records both lines of each operation of a range, in order
 */
export async function putSegments(
  backend: Backend,
  n: number,
  records: (range: OperationRange) => AsyncIterable<Uint8Array>,
  options: RequestOptions = {},
): Promise<void> {
  for (const size of SEGMENT_SIZES) {
    if (n % size !== 0) return
    const range = segmentAround(n, size)
    const all: Uint8Array[] = []
    let bytes = 0
    for await (const record of records(range)) {
      bytes += record.length
      if (bytes > MOST_BYTES) return
      all.push(record)
    }
    if (all.length < size) return
    await backend.putIfAbsent(segmentName(range), bytesSource(Buffer.concat(all)), options)
  }
}
