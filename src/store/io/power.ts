/**
 * Plays the loss of power on a small store, in process and without root: remembers what was not synced, and turns the
 * folder into one of the states that a crash could have left.
 *
 * The model is that of POSIX as ext4 and its like keep it (Pillai et al., OSDI 2014): fsync of a file makes its bytes
 * durable but not its name; fsync of a directory makes its names durable but not the bytes behind them; what was not
 * synced may survive or not, in any order, names without their bytes included; a rename replaces at once. Permissions
 * and times are not modelled.
 *
 * SQLite writes its files itself, and is trusted to sync them: name them `untracked`, and choose what becomes of them.
 */
import fs from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { intercept } from './intercept.ts'
import { followContents, type UnsyncedContent } from './unsynced-content.ts'
import { followNames, type NameChange } from './unsynced-names.ts'

/** What survives. */
export interface Choices {
  /** Whether this change of a name survives, asked oldest first and only if what it depends on did. */
  keepName(change: NameChange): boolean
  /** What a file holds whose bytes were not synced. */
  content(file: UnsyncedContent): Uint8Array
  /** What becomes of an untracked file: default `keep`. `earlier` is how `copyUntracked` last saw it. */
  untracked?(path: string): 'keep' | 'delete' | 'earlier'
}

export interface Recording {
  /** The changes of names that could be lost now, oldest first. */
  readonly unsynced: readonly NameChange[]
  /** Copies the untracked files; also done at the start. */
  copyUntracked(): void
  /** Rewrites the folder; every file in it must be closed. Recording goes on from there. */
  losePower(choices: Choices): void
  stop(): void
  [Symbol.dispose](): void
}

/** Only what was synced. */
export const nothingSurvives: Choices = {
  keepName: () => false,
  content: (file) => file.durable,
}

/** The names, but not the bytes: the empty files of a careless program. */
export const namesSurvive: Choices = {
  keepName: () => true,
  content: (file) => file.durable,
}

/** The bytes, as far as there is a name for them. */
export const bytesSurvive: Choices = {
  keepName: () => false,
  content: (file) => file.current,
}

/** Any state, by chance: files come back old, new, cut short, with zeros where bytes should be, or patched from those. */
export function chance(random: () => number): Choices {
  return {
    keepName: () => random() < 0.5,
    content: (file) => tear(file, random),
  }
}

/**
 * Remembers from now on what is not synced below `root`, in this thread. What is there now counts as durable, and so do
 * files that are made or changed otherwise than through the I/O module.
 *
 * @param untracked true for paths, relative to `root`, of files that others write
 */
export function recordUnsynced(
  root: string,
  untracked: (path: string) => boolean = () => false,
): Recording {
  const top = resolve(root)
  const graves = fs.mkdtempSync(join(dirname(top), 'unsynced-'))
  const contents = followContents()
  const names = followNames(top, graves, contents.forget)
  const earlier = new Map<string, Buffer>()

  const remove = intercept({
    before(call) {
      names.before(call)
      contents.before(call)
    },
    after(call, result) {
      names.after(call)
      contents.after(call, result)
    },
    failed(call, error) {
      names.failed(call)
      contents.failed(call, error)
    },
  })

  const isUntracked = (path: string): boolean => untracked(relative(top, path))

  function copyUntracked(): void {
    earlier.clear()
    for (const path of filesBelow(top)) {
      if (isUntracked(path)) earlier.set(path, fs.readFileSync(path))
    }
  }

  function losePower(choices: Choices): void {
    names.lose(choices.keepName)
    const files = [...filesBelow(top)]
    contents.lose(
      files.filter((path) => !isUntracked(path)),
      choices.content,
    )
    for (const path of new Set([...files.filter(isUntracked), ...earlier.keys()])) {
      const fate = choices.untracked?.(relative(top, path)) ?? 'keep'
      const copy = earlier.get(path)
      if (fate === 'earlier' && copy !== undefined) {
        fs.mkdirSync(dirname(path), { recursive: true })
        fs.writeFileSync(path, copy)
      } else if (fate !== 'keep') fs.rmSync(path, { force: true })
    }
  }

  function stop(): void {
    remove()
    fs.rmSync(graves, { recursive: true, force: true })
  }

  copyUntracked()
  return {
    get unsynced() {
      return names.changes
    },
    copyUntracked,
    losePower,
    stop,
    [Symbol.dispose]: stop,
  }
}

function* filesBelow(directory: string): Generator<string> {
  for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) yield* filesBelow(path)
    else if (entry.isFile()) yield path
  }
}

/** Disks write sectors. */
const SECTOR = 512

function tear(file: UnsyncedContent, random: () => number): Uint8Array {
  const { durable, current } = file
  const fate = Math.floor(random() * 5)
  if (fate === 0) return durable
  if (fate === 1) return current
  const reached = fate === 2 ? Math.floor(random() * (current.length + 1)) : current.length
  // Whatever is torn: bytes that were synced and not changed since stay.
  const torn = Buffer.alloc(Math.max(reached, Math.min(durable.length, current.length)))
  for (let at = 0; at < torn.length; at += SECTOR) {
    const survived = fate === 2 ? at < reached : fate === 3 ? false : random() < 0.5
    const source = survived ? current : durable
    if (at < source.length) source.copy(torn, at, at, Math.min(at + SECTOR, source.length))
  }
  return torn
}
