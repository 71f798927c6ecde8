/** A store that may only be read: what the system refuses is a file in it, what a person wants to hear of is the store. */
import { sep } from 'node:path'
import { ArtifactsError, isSystemError } from './errors.ts'
import type { Session } from './session.ts'

/** Returns ERR_READ_ONLY for an error that says that nothing can be written in the store; any other as it is. */
export function refusalOf({ opened }: Session, error: unknown): unknown {
  const { root } = opened.layout
  if (!isSystemError(error, 'EACCES', 'EPERM', 'EROFS')) return error
  if (error.path?.startsWith(`${root}${sep}`) !== true) return error
  return new ArtifactsError('ERR_READ_ONLY', `The store "${root}" can only be read.`, {
    hint:
      error.code === 'EROFS'
        ? 'Its file system is read-only: mount it writable, or make another store with `artifacts init`.'
        : 'Ask its owner for the right to write, or make a store of your own with `artifacts init`.',
    cause: error,
  })
}
