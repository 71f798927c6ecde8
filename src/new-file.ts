/**
 * A file of a draft that a program writes: `await using file = draft.newFile('hello.txt')`. Ending it adds it, and so does
 * leaving its block. Destroying it, or an error while writing, adds nothing; an error that nobody was told of keeps the
 * draft from being logged.
 */
import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { ArtifactsError } from './errors.ts'
import type { OpenStagedFile } from './staged-files.ts'

/** What was added to a draft. */
export interface DraftEntry {
  readonly path: string
  /** Bytes; undefined where nobody knows. */
  readonly size: number | undefined
  /** The file that it was added from. */
  readonly localPath: string | undefined
}

export interface NewFileOptions {
  /** `x` (default): the path must be free; `w`: it takes the place of what is there. */
  readonly mode?: 'x' | 'w'
  /** Of texts that are written; default `utf8`. A character that it can't hold is an error. */
  readonly encoding?: BufferEncoding
}

/** The draft that a file is written for. */
export interface NewFileHome {
  /** The file has ended and is about to be added; throws where the draft takes nothing any more. */
  readonly ending: (file: NewFile) => void
  /** Takes the file up. */
  readonly add: () => Promise<DraftEntry>
  /** The file is added or gone. */
  readonly over: (file: NewFile) => void
}

export class NewFile extends Writable {
  /** In the version. */
  readonly path: string
  readonly #file: OpenStagedFile
  readonly #encoding: BufferEncoding
  readonly #home: NewFileHome
  #entry: DraftEntry | undefined
  #isOpen = true
  #isAsked = false
  #failure: Error | undefined

  constructor(path: string, file: OpenStagedFile, encoding: BufferEncoding, home: NewFileHome) {
    super({ decodeStrings: false, defaultEncoding: encoding })
    this.path = path
    this.#file = file
    this.#encoding = encoding
    this.#home = home
    // Who closes the file, or logs the draft, is told.
    this.on('error', () => {})
  }

  /** What kept it from being added, if nobody was told yet. Whoever destroys it knows why. */
  get unheardError(): Error | undefined {
    return this.#isAsked ? undefined : this.#failure
  }

  /** Ends the file; resolves when the draft has it. */
  async close(): Promise<DraftEntry> {
    this.#isAsked = true
    this.end()
    if (!this.writableFinished) await finished(this, { readable: false })
    if (this.#entry === undefined) throw this.errored ?? new Error('The file was destroyed.')
    return this.#entry
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever destroyed it wants nothing of it.
    if (!this.destroyed || this.errored !== null) await this.close()
  }

  override end(...rest: unknown[]): this {
    if (!this.writableEnded && !this.destroyed) {
      try {
        this.#home.ending(this)
      } catch (error) {
        this.#failure = error as Error
        return this.destroy(this.#failure)
      }
    }
    return super.end(...(rest as []))
  }

  override _write(
    chunk: string | Uint8Array,
    encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    try {
      const text = typeof chunk === 'string' ? encode(chunk, encoding ?? this.#encoding) : chunk
      this.#file.write(text)
    } catch (error) {
      this.#failure = error as Error
      done(this.#failure)
      return
    }
    done()
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#isOpen = false
    this.#file.close()
    this.#home.add().then(
      (entry) => {
        this.#entry = entry
        done()
      },
      (error: Error) => {
        this.#failure = error
        done(error)
      },
    )
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#isOpen) this.#file.discard()
    this.#isOpen = false
    this.#home.over(this)
    done(error)
  }
}

/** The bytes of a text; `Buffer.from` would put something else where the encoding has no such character. */
function encode(text: string, encoding: BufferEncoding): Uint8Array {
  const most = encoding === 'ascii' ? 0x7f : 0xff
  const isNarrow = encoding === 'ascii' || encoding === 'latin1' || encoding === 'binary'
  const bad = isNarrow
    ? Array.from(text).find((character) => (character.codePointAt(0) as number) > most)
    : /\p{Surrogate}/u.exec(text)?.[0]
  if (bad === undefined) return Buffer.from(text, encoding)
  throw new ArtifactsError(
    'ERR_USAGE',
    `The character U+${(bad.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')} can't be written as "${encoding}".`,
    { hint: 'Write the file as `utf8`, or leave the character out.' },
  )
}
