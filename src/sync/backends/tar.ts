/**
 * Bundles as a remote that is read (docs/remote.md section 9): one tar, or the volumes of a set, in any order. A tar that was
 * cut between two files looks whole to every program; the end record of each volume tells.
 */
import { pathToFileURL } from 'node:url'
import type {
  Backend,
  Content,
  FileFacts,
  GetOptions,
  ListedFile,
  ListOptions,
  Range,
} from '../backend.ts'
import { absent, outside, takesNoFiles } from './errors.ts'
import { checkFileName, checkFolderName } from './names.ts'
import { wrong } from './tar-index.ts'
import { openVolume, readPieces, type Volume } from './tar-volume.ts'

export class TarBackend implements Backend {
  readonly address: string
  readonly #volumes: readonly Volume[]

  /**
   * @param paths the volumes at hand, at least one, as absolute paths
   * @throws ArtifactsError ERR_DAMAGED for a tar that is no whole volume, or one of another bundle
   */
  static open(paths: readonly [string, ...string[]]): TarBackend {
    const volumes: Volume[] = []
    try {
      let bundle: string | undefined
      for (const path of paths) {
        const volume = openVolume(path)
        volumes.push(volume)
        if (bundle !== undefined && volume.end.bundle !== bundle) {
          throw wrong(path, `does not belong to the same set as "${paths[0]}"`)
        }
        bundle = volume.end.bundle
      }
      return new TarBackend(`${pathToFileURL(paths[0]).href}/`, volumes)
    } catch (error) {
      for (const volume of volumes) volume[Symbol.dispose]()
      throw error
    }
  }

  private constructor(address: string, volumes: readonly Volume[]) {
    this.address = address
    this.#volumes = volumes
  }

  async get(name: string, { range, signal }: GetOptions = {}): Promise<Content> {
    signal?.throwIfAborted()
    const found = this.#find(checkFileName(name))
    if (found === undefined) throw absent(this.address + name)
    const { volume, at } = found
    const size = at.end - at.start
    const beyond = range && outside(this.address + name, size, range)
    if (beyond !== undefined) throw beyond
    const { start, end } = range ?? { start: 0, end: size }
    return {
      size: end - start,
      bytes: pieces(volume, { start: at.start + start, end: at.start + end }, signal),
    }
  }

  async head(name: string): Promise<FileFacts | undefined> {
    const found = this.#find(checkFileName(name))
    return found && { size: found.at.end - found.at.start }
  }

  async *list(folder: string, { after = '' }: ListOptions = {}): AsyncIterable<ListedFile> {
    checkFolderName(folder)
    const names = new Set(this.#volumes.flatMap(({ files }) => Array.from(files.keys())))
    for (const name of [...names].sort()) {
      const found = this.#find(name)
      if (found === undefined || !name.startsWith(folder) || name <= after) continue
      const { volume, at } = found
      yield { name, size: at.end - at.start, modified: volume.modified }
    }
  }

  async putIfAbsent(): Promise<never> {
    throw takesNoFiles(this.address)
  }

  async put(): Promise<never> {
    throw takesNoFiles(this.address)
  }

  async delete(): Promise<never> {
    throw takesNoFiles(this.address)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const volume of this.#volumes) volume[Symbol.dispose]()
  }

  #find(name: string): { volume: Volume; at: Range } | undefined {
    for (const volume of this.#volumes) {
      const at = volume.files.get(name)
      if (at !== undefined) return { volume, at }
    }
    return undefined
  }
}

async function* pieces(
  volume: Volume,
  range: Range,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  for (const piece of readPieces(volume, range)) {
    signal?.throwIfAborted()
    yield piece
  }
}
