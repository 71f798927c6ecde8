/**
 * What a reference records of the bytes, and how they are checked against it. `sha256`, `md5`, `crc32c` are of the bytes
 * themselves; `etag` is the server's own name for a state of them; `uri` says nothing but where they are.
 */
import { createHash } from 'node:crypto'
import { ArtifactsError } from '../../errors.ts'
import { type Hasher, hasherFor } from '../../store/reference-digest.ts'
import type { Reference } from '../../types.ts'
import { shownUri } from './uri.ts'

/** A digest that only tells one URI from another. */
export function uriDigest(uri: string): Reference['digest'] {
  return { algo: 'uri', value: createHash('sha256').update(uri).digest('hex') }
}

/** A reference of which only the URI is known. @param resolved false: to be looked at later. */
export function bareReference(uri: string, resolved: boolean): Reference {
  return { uri, digest: uriDigest(uri), resolved }
}

/** Compares bytes, piece by piece, with what was recorded. */
export class RecordCheck {
  readonly #reference: Reference
  readonly #hasher: Hasher | undefined
  readonly #md5: { readonly hasher: Hasher; readonly value: string } | undefined
  #bytes = 0

  /** @param md5 of the bytes, by the word of who sends them, in hex. */
  constructor(reference: Reference, md5?: string) {
    const hasher = hasherFor('md5')
    this.#md5 = md5 === undefined || hasher === undefined ? undefined : { hasher, value: md5 }
    this.#reference = reference
    this.#hasher = hasherFor(reference.digest.algo)
  }

  update(piece: Uint8Array): void {
    this.#bytes += piece.length
    const { size } = this.#reference
    if (size !== undefined && this.#bytes > size) {
      throw changed(this.#reference, `more bytes than the ${size} that were recorded`)
    }
    this.#hasher?.update(piece)
    this.#md5?.hasher.update(piece)
  }

  /** @throws ArtifactsError ERR_REMOTE_CHANGED when the bytes were not those that were recorded. */
  finish(): void {
    const { size, digest } = this.#reference
    if (size !== undefined && this.#bytes !== size) {
      throw changed(this.#reference, `${this.#bytes} bytes where ${size} were recorded`)
    }
    const found = this.#hasher?.hex()
    if (found !== undefined && found !== digest.value) {
      throw changed(
        this.#reference,
        `the ${digest.algo} ${found} where ${digest.value} was recorded`,
      )
    }
    const md5 = this.#md5?.hasher.hex()
    if (md5 !== this.#md5?.value) {
      throw changed(this.#reference, `the MD5 ${md5}, although it is sent as ${this.#md5?.value}`)
    }
  }
}

/** @param now what is there, as `the ETag "b" where "a" was recorded`. */
export function changed({ uri }: Reference, now: string): ArtifactsError {
  const shown = shownUri(uri)
  return new ArtifactsError(
    'ERR_REMOTE_CHANGED',
    `"${shown}" has changed since it was recorded: it has ${now}.`,
    {
      hint: `Record it as it is now: \`artifacts commit ${shown} --incremental -n NAME --as PATH\`.`,
      data: { uri: shown },
    },
  )
}
