/** How many operations a remote's log has, without reading them (docs/remote.md section 4, "The tip"). */
import { ArtifactsError } from '../../errors.ts'
import type { Backend, RequestOptions } from '../backend.ts'
import { operationName } from './names.ts'
import { checkPosition, readLatest } from './remote-log.ts'

/**
 * The number of the newest operation; 0 where there is none. About 2·log₂ of the operations that `latest.json` does not
 * know of.
 */
export async function findTip(backend: Backend, options: RequestOptions = {}): Promise<number> {
  const isThere = async (n: number): Promise<boolean> =>
    n <= LAST && (await backend.head(operationName(n), options)) !== undefined
  const start = await startOf(backend, options)
  let there = 0
  let absent = 1
  while (await isThere(start + absent)) {
    there = absent
    absent *= 2
  }
  while (absent - there > 1) {
    const middle = Math.floor((there + absent) / 2)
    if (await isThere(start + middle)) there = middle
    else absent = middle
  }
  return start + there
}

/** The largest number that a name holds. */
const LAST = 999_999_999_999

async function startOf(backend: Backend, options: RequestOptions): Promise<number> {
  const latest = await readLatest(backend, options)
  if (latest === undefined || latest.n > LAST) return 0
  try {
    await checkPosition(backend, latest, options)
    return latest.n
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_REMOTE_CHANGED') return 0
    throw error
  }
}
