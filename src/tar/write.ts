/**
 * Writes a tar (through tar-stream) whose bytes depend on its entries alone: no times, no owners. ustar where a name fits
 * into it, pax records where not. Every program reads that.
 */
import type { Pack } from 'tar-stream'

export type TarItem = {
  readonly path: string
} & (
  | {
      readonly kind: 'file'
      /** Bytes; exactly as many must come. */
      readonly size: number
      readonly executable: boolean
      readonly bytes: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>
    }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'directory' }
)

const EPOCH = new Date(0)
/** What a header holds of a link's target. */
const SHORT_TARGET = 100
/** Bytes that are handed on together: a tar of small files is many small pieces. */
const PIECE = 1 << 18

/** The tar, piece by piece, in the order of its entries. */
export async function* writeTar(
  items: Iterable<TarItem> | AsyncIterable<TarItem>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { pack } = await import('tar-stream')
  const tar = pack()
  const written = fill(tar, items).catch((error: Error) => tar.destroy(error))
  try {
    yield* together(tar as unknown as AsyncIterable<Uint8Array>)
  } finally {
    tar.destroy()
    await written
  }
}

async function fill(tar: Pack, items: Iterable<TarItem> | AsyncIterable<TarItem>): Promise<void> {
  for await (const item of items) await add(tar, item)
  tar.finalize()
}

async function add(tar: Pack, item: TarItem): Promise<void> {
  let done: (error?: Error | null) => void = () => {}
  const end = new Promise<void>((resolve, reject) => {
    done = (error) => {
      if (error) reject(error)
      else resolve()
    }
  })
  // Awaited below; while bytes are read nobody waits for it.
  end.catch(() => {})
  const stream = tar.entry(headerOf(item), (error) => done(error))
  // The callback tells; an event that nobody hears would end the process.
  stream.on('error', () => {})
  if (item.kind === 'file') {
    for await (const bytes of item.bytes()) {
      if (!stream.write(bytes)) await drained(stream)
      if (stream.destroyed) break
    }
    stream.end(null)
  }
  await end
}

function drained(stream: ReturnType<Pack['entry']>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}

function headerOf(item: TarItem): Parameters<Pack['entry']>[0] {
  const common = { mtime: EPOCH, uid: 0, gid: 0 }
  switch (item.kind) {
    case 'file':
      return {
        ...common,
        name: item.path,
        type: 'file',
        mode: item.executable ? 0o755 : 0o644,
        size: item.size,
      }
    case 'symlink': {
      // Long ones alone make pax records; other bytes than ASCII need some too, or readers would guess what they mean.
      const isPlain = item.target.length <= SHORT_TARGET && /^[\x20-\x7e]*$/.test(item.target)
      const pax = isPlain ? {} : { pax: {} }
      return {
        ...common,
        ...pax,
        name: item.path,
        type: 'symlink',
        mode: 0o777,
        linkname: item.target,
      }
    }
    case 'directory':
      return { ...common, name: `${item.path}/`, type: 'directory', mode: 0o755 }
    default:
      return item satisfies never
  }
}

async function* together(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let waiting: Uint8Array[] = []
  let length = 0
  for await (const piece of pieces) {
    waiting.push(piece)
    length += piece.length
    if (length < PIECE) continue
    yield Buffer.concat(waiting)
    waiting = []
    length = 0
  }
  if (length > 0) yield Buffer.concat(waiting)
}
