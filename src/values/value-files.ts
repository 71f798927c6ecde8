/** Between values and the files of a version: what a value becomes, and what it is read from. */
import { isUtf8 } from 'node:buffer'
import { ArtifactsError } from '../errors.ts'
import type { Json } from '../types.ts'
import { parseJson, parsePythonJson } from './json-text.ts'

/** A file to add: its bytes, a local file, or the entry of another version by its URL, with the object it came from. */
export type ValueFile = { readonly path: string } & (
  | { readonly bytes: Uint8Array }
  | { readonly source: string }
  | { readonly url: string; readonly from: object }
)

/** The files that values are read from: those of a version, or of a draft. */
export interface ValueSource {
  /** What is known of the file at exactly this path; undefined where there is none. */
  entry(path: string): MaybePromise<{ readonly size?: number | undefined } | undefined>
  /** The bytes of a file that is there. */
  read(path: string): AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  /** The paths of files that begin with this text, in ascending order. */
  paths(prefix: string): AsyncIterable<string> | Iterable<string>
  /** How other versions refer to the file; undefined in a draft. */
  url?(path: string): string
}

type MaybePromise<T> = T | Promise<T>

/** All bytes of a file. @throws ArtifactsError ERR_NOT_FOUND, ERR_UNSUPPORTED for one that memory can't hold. */
export async function readAll(
  source: ValueSource,
  path: string,
  limit: number = MAX_BYTES,
): Promise<Uint8Array> {
  const entry = await source.entry(path)
  if (entry === undefined) {
    throw new ArtifactsError('ERR_NOT_FOUND', `There is no file "${path}".`, {
      hint: 'See what is there: `artifacts ls REF`.',
    })
  }
  const tooLarge = (): ArtifactsError =>
    new ArtifactsError('ERR_UNSUPPORTED', `"${path}" is too large to be one value in memory.`, {
      hint: 'Read it piece by piece: `artifacts cat REF PATH`.',
    })
  if ((entry.size ?? 0) > limit) throw tooLarge()
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of source.read(path)) {
    length += piece.length
    if (length > limit) throw tooLarge()
    pieces.push(piece)
  }
  return Buffer.concat(pieces, length)
}

/** A file as text. @throws ArtifactsError also ERR_INVALID_VALUE when it is none. */
export async function readText(source: ValueSource, path: string): Promise<string> {
  const bytes = await readAll(source, path, MAX_TEXT)
  if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  throw new ArtifactsError('ERR_INVALID_VALUE', `"${path}" is not text in UTF-8.`, {
    hint: 'Read its bytes instead of its value: `artifacts cat REF PATH`.',
  })
}

/** A file as JSON. @throws ArtifactsError as `readText`. */
export async function readJson(source: ValueSource, path: string): Promise<Json> {
  return parseJson(await readText(source, path), path)
}

/** A document that W&B may have written, in which numbers may be infinite. */
export async function readDocument(source: ValueSource, path: string): Promise<Json> {
  return parsePythonJson(await readText(source, path), path)
}

const MAX_BYTES = 2 ** 31
/** Below the longest string that there can be. */
const MAX_TEXT = 2 ** 29 - 64
