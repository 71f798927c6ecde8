/** Holds a volume to its `SHA256SUMS`: every file is in it, in order, and has those bytes. */
import type { ArtifactsError } from '../../errors.ts'
import { wrong } from '../backends/tar-index.ts'
import {
  END_NAME,
  hashOfFile,
  readVolumeFile,
  SUMS_NAME,
  type Volume,
} from '../backends/tar-volume.ts'

/** Of a line, whose name has at most 100 bytes. */
const LONGEST_LINE = 64 + 2 + 100 + 1

/**
 * Reads every byte of a volume.
 * @throws ArtifactsError ERR_DAMAGED
 */
export function checkSums(volume: Volume, options: { readonly signal?: AbortSignal } = {}): void {
  const sums = readSums(volume)
  for (const [name, sum] of sums) {
    options.signal?.throwIfAborted()
    if (hashOfFile(volume, name) !== sum) throw wrongSum(volume, name)
  }
}

/** What each file must hash to, in the order of the volume. @throws ArtifactsError ERR_DAMAGED */
export function readSums(volume: Volume): ReadonlyMap<string, string> {
  const most = volume.files.size * LONGEST_LINE
  const text = readVolumeFile(volume, SUMS_NAME, most).toString('latin1')
  const names = [...volume.files.keys()].filter((name) => name !== SUMS_NAME && name !== END_NAME)
  const lines = text.split('\n')
  const sums = new Map<string, string>()
  if (lines.pop() !== '' || lines.length !== names.length) {
    throw wrong(volume.path, `has other files than its ${SUMS_NAME} lists`)
  }
  for (const [i, name] of names.entries()) {
    const [, sum, listed] = /^([0-9a-f]{64}) {2}(.+)$/.exec(lines[i] as string) ?? []
    if (sum === undefined || listed !== name) {
      throw wrong(volume.path, `has other files than its ${SUMS_NAME} lists`)
    }
    sums.set(name, sum)
  }
  return sums
}

export function wrongSum({ path }: Volume, name: string): ArtifactsError {
  return wrong(path, `holds a "${name}" that is not what ${SUMS_NAME} says`)
}
