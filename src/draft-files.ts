/**
 * Looking at files that go into a draft. What is in them is read when the draft is logged, so a file is remembered by its
 * size, times and inode; where these could stay the same although it is written again, because that was just done, also
 * by its digest or by waiting for the next tick of the clock (workspace/clock.ts).
 */
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { ArtifactsError, isSystemError } from './errors.ts'
import type { ListedFile } from './store/ingest/listed-files.ts'
import { MAX_ONE_CHUNK } from './store/tree/entry.ts'
import { granularityOf } from './store/workspace/clock.ts'
import type { EntryPath } from './types.ts'

/** A file as it is now. */
export type SeenFile = Omit<ListedFile, 'path'>

/** @throws ArtifactsError ERR_NOT_FOUND, ERR_USAGE for what is no file, ERR_FILE_CHANGED for one that never stands still. */
export async function lookAtFile(path: string): Promise<SeenFile> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const stat = statOf(path, path)
    if (!stat.isFile()) throw notAFile(path, stat)
    const file = realpathSync.native(path)
    const seen = seenFile(file, stat)
    const age = Date.now() - Math.max(stat.mtimeMs, stat.ctimeMs)
    const tick = granularityOf(BigInt(Math.trunc(stat.mtimeMs * 1e6)))
    if (age > tick) return seen
    if (seen.stat.size <= MAX_ONE_CHUNK) {
      const bytes = readFileSync(file)
      if (isSame(statOf(path, path), stat))
        return { ...seen, sha256: createHash('sha256').update(bytes).digest('hex') }
    } else {
      // A time in the future proves nothing, and is not waited for.
      await setTimeout(Math.min(tick - age + 1, 2 * tick))
      if (isSame(statOf(path, path), stat)) return seen
    }
  }
  throw new ArtifactsError('ERR_FILE_CHANGED', `"${path}" is being written to.`, {
    hint: 'Add it when the program that writes it is done.',
  })
}

/** The absolute path of a directory. @throws ArtifactsError ERR_NOT_FOUND, ERR_USAGE for what is none. */
export function requireDirectory(path: string): string {
  const stat = statOf(path, path)
  if (stat.isDirectory()) return resolve(path)
  throw new ArtifactsError('ERR_USAGE', `"${path}" is not a directory.`, {
    hint: stat.isFile() ? `Add the file: \`addFile(${JSON.stringify(path)})\`.` : undefined,
  })
}

/** SHA-256 of a file that is still as it was seen, in hex; undefined where it is another one now. */
export async function digestOf(seen: SeenFile): Promise<string | undefined> {
  if (seen.sha256 !== undefined) return seen.sha256
  const hash = createHash('sha256')
  try {
    for await (const bytes of createReadStream(seen.file)) hash.update(bytes as Buffer)
    return isSeen(seen, seenFile(seen.file, statSync(seen.file))) ? hash.digest('hex') : undefined
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/** Whether two looks saw the same file, which was not changed between them. */
export function isSeen(before: SeenFile, now: SeenFile): boolean {
  if (before.file !== now.file) return false
  if (before.sha256 !== undefined && now.sha256 !== undefined) return before.sha256 === now.sha256
  const { size, mtimeMs, ctimeMs, ino } = before.stat
  const { stat } = now
  return (
    stat.size === size && stat.mtimeMs === mtimeMs && stat.ctimeMs === ctimeMs && stat.ino === ino
  )
}

/** A path in the version for a file that is called `name`; `as` is its full path, or with `/` at the end its folder. */
export function placeOf(name: string, as: string | undefined): string {
  if (as === undefined) return basename(name)
  return as.endsWith('/') ? `${as.replace(/\/+$/, '')}/${basename(name)}` : as
}

/** The file with its place in a version. */
export function listedAt(seen: SeenFile, path: EntryPath): ListedFile {
  return { ...seen, path }
}

function seenFile(file: string, stat: Stats): SeenFile {
  const { size, mtimeMs, ctimeMs, ino, mode, dev } = stat
  return {
    file,
    stat: { size, mtimeMs, ctimeMs, ino },
    device: dev,
    executable: (mode & 0o100) !== 0,
  }
}

function isSame(a: Stats, b: Stats): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino
}

function statOf(path: string, named: string): Stats {
  try {
    return statSync(path)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) {
      throw new ArtifactsError('ERR_NOT_FOUND', `There is no file or directory "${named}".`, {
        hint: 'Check the path; it is relative to the current directory.',
        cause: error,
      })
    }
    if (isSystemError(error, 'EACCES', 'EPERM')) {
      throw new ArtifactsError('ERR_UNREADABLE', `"${named}" can't be read (${error.code}).`, {
        cause: error,
      })
    }
    throw error
  }
}

function notAFile(path: string, stat: Stats): ArtifactsError {
  return stat.isDirectory()
    ? new ArtifactsError('ERR_USAGE', `"${path}" is a directory, not a file.`, {
        hint: `Add what it holds: \`addDir(${JSON.stringify(path)})\`.`,
      })
    : new ArtifactsError('ERR_USAGE', `"${path}" is neither a file nor a directory.`)
}
