/**
 * When something in a directory changes, by chokidar. Only directories are watched, which tell of the files in them too:
 * a watch on every file would reach the system's limit with the first large dataset. What the events say is not used, for
 * under load some get lost; that something happened is enough to look.
 */
import { relative, sep } from 'node:path'
import { isFailedCall, isSystemError } from './errors.ts'
import { isShared } from './store/io/file-system.ts'
import { IGNORE_FILE } from './store/workspace/ignore.ts'
import { IgnoredPaths } from './store/workspace/ignored-paths.ts'

export interface DirectoryEvents {
  /** Events so far; what is ignored does not count. */
  readonly count: number
  /** Milliseconds, monotonic, of the last event; 0 before the first one. */
  readonly last: number
  /** Why not all events are told: `ENOSPC`, or a file system that other hosts may have mounted. */
  readonly limit: string | undefined
  /** Other directories may be ignored than were when the watching began. */
  readonly isStale: boolean
  /** Called at the next event. */
  wake: () => void
  readonly close: () => Promise<void>
}

type Mutable = { -readonly [Key in keyof DirectoryEvents]: DirectoryEvents[Key] }

const NEVER_STORED = /(^|\/)\.(git|artifacts)(\/|$)/i
/** Errors of single paths: who reads the directory hears of them. */
const OF_ONE_PATH = ['EACCES', 'EPERM', 'ENOENT', 'ENOTDIR', 'ELOOP']

/**
 * Resolves when events are told, or when the signal is aborted.
 * @param root absolute, without symbolic links
 */
export async function watchEvents(
  root: string,
  signal: AbortSignal | undefined,
): Promise<DirectoryEvents> {
  const { watch } = await import('chokidar')
  const ignored = new IgnoredPaths(root)
  const pathIn = (path: string): string => relative(root, path).split(sep).join('/')
  const watcher = watch(root, {
    ignoreInitial: true,
    followSymlinks: false,
    ignorePermissionErrors: true,
    atomic: false,
    ignored: (path, stats) => {
      const inside = pathIn(path)
      if (inside === '') return false
      if (NEVER_STORED.test(inside)) return true
      if (stats === undefined) return false
      return !stats.isDirectory() || ignored.test(`${inside}/`)
    },
  })
  const events: Mutable = {
    count: 0,
    last: 0,
    limit: isShared(root) ? 'shared file system' : undefined,
    isStale: false,
    wake: () => {},
    close: () => watcher.close(),
  }
  watcher.on('raw', (_, name, details) => {
    const { watchedPath } = details as { readonly watchedPath: string }
    const inside = pathIn(name === null ? watchedPath : `${watchedPath}/${name}`)
    if (inside.endsWith(IGNORE_FILE)) {
      ignored.forget()
      events.isStale = true
    }
    if (NEVER_STORED.test(inside) || (inside !== '' && ignored.test(inside))) return
    events.last = performance.now()
    events.count++
    events.wake()
  })
  watcher.on('error', (error) => {
    if (isSystemError(error, ...OF_ONE_PATH)) return
    events.limit = isFailedCall(error) ? String(error.code) : String(error)
    events.wake()
  })
  await new Promise<void>((resolve) => {
    watcher.once('ready', () => resolve())
    signal?.addEventListener('abort', () => resolve(), { once: true })
    if (signal?.aborted === true) resolve()
  })
  return events
}
