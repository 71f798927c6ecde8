/** The bytes of a tar, whether it is packed by gzip or not. What other programs pack is told by its first bytes. */
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { ArtifactsError } from '../errors.ts'
import { damagedTar } from './read.ts'

const GZIP = '1f8b'
/** First bytes, in hex, and the program that unpacks what begins so. */
const PACKED: readonly (readonly [magic: string, program: string])[] = [
  ['28b52ffd', 'zstd'],
  ['fd377a585a00', 'xz'],
  ['425a68', 'bzip2'],
]
const LONGEST_MAGIC = 6

/** gzip makes 1,000 bytes of one where it repeats: what is larger than this and than so many times the file is refused. */
const UNPACKED_BYTES = 2 ** 30
const MOST_TIMES = 200

/**
 * @param name what errors call it
 * @throws ArtifactsError ERR_DAMAGED for a gzip file that is not whole, ERR_UNSUPPORTED for one that unpacks to a
 * multiple of itself and for what other programs packed
 */
export async function* plainTar(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = bytes[Symbol.asyncIterator]()
  try {
    const head: Uint8Array[] = []
    let length = 0
    while (length < LONGEST_MAGIC) {
      const { done, value } = await pieces.next()
      if (done === true) break
      head.push(value)
      length += value.length
    }
    const magic = Buffer.concat(head.map((piece) => piece.subarray(0, LONGEST_MAGIC))).toString(
      'hex',
    )
    for (const [first, program] of PACKED) if (magic.startsWith(first)) throw packed(name, program)
    const all = joined(head, pieces)
    if (magic.startsWith(GZIP)) yield* unzipped(all, name)
    else yield* all
  } finally {
    await pieces.return?.()
  }
}

async function* joined(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* head
  for (;;) {
    const { done, value } = await rest.next()
    if (done === true) return
    yield value
  }
}

async function* unzipped(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let taken = 0
  let given = 0
  const counted = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of bytes) {
      taken += piece.length
      yield piece
    }
  }
  const gunzip = createGunzip({ chunkSize: 1 << 18 })
  // Errors of the source end the unpacking, and come out of the loop below.
  pipeline(Readable.from(counted(), { objectMode: true, highWaterMark: 1 }), gunzip, () => {})
  try {
    for await (const piece of gunzip as AsyncIterable<Uint8Array>) {
      given += piece.length
      if (given > Math.max(UNPACKED_BYTES, taken * MOST_TIMES)) throw bomb(name)
      yield piece
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))) {
      throw error
    }
    throw damagedTar(`${name} is no whole gzip file: ${error.message}`)
  }
  if (gunzip.bytesWritten < taken) throw damagedTar(`${name} has something behind its end`)
}

function packed(name: string, program: string): ArtifactsError {
  return new ArtifactsError('ERR_UNSUPPORTED', `The tar ${name} is packed by ${program}.`, {
    hint: `Unpack it on the way: \`${program} -dc FILE | artifacts import - -n NAME\`.`,
  })
}

function bomb(name: string): ArtifactsError {
  return new ArtifactsError(
    'ERR_UNSUPPORTED',
    `The tar ${name} unpacks to more than ${MOST_TIMES} times its size.`,
    {
      hint: 'If it is meant to, unpack it on the way: `gzip -dc FILE | artifacts import - -n NAME`.',
    },
  )
}
