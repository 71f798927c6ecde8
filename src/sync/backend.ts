/**
 * The one interface to what lies elsewhere (docs/remote.md section 2): files under a base address, in seven requests.
 * Memory, folders, HTTP, S3 and tar implement it; retrying, limits, progress and read-only are wrappers around it.
 * One suite runs over all of them: test/sync/conformance.ts.
 */
import { ArtifactsError } from '../errors.ts'
import type { Source } from './source.ts'

export interface Backend extends AsyncDisposable {
  /** The address for messages: never with a password, a token or a query. */
  readonly address: string
  /**
   * Opens a file, or a range of it, `end` excluded.
   * @throws ArtifactsError ERR_NOT_FOUND when it is absent; ERR_INVALID_VALUE for a range that ends behind the file.
   */
  get(name: string, options?: GetOptions): Promise<Content>
  /** Undefined when it is absent. */
  head(name: string, options?: RequestOptions): Promise<FileFacts | undefined>
  /**
   * Makes a new file. Of all who ask for one name, at any time, one is told `created`. After an error for want of an
   * answer the file may be there.
   * @throws ArtifactsError ERR_UNSUPPORTED where the remote knows no such condition, ERR_READ_ONLY where it takes no files.
   */
  putIfAbsent(name: string, source: Source, options?: RequestOptions): Promise<'created' | 'exists'>
  /** Makes a file, or replaces it. */
  put(name: string, source: Source, options?: RequestOptions): Promise<void>
  /** The files in a folder (`packs/`, `log/`), by name, from the first one above `after`. */
  list(folder: string, options?: ListOptions): AsyncIterable<ListedFile>
  /** Removes a file; one that is absent is no error. */
  delete(name: string, options?: RequestOptions): Promise<void>
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined
}

export interface Range {
  readonly start: number
  /** Excluded; above `start`. */
  readonly end: number
}

export interface GetOptions extends RequestOptions {
  readonly range?: Range | undefined
}

export interface ListOptions extends RequestOptions {
  /** A whole name, such as `packs/….pack`. */
  readonly after?: string | undefined
}

export interface Content {
  /** How many bytes come: of the range, or of the file. */
  readonly size: number
  /**
   * Exactly `size` bytes, else it throws. To be gone through once, to its end or not, because a connection or a file is
   * open until then. Pieces may be overwritten when the next one is asked for.
   */
  readonly bytes: AsyncIterable<Uint8Array>
}

export interface FileFacts {
  readonly size: number
}

export interface ListedFile extends FileFacts {
  readonly name: string
  /** Milliseconds since 1970, by the remote's clock. */
  readonly modified: number
}

/** All bytes of a file, or of a range, of which there may be at most `most`. */
export async function readAll(
  backend: Backend,
  name: string,
  { most, ...options }: GetOptions & { readonly most: number },
): Promise<Buffer> {
  const { size, bytes } = await backend.get(name, options)
  if (size > most) {
    // Closes what is open.
    for await (const _ of bytes) break
    throw new ArtifactsError(
      'ERR_DAMAGED',
      `"${backend.address}${name}" has ${size} bytes, and at most ${most} are right.`,
      { hint: 'Check the address: this is no remote, or what lies there was changed.' },
    )
  }
  const all = Buffer.allocUnsafe(size)
  let at = 0
  for await (const piece of bytes) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
