/**
 * What a reference records of the bytes, and how they are checked against it. `sha256`, `md5`, `crc32c` are of the bytes
 * themselves; `etag` is the server's own name for a state of them; `uri` says nothing but where they are.
 */
import { createHash } from 'node:crypto'
import { ArtifactsError } from '../../errors.ts'
import type { Reference } from '../../types.ts'
import { crc32c } from './crc32c.ts'
import { shownUri } from './uri.ts'

/** A digest that only tells one URI from another. */
export function uriDigest(uri: string): Reference['digest'] {
  return { algo: 'uri', value: createHash('sha256').update(uri).digest('hex') }
}

/** A reference of which only the URI is known. @param resolved false: to be looked at later. */
export function bareReference(uri: string, resolved: boolean): Reference {
  return { uri, digest: uriDigest(uri), resolved }
}

interface Hasher {
  update(bytes: Uint8Array): void
  hex(): string
}

/** Whether the digest is of the bytes, so that it can be computed from them. */
export function isContentDigest({ digest }: Reference): boolean {
  return digest.algo === 'sha256' || digest.algo === 'md5' || digest.algo === 'crc32c'
}

function hasherFor({ digest }: Reference): Hasher | undefined {
  switch (digest.algo) {
    case 'sha256':
    case 'md5': {
      const hash = createHash(digest.algo)
      return { update: (bytes) => hash.update(bytes), hex: () => hash.digest('hex') }
    }
    case 'crc32c': {
      let state = 0
      return {
        update: (bytes) => {
          state = crc32c(bytes, state)
        },
        hex: () => state.toString(16).padStart(8, '0'),
      }
    }
    default:
      return undefined
  }
}

/** Compares bytes, piece by piece, with what was recorded. */
export class RecordCheck {
  readonly #reference: Reference
  readonly #hasher: Hasher | undefined
  #bytes = 0

  constructor(reference: Reference) {
    this.#reference = reference
    this.#hasher = hasherFor(reference)
  }

  get bytes(): number {
    return this.#bytes
  }

  update(piece: Uint8Array): void {
    this.#bytes += piece.length
    const { size } = this.#reference
    if (size !== undefined && this.#bytes > size)
      throw changed(this.#reference, `more than ${size} bytes`)
    this.#hasher?.update(piece)
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
  }
}

/** @param now what is there, as `the ETag "b" where "a" was recorded`. */
export function changed({ uri }: Reference, now: string): ArtifactsError {
  return new ArtifactsError(
    'ERR_REMOTE_CHANGED',
    `"${shownUri(uri)}" has changed since it was recorded: it has ${now}.`,
    {
      hint: `Record it as it is now: \`artifacts commit ${shownUri(uri)} --incremental -n NAME --as PATH\`.`,
      data: { uri: shownUri(uri) },
    },
  )
}
