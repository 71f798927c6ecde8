/** Where the store is that a directory belongs to, and who asks. */
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { ArtifactsError } from './errors.ts'

export const STORE_DIRECTORY = '.artifacts'

/** The `.artifacts` directory that is named, else the one at or above `from`. @throws ArtifactsError ERR_NO_STORE. */
export function rootOf({ store, from = '.' }: Place): string {
  return store === undefined ? findStore(from) : resolve(store)
}

interface Place {
  readonly store?: string
  readonly from?: string
}

function findStore(from: string): string {
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    const root = basename(dir) === STORE_DIRECTORY ? dir : join(dir, STORE_DIRECTORY)
    if (existsSync(root)) return root
    if (dir === dirname(dir)) {
      throw new ArtifactsError(
        'ERR_NO_STORE',
        `There is no store in "${resolve(from)}" or above.`,
        {
          hint: 'Run `artifacts init` to make one.',
        },
      )
    }
  }
}

/** A container may run under a number that has no name. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'user')
  }
}
