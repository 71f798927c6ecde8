/**
 * The names that a loss of power can still take back: each change of a name since the last fsync of its directory, with
 * what is needed to undo it.
 *
 * Changes of one name survive in order; changes of different names survive independently, as file systems allow. A
 * rename is one change of both names, durable with either directory. A directory whose own name is lost is lost with
 * all that is in it, whether that was synced or not.
 */
import fs from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { IoCall } from './intercept.ts'

export interface NameChange {
  readonly kind: 'create' | 'rename' | 'link' | 'symlink' | 'unlink' | 'mkdir' | 'rmdir'
  readonly path: string
  /** The new name of a `rename` or `link`. */
  readonly to?: string
}

interface Change extends NameChange {
  /** What a later change cannot survive without, if this one is lost. */
  readonly marks: readonly string[]
  /** Marks of earlier changes that this one cannot survive the loss of. */
  readonly needs: readonly string[]
  /** Marks of earlier changes that become durable with this one. */
  readonly settles: readonly string[]
  readonly victim: Victim | null
  undo(): void
}

/** What a change removed or replaced, kept so that it can come back. */
interface Victim {
  readonly directory: Directory | null
  restore(path: string): void
  /** It can no longer come back. */
  release(): void
}

/** A directory by identity, whatever it is called now. */
interface Directory {
  readonly id: number
  path: string
}

interface Draft {
  readonly victim: Victim | null
  readonly existed: boolean
}

export interface UnsyncedNames {
  readonly changes: readonly NameChange[]
  before(call: IoCall): void
  after(call: IoCall): void
  failed(call: IoCall): void
  /** Takes back the changes that are not to be kept, and all that depend on them; the others are durable from now on. */
  lose(keep: (change: NameChange) => boolean): void
}

/**
 * Follows the names below `root`.
 *
 * @param graves an empty directory on the same file system, where removed files wait
 * @param onGone told of a removed file that can no longer come back
 */
export function followNames(
  root: string,
  graves: string,
  onGone: (file: fs.Stats) => void,
): UnsyncedNames {
  const directories = new Map<string, Directory>()
  const drafts = new Map<IoCall, Draft>()
  let changes: Change[] = []
  let serial = 0

  function directoryAt(path: string): Directory {
    let directory = directories.get(path)
    if (directory === undefined) {
      directory = { id: ++serial, path }
      directories.set(path, directory)
    }
    return directory
  }

  function moveDirectories(from: string, to: string): void {
    for (const [path, directory] of [...directories]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue
      directories.delete(path)
      directory.path = to + path.slice(from.length)
      directories.set(directory.path, directory)
    }
  }

  function bury(path: string): Victim | null {
    const file = fs.lstatSync(path, { throwIfNoEntry: false })
    if (file === undefined) return null
    if (file.isDirectory()) {
      const directory = directoryAt(path)
      return {
        directory,
        restore(at) {
          fs.mkdirSync(at, file.mode & 0o7777)
          directories.set(directory.path, directory)
        },
        release() {},
      }
    }
    if (file.isSymbolicLink()) {
      const target = fs.readlinkSync(path)
      return { directory: null, restore: (at) => fs.symlinkSync(target, at), release() {} }
    }
    const grave = join(graves, String(++serial))
    fs.linkSync(path, grave)
    return {
      directory: null,
      restore: (at) => fs.renameSync(grave, at),
      release() {
        const gone = fs.lstatSync(grave)
        fs.unlinkSync(grave)
        if (gone.nlink === 1) onGone(gone)
      },
    }
  }

  function record(kind: NameChange['kind'], path: string, victim: Victim | null): void {
    const parent = directoryAt(dirname(path))
    const name = basename(path)
    const key = nameIn(parent, name)
    const marks = [key, inside(parent)]
    const needs = [key]
    const settles = [key]
    if (kind === 'mkdir') marks.push(existenceOf(directoryAt(path)))
    if (kind === 'rmdir' && victim?.directory) {
      needs.push(inside(victim.directory))
      settles.push(inside(victim.directory))
      directories.delete(path)
    }
    const undo = (): void => {
      const now = join(parent.path, name)
      if (victim === null) fs.rmSync(now, { recursive: true, force: true })
      else victim.restore(now)
    }
    changes.push({ kind, path, marks, needs, settles, victim, undo })
  }

  function recordRename(path: string, to: string, victim: Victim | null): void {
    const [fromParent, toParent] = [directoryAt(dirname(path)), directoryAt(dirname(to))]
    const [fromName, toName] = [basename(path), basename(to)]
    const keys = [nameIn(fromParent, fromName), nameIn(toParent, toName)]
    const replaced = victim?.directory ? [inside(victim.directory)] : []
    if (victim?.directory) directories.delete(to)
    moveDirectories(path, to)
    changes.push({
      kind: 'rename',
      path,
      to,
      marks: [...keys, inside(fromParent), inside(toParent)],
      needs: [...keys, existenceOf(fromParent), existenceOf(toParent), ...replaced],
      settles: [...keys, ...replaced],
      victim,
      undo() {
        const [old, now] = [join(fromParent.path, fromName), join(toParent.path, toName)]
        fs.renameSync(now, old)
        moveDirectories(now, old)
        victim?.restore(now)
      },
    })
  }

  /** The names in a directory are durable, and with them whatever led to them. */
  function settle(directory: Directory): void {
    const settled = new Set([inside(directory)])
    changes = changes
      .reverse()
      .filter((change) => {
        if (!change.marks.some((mark) => settled.has(mark))) return true
        for (const mark of change.settles) settled.add(mark)
        change.victim?.release()
        return false
      })
      .reverse()
  }

  return {
    get changes() {
      return changes
    },
    before(call) {
      const target = changedName(call)
      if (target === null || !target.startsWith(`${root}/`)) return
      const there = fs.lstatSync(target, { throwIfNoEntry: false })
      // rename(2) of one name of a file over another of the same file does nothing.
      if (call.kind === 'rename' && there && there.ino === inodeOf(call.path)) return
      const removes = call.kind === 'unlink' || call.kind === 'rmdir' || call.kind === 'rename'
      drafts.set(call, { victim: removes ? bury(target) : null, existed: there !== undefined })
    },
    after(call) {
      if (call.kind === 'fsyncDirectory') settle(directoryAt(resolve(call.path)))
      const draft = drafts.get(call)
      drafts.delete(call)
      if (draft === undefined) return
      const target = changedName(call) as string
      if (call.kind === 'rename') recordRename(resolve(call.path), target, draft.victim)
      else if (call.kind !== 'open') record(call.kind as NameChange['kind'], target, draft.victim)
      else if (!draft.existed) record('create', target, null)
    },
    failed(call) {
      drafts.get(call)?.victim?.release()
      drafts.delete(call)
    },
    lose(keep) {
      const missing = new Set<string>()
      const lost = new Set<Change>()
      for (const change of changes) {
        if (!change.needs.some((mark) => missing.has(mark)) && keep(change)) continue
        lost.add(change)
        for (const mark of change.marks) missing.add(mark)
      }
      for (const change of changes.reverse()) {
        if (lost.has(change)) change.undo()
        else change.victim?.release()
      }
      changes = []
    },
  }
}

/** The name that a call makes, replaces or removes; null if it changes none. */
function changedName(call: IoCall): string | null {
  switch (call.kind) {
    case 'rename':
    case 'link':
      return resolve(call.to ?? '')
    case 'open':
    case 'symlink':
    case 'unlink':
    case 'mkdir':
    case 'rmdir':
      return resolve(call.path)
    default:
      return null
  }
}

function inodeOf(path: string): number | undefined {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.ino
}

const nameIn = (directory: Directory, name: string): string => `name ${directory.id} ${name}`
const existenceOf = (directory: Directory): string => `made ${directory.id}`
const inside = (directory: Directory): string => `in ${directory.id}`
