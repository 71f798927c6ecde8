/**
 * The files of the index. A one-line file `index` names the database, and a database's name is never used twice: a file
 * renamed over an open WAL database would meet the old one's log. So replacing the index means building another file
 * and renaming a new pointer into place; a process that still has the old one open keeps a fold that is right.
 */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import type { Io } from '../io/io.ts'
import { temporaryName } from '../layout.ts'

const NAME = /^index-[0-9a-f]{16}\.db$/
const POINTER = 'index'
const MINUTE_MS = 60 * 1000
const DAY_MS = 24 * 60 * MINUTE_MS

export function newIndexName(): string {
  return `index-${randomBytes(8).toString('hex')}.db`
}

/** Returns the name that the pointer holds; undefined when there is no pointer, or none that could be ours. */
export function readPointer(directory: string): string | undefined {
  try {
    const name = readFileSync(join(directory, POINTER), 'latin1').replace(/\n$/, '')
    return NAME.test(name) ? name : undefined
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EISDIR')) return undefined
    throw error
  }
}

/** Makes the file durable and readable for whoever may read the directory, then the pointer name it. */
export function publishIndex(io: Io, directory: string, name: string, tmp: string): void {
  const path = join(directory, name)
  io.chmod(path, statSync(directory).mode & 0o666)
  const file = io.open(path, 'r+')
  try {
    io.fsync(file)
  } finally {
    io.close(file)
  }
  // The pointer itself may be lost with the power: then the index is built once more.
  io.writeFileAtomic(join(directory, POINTER), Buffer.from(`${name}\n`), {
    durable: false,
    tmp: join(tmp, temporaryName()),
  })
}

/** Removes what crashed builds left a day ago, or some other age (in milliseconds); `current` stays. */
export function removeStrayIndexes(
  io: Io,
  directory: string,
  current: string,
  age: number = DAY_MS,
): { readonly files: number; readonly bytes: number } {
  const now = Date.now()
  const removed = { files: 0, bytes: 0 }
  for (const file of readdirSync(directory)) {
    const name = file.replace(/-(wal|shm|journal)$/, '')
    if (!NAME.test(name) || name === current) continue
    const stat = statSync(join(directory, file), { throwIfNoEntry: false })
    // A build that is under way writes to its file all the time.
    if (stat === undefined || now - stat.mtimeMs <= Math.max(age, MINUTE_MS)) continue
    removeIfPossible(io, join(directory, file))
    removed.files++
    removed.bytes += stat.size
  }
  return removed
}

/** Removes a database with the files that SQLite keeps beside it. */
export function removeIndex(io: Io, directory: string, name: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    removeIfPossible(io, join(directory, `${name}${suffix}`))
  }
}

function removeIfPossible(io: Io, path: string): void {
  try {
    io.unlink(path)
  } catch (error) {
    // Gone already, or held open by another process (Windows): removed by whoever comes next.
    if (!isSystemError(error, 'ENOENT', 'EBUSY', 'EPERM', 'EACCES')) throw error
  }
}
