/**
 * Writes one volume of a bundle: the same bytes for the same files, whoever writes them and when. It gets its name when
 * all of it was synced and read back, so that under that name there is a whole volume or none.
 */
import { dirname } from 'node:path'
import { type Pack, pack as tarStream } from 'tar-stream'
import { isFailedCall } from '../../errors.ts'
import type { Io } from '../../store/io/io.ts'
import { canonicalJson } from '../../store/log/canonical.ts'
import { END_NAME, MANIFEST_NAME, openVolume, SUMS_NAME } from '../backends/tar-volume.ts'
import { bytesSource, checkedPieces, type Source } from '../source.ts'
import { checkSums } from './check-sums.ts'

export const SIGNATURE_NAME = 'manifest.sig'

export interface NamedSource {
  readonly name: string
  readonly source: Source
}

export interface NewVolume {
  /** The bundle's id. */
  readonly bundle: string
  /** Which volume of its set it is, from 1. */
  readonly i: number
  readonly manifest: Buffer
  readonly signature?: Buffer | undefined
  /** `format.json` and the log. */
  readonly log: readonly NamedSource[]
  readonly packs: readonly NamedSource[]
}

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined
  /** Told of every byte once, as it is written. */
  readonly onWritten?: ((bytes: number) => void) | undefined
}

/** Replaces what is at `path`. @throws the system's errors, ERR_FILE_CHANGED for a pack that is not as it was. */
export async function writeVolume(
  io: Io,
  path: string,
  volume: NewVolume,
  { signal, onWritten }: WriteOptions = {},
): Promise<void> {
  const partial = `${path}.partial`
  try {
    const fd = io.open(partial, 'w')
    try {
      for await (const piece of tarOf(filesOf(volume))) {
        signal?.throwIfAborted()
        io.writeAll(fd, piece)
        onWritten?.(piece.length)
      }
      io.fsync(fd)
    } finally {
      io.close(fd)
    }
    using written = openVolume(partial)
    checkSums(written)
    io.rename(partial, path)
  } catch (error) {
    discard(io, partial)
    throw error
  }
  io.fsyncDirectory(dirname(path))
}

/** The files of a volume in their order, each with its length. */
function filesOf({ bundle, i, manifest, signature, log, packs }: NewVolume): NamedSource[] {
  const head: NamedSource[] = [
    { name: MANIFEST_NAME, source: bytesSource(manifest) },
    ...(signature === undefined ? [] : [{ name: SIGNATURE_NAME, source: bytesSource(signature) }]),
    ...log,
  ]
  const lines = [...head, ...packs].map(({ name, source }) => `${source.sha256}  ${name}\n`)
  const sums = bytesSource(lines.join(''))
  const files = [...head, { name: SUMS_NAME, source: sums }, ...packs]
  const end = { bundle, entries: files.length, sums: sums.sha256, volume: i }
  return [...files, { name: END_NAME, source: bytesSource(`${canonicalJson(end)}\n`) }]
}

/** The bytes of a tar with these files, and with nothing in its headers that is not theirs. */
export async function* tarOf(files: readonly NamedSource[]): AsyncGenerator<Uint8Array> {
  const archive = tarStream()
  // Whatever goes wrong in here ends the archive with that error, which the loop below throws.
  void fill(archive, files).catch((error: unknown) => archive.destroy(error as Error))
  for await (const piece of archive) yield piece as Buffer
}

async function fill(archive: Pack, files: readonly NamedSource[]): Promise<void> {
  for (const { name, source } of files) {
    await new Promise<void>((resolve, reject) => {
      const header = { name, size: source.size, type: 'file', mode: 0o644, ...NOBODY } as const
      const entry = archive.entry(header, (error) => (error ? reject(error) : resolve()))
      // Whoever reads the archive may stop, and every part of it then says so.
      entry.on('error', reject)
      void pour(source, entry).catch(reject)
    })
  }
  archive.finalize()
}

const NOBODY = { uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(0) }

async function pour(source: Source, entry: NodeJS.WritableStream): Promise<void> {
  for (const piece of checkedPieces(source)) {
    // A copy, because pieces are overwritten while the archive still holds them.
    if (!entry.write(Buffer.from(piece))) {
      await new Promise((resolve) => entry.once('drain', resolve))
    }
  }
  entry.end()
}

/** Removes what is half written; the error that led here is what the caller must hear of. */
function discard(io: Io, path: string): void {
  try {
    io.unlink(path)
  } catch (error) {
    if (!isFailedCall(error)) throw error
  }
}
