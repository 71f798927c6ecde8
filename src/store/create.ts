/** Makes a store: built under another name and renamed, so that half a store never has the name. */
import { randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ArtifactsError, isSystemError } from '../errors.ts'
import { encodeFormat } from './format.ts'
import type { Io } from './io/io.ts'
import { layoutOf, STAGING_PREFIX, temporaryName } from './layout.ts'

export interface CreateOptions {
  readonly io: Io
  /** This program, such as `artifacts/0.1.0`. */
  readonly tool: string
  /** Writable for the group, and files of its group, as with `git init --shared`. */
  readonly shared: boolean
}

/**
 * Makes the store `root`, a path that ends in `.artifacts`. Returns false where one is already; nothing is changed then.
 * @throws ArtifactsError ERR_EXISTS when something else has that name.
 */
export function createStore(root: string, options: CreateOptions): boolean {
  const created = makeStore(root, options)
  // Also when it was there: who made it, or the folders above, may have died before their names were durable.
  syncWayTo(options.io, dirname(root))
  return created
}

function makeStore(root: string, { io, tool, shared }: CreateOptions): boolean {
  if (existsSync(layoutOf(root).format)) return false
  const workspace = dirname(root)
  io.mkdir(workspace, { recursive: true })
  const draft = layoutOf(join(workspace, `${STAGING_PREFIX}${temporaryName()}`))
  const directories = [draft.root, draft.packs, draft.log, draft.bindings, draft.tmp]
  try {
    for (const directory of directories) {
      io.mkdir(directory)
      if (shared) io.chmod(directory, 0o2775)
    }
    io.createFile(draft.gitignore, Buffer.from('*\n'), { durable: true })
    const identity = { id: randomBytes(16).toString('hex'), tool }
    io.createFile(draft.format, encodeFormat(identity), { durable: true })
    for (const directory of directories) io.fsyncDirectory(directory)
    io.rename(draft.root, root)
    return true
  } catch (error) {
    removeDraft(io, draft.root, directories)
    if (!isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error
    // Somebody else was quicker.
    if (existsSync(layoutOf(root).format)) return false
    throw new ArtifactsError('ERR_EXISTS', `"${root}" is there and is no store.`, {
      hint: `Look at it, then move it away: \`mv ${root} ${root}.old\``,
      cause: error,
    })
  }
}

/** Makes the names that lead to what is in a directory durable, up to the root of its file system. */
function syncWayTo(io: Io, directory: string): void {
  const { dev } = statSync(directory)
  for (let path = directory; statSync(path).dev === dev; path = dirname(path)) {
    try {
      io.fsyncDirectory(path)
    } catch (error) {
      // Somebody else's folder on the way to ours.
      if (!isSystemError(error, 'EACCES')) throw error
    }
    if (path === dirname(path)) return
  }
}

function removeDraft(io: Io, root: string, directories: readonly string[]): void {
  const { gitignore, format } = layoutOf(root)
  const steps = [
    ...[gitignore, format].map((file) => () => io.unlink(file)),
    ...directories.toReversed().map((directory) => () => io.rmdir(directory)),
  ]
  for (const step of steps) {
    try {
      step()
    } catch {
      // The error that led here is the one to be told.
    }
  }
}
