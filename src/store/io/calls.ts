/**
 * The mutating calls of `node:fs`, each under the eyes of whoever listens (intercept.ts). io.ts is their only user: what
 * changes files goes through an `Io`.
 */
import fs from 'node:fs'
import { promisify } from 'node:util'
import { isSystemError } from '../../errors.ts'
import { intercepted, interceptedAsync, interceptors, nameOfFile } from './intercept.ts'

const fdatasync = promisify(fs.fdatasync)

export function open(path: string, flags: string | number, mode?: number): number {
  if (interceptors === null) return fs.openSync(path, flags, mode)
  return intercepted(interceptors, { kind: 'open', path, flags }, (call) =>
    fs.openSync(path, call.flags ?? flags, mode),
  )
}

export function close(fd: number): void {
  if (interceptors === null) fs.closeSync(fd)
  else
    intercepted(interceptors, { kind: 'close', path: nameOfFile(fd), fd }, () => fs.closeSync(fd))
}

export function write(
  fd: number,
  bytes: Uint8Array,
  offset = 0,
  length: number = bytes.byteLength - offset,
  position: number | null = null,
): number {
  if (interceptors === null) return fs.writeSync(fd, bytes, offset, length, position)
  return intercepted(
    interceptors,
    { kind: 'write', path: nameOfFile(fd), fd, length },
    (call): number => fs.writeSync(fd, bytes, offset, call.length ?? length, position),
  )
}

export function ftruncate(fd: number, length: number): void {
  if (interceptors === null) fs.ftruncateSync(fd, length)
  else
    intercepted(interceptors, { kind: 'ftruncate', path: nameOfFile(fd), fd }, () =>
      fs.ftruncateSync(fd, length),
    )
}

export function fsync(fd: number): void {
  if (interceptors === null) fs.fsyncSync(fd)
  else
    intercepted(interceptors, { kind: 'fsync', path: nameOfFile(fd), fd }, () => fs.fsyncSync(fd))
}

export async function fdatasyncAsync(fd: number): Promise<void> {
  if (interceptors === null) return fdatasync(fd)
  await interceptedAsync(interceptors, { kind: 'fdatasync', path: nameOfFile(fd), fd }, () =>
    fdatasync(fd),
  )
}

export function fsyncDirectory(path: string): void {
  if (interceptors === null) syncNames(path)
  else intercepted(interceptors, { kind: 'fsyncDirectory', path }, () => syncNames(path))
}

function syncNames(path: string): void {
  try {
    const fd = fs.openSync(path, 'r')
    try {
      fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
  } catch (error) {
    // Windows opens no directories, and some file systems sync none: their names are durable or nobody can help it.
    if (!isSystemError(error, 'EINVAL', 'EPERM', 'EISDIR')) throw error
  }
}

export function rename(from: string, to: string): void {
  if (interceptors === null) fs.renameSync(from, to)
  else intercepted(interceptors, { kind: 'rename', path: from, to }, () => fs.renameSync(from, to))
}

export function link(existing: string, path: string): void {
  if (interceptors === null) fs.linkSync(existing, path)
  else
    intercepted(interceptors, { kind: 'link', path: existing, to: path }, () =>
      fs.linkSync(existing, path),
    )
}

export function symlink(target: string, path: string): void {
  if (interceptors === null) fs.symlinkSync(target, path)
  else intercepted(interceptors, { kind: 'symlink', path }, () => fs.symlinkSync(target, path))
}

export function unlink(path: string): void {
  if (interceptors === null) fs.unlinkSync(path)
  else intercepted(interceptors, { kind: 'unlink', path }, () => fs.unlinkSync(path))
}

export function mkdir(path: string, mode?: number): void {
  if (interceptors === null) fs.mkdirSync(path, mode)
  else intercepted(interceptors, { kind: 'mkdir', path }, () => fs.mkdirSync(path, mode))
}

export function rmdir(path: string): void {
  if (interceptors === null) fs.rmdirSync(path)
  else intercepted(interceptors, { kind: 'rmdir', path }, () => fs.rmdirSync(path))
}

export function chmod(path: string, mode: number): void {
  if (interceptors === null) fs.chmodSync(path, mode)
  else intercepted(interceptors, { kind: 'chmod', path }, () => fs.chmodSync(path, mode))
}

export function fchmod(fd: number, mode: number): void {
  if (interceptors === null) fs.fchmodSync(fd, mode)
  else
    intercepted(interceptors, { kind: 'fchmod', path: nameOfFile(fd), fd }, () =>
      fs.fchmodSync(fd, mode),
    )
}

export function utimes(path: string, accessed: number | Date, modified: number | Date): void {
  if (interceptors === null) fs.utimesSync(path, accessed, modified)
  else
    intercepted(interceptors, { kind: 'utimes', path }, () =>
      fs.utimesSync(path, accessed, modified),
    )
}
