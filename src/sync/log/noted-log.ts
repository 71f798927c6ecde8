/**
 * What a store has read of a remote's log: `remotes/<store id>/log.jsonl` (docs/remote.md section 8). The file is the
 * operations from the first, one after another, so each has one place in it, and what two processes write at once is the
 * same. A crash leaves a torn end, which counts as not read and is written again.
 */
import { createReadStream } from 'node:fs'
import { dirname } from 'node:path'
import { isSystemError } from '../../errors.ts'
import type { Io } from '../../store/io/io.ts'
import { TAIL } from '../../store/log/operation.ts'
import { hashOfRecord } from '../../store/log/segment.ts'
import { recordsIn } from './records.ts'
import type { Position } from './remote-log.ts'

/** Where the log that was read ends. */
export interface Noted extends Position {
  /** Bytes of the file up to there. */
  readonly length: number
}

export interface NotedRecord extends Noted {
  /** Both lines of the operation. */
  readonly bytes: Buffer
}

/** The operations that were read behind a place in the file, as far as each is whole and follows the one before. */
export async function* notedRecords(path: string, from: Noted): AsyncGenerator<NotedRecord> {
  let at = from
  try {
    for await (const bytes of recordsIn(createReadStream(path, { start: from.length }))) {
      const hash = hashOfRecord(bytes)
      if (hash === undefined || !follows(bytes, at)) return
      at = { n: at.n + 1, hash, length: at.length + bytes.length }
      yield { ...at, bytes }
    }
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}

/**
 * Where the log that was read ends; at 0 when nothing was.
 * @param start hash of the remote's `format.json`
 */
export async function readNoted(path: string, start: string): Promise<Noted> {
  let noted: Noted = { n: 0, hash: start, length: 0 }
  for await (const { n, hash, length } of notedRecords(path, noted)) noted = { n, hash, length }
  return noted
}

/** Adds operations that were read and checked, and makes them durable. */
export function note(io: Io, path: string, after: Noted, records: readonly Uint8Array[]): void {
  io.mkdir(dirname(path), { recursive: true })
  const fd = open(io, path)
  try {
    let at = after.length
    for (const bytes of records) {
      io.writeAll(fd, bytes, at)
      at += bytes.length
    }
    io.fsync(fd)
  } finally {
    io.close(fd)
  }
  io.fsyncDirectory(dirname(path))
}

function follows(bytes: Buffer, { n, hash }: Position): boolean {
  const { n: number, prev } = JSON.parse(bytes.toString('utf8', 0, bytes.length - TAIL)) as {
    readonly n?: unknown
    readonly prev?: unknown
  }
  return number === n + 1 && prev === hash
}

/** Not emptied: another process may be writing the same. */
function open(io: Io, path: string): number {
  try {
    return io.open(path, 'r+')
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
  try {
    return io.open(path, 'wx+')
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error
    return io.open(path, 'r+')
  }
}
