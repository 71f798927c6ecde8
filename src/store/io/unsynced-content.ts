/**
 * The bytes that a loss of power can still take back: for each file changed since its last sync, what it held at that
 * sync. Files are told apart by inode, so that renames and links do not matter.
 */
import fs from 'node:fs'
import { DeadError } from './faults.ts'
import type { IoCall } from './intercept.ts'

interface Content {
  /** Changed since the last sync. */
  dirty: boolean
  /** What the last sync made durable; read when the file becomes dirty. */
  durable: Buffer
  writes: number
  /** A sync failed: the kernel then forgets which pages were to be written, and a later sync says nothing. */
  broken: boolean
}

/** A file that is not durable as it is now. */
export interface UnsyncedContent {
  readonly path: string
  readonly durable: Buffer
  readonly current: Buffer
}

export interface UnsyncedContents {
  before(call: IoCall): void
  after(call: IoCall, result: unknown): void
  failed(call: IoCall, error: unknown): void
  forget(file: fs.Stats): void
  /** Gives these files the content that is chosen for them, if unsynced; all is durable afterwards. */
  lose(paths: Iterable<string>, choose: (file: UnsyncedContent) => Uint8Array): void
}

export function followContents(): UnsyncedContents {
  const contents = new Map<string, Content>()
  const creates = new Set<IoCall>()
  const syncs = new Map<IoCall, { content: Content; bytes: Buffer | null; writes: number }>()

  function contentOf(file: fs.Stats): Content {
    let content = contents.get(keyOf(file))
    if (content === undefined) {
      content = { dirty: false, durable: EMPTY, writes: 0, broken: false }
      contents.set(keyOf(file), content)
    }
    return content
  }

  function change(content: Content, read: () => Buffer): void {
    if (!content.dirty) content.durable = read()
    content.dirty = true
    content.writes++
  }

  function beforeOpen(call: IoCall): void {
    const there = fs.statSync(call.path, { throwIfNoEntry: false })
    if (there === undefined) creates.add(call)
    else if (there.isFile() && truncates(call.flags)) {
      change(contentOf(there), () => fs.readFileSync(call.path))
    }
    call.flags = readable(call.flags)
  }

  return {
    before(call) {
      if (call.kind === 'open') beforeOpen(call)
      else if (call.kind === 'write' || call.kind === 'ftruncate') {
        const fd = call.fd as number
        change(contentOf(fs.fstatSync(fd)), () => readAll(fd))
      } else if (call.kind === 'fsync' || call.kind === 'fdatasync') {
        const fd = call.fd as number
        const content = contentOf(fs.fstatSync(fd))
        // Only what was written before the call is sure to be durable after it, and this one lets others write meanwhile.
        const bytes = call.kind === 'fdatasync' ? readAll(fd) : null
        syncs.set(call, { content, bytes, writes: content.writes })
      }
    },
    after(call, result) {
      if (creates.delete(call)) {
        // Its number may be that of a file which is gone.
        contents.delete(keyOf(fs.fstatSync(result as number)))
      }
      const sync = syncs.get(call)
      syncs.delete(call)
      if (sync === undefined || sync.content.broken) return
      sync.content.dirty = sync.content.writes !== sync.writes
      sync.content.durable = sync.bytes ?? EMPTY
    },
    failed(call, error) {
      creates.delete(call)
      const sync = syncs.get(call)
      syncs.delete(call)
      if (sync?.content.dirty && !(error instanceof DeadError)) sync.content.broken = true
    },
    forget(file) {
      contents.delete(keyOf(file))
    },
    lose(paths, choose) {
      for (const path of paths) {
        const file = fs.lstatSync(path)
        const content = contents.get(keyOf(file))
        if (content === undefined || !content.dirty) continue
        contents.delete(keyOf(file))
        const current = fs.readFileSync(path)
        rewrite(path, file.mode, choose({ path, durable: content.durable, current }))
      }
      contents.clear()
    },
  }
}

const EMPTY = Buffer.alloc(0)

function keyOf(file: fs.Stats): string {
  return `${file.dev}:${file.ino}`
}

function truncates(flags: string | number | undefined): boolean {
  if (typeof flags === 'number') return (flags & fs.constants.O_TRUNC) !== 0
  return flags?.startsWith('w') ?? false
}

/** The same way to open, but so that what is there can be read before it is changed. */
function readable(flags: string | number = 'r'): string | number {
  if (typeof flags === 'string') return /^[wa]x?$/.test(flags) ? `${flags}+` : flags
  const { O_ACCMODE, O_WRONLY, O_RDWR } = { O_ACCMODE: 3, ...fs.constants }
  return (flags & O_ACCMODE) === O_WRONLY ? (flags & ~O_ACCMODE) | O_RDWR : flags
}

function readAll(fd: number): Buffer {
  const bytes = Buffer.alloc(fs.fstatSync(fd).size)
  let done = 0
  while (done < bytes.length) {
    const read = fs.readSync(fd, bytes, done, bytes.length - done, done)
    if (read === 0) return bytes.subarray(0, done)
    done += read
  }
  return bytes
}

/** In place, so that all names of the file see it, and although the file may be read-only. */
function rewrite(path: string, mode: number, bytes: Uint8Array): void {
  fs.chmodSync(path, mode | 0o200)
  fs.writeFileSync(path, bytes)
  fs.chmodSync(path, mode)
}
