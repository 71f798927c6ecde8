/** The files of media among those of a value. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { IMAGE_HEAD } from './image-size.ts'
import { type MediaFile, mediaBytes } from './media.ts'
import type { ValueFile } from './value-files.ts'

/** Where the files of a value go. */
export interface Attachments {
  add(file: ValueFile): void
  /** The path at which the artifact has this local file, with these bytes, already. */
  find(localPath: string, sha256: string): Promise<string | undefined>
}

/** Adds one file under a name that says what is in it, and returns what a document says of it. */
export async function addMedia(
  file: MediaFile,
  folder: string,
  format: string,
  to: Attachments,
): Promise<Measured & { readonly path: string }> {
  const measure = await measured(file)
  const { sha256 } = measure
  const known = typeof file === 'string' ? await to.find(file, sha256) : undefined
  if (known !== undefined) return { path: known, ...measure }
  const short = sha256.slice(0, 20)
  const name =
    file instanceof Uint8Array ? undefined : basename(typeof file === 'string' ? file : file.path)
  const path = name === undefined ? `${folder}/${short}.${format}` : `${folder}/${short}/${name}`
  if (file instanceof Uint8Array) to.add({ path, bytes: file })
  else if (typeof file === 'string') to.add({ path, source: file })
  else {
    const url = file.files.url?.(file.path)
    to.add(
      url === undefined ? { path, bytes: await mediaBytes(file) } : { path, url, from: file.files },
    )
  }
  return { path, ...measure }
}

interface Measured {
  readonly sha256: string
  readonly size: number
  /** The first bytes. */
  readonly head: Uint8Array
}

async function measured(file: MediaFile): Promise<Measured> {
  const hash = createHash('sha256')
  const head: Uint8Array[] = []
  let size = 0
  const pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array> =
    file instanceof Uint8Array
      ? [file]
      : typeof file === 'string'
        ? createReadStream(file)
        : file.files.read(file.path)
  for await (const piece of pieces) {
    hash.update(piece)
    if (size < IMAGE_HEAD) head.push(piece.subarray(0, IMAGE_HEAD - size))
    size += piece.length
  }
  return { sha256: hash.digest('hex'), size, head: Buffer.concat(head) }
}
