/**
 * Errors to standard error and to an exit code. What the library says is passed on; a bare system error that came up
 * from anywhere gets a sentence and a hint here; all else is a mistake in the program and shows its stack.
 */
import type { Io } from './io.ts'
import { escaped } from './render.ts'
import { VERSION } from './version.ts'

export const INTERRUPTED = 130

interface Told {
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
  readonly exitCode: number
  /** What `--json` prints. */
  readonly record: Record<string, unknown>
  /** Shown without being asked for. */
  readonly stack?: string | undefined
}

/** Tells people, or with `json` a program, what went wrong, and returns the exit code. */
export function report(
  error: unknown,
  io: Io,
  mode: { json: boolean; verbose: boolean; color: boolean },
): number {
  const told = tell(error, io)
  if (mode.json) {
    io.note(`${JSON.stringify(told.record)}\n`)
    return told.exitCode
  }
  const paint = (code: number, text: string): string =>
    mode.color ? `\x1b[${code}m${text}\x1b[0m` : text
  const lines =
    told.exitCode === INTERRUPTED
      ? [told.message]
      : [`${paint(31, 'error:')} ${escaped(told.message, true)}`]
  if (told.hint !== undefined) lines.push(`${paint(36, 'hint:')} ${escaped(told.hint, true)}`)
  if (mode.verbose) lines.push(...causes(error))
  if (told.stack !== undefined && !mode.verbose) lines.push(escaped(told.stack, true))
  if (mode.verbose && error instanceof Error) lines.push(escaped(error.stack ?? '', true))
  io.note(`${lines.join('\n')}\n`)
  return told.exitCode
}

function tell(error: unknown, { signal, platform }: Io): Told {
  if (signal.aborted && (error === signal.reason || isAbort(error))) {
    return told(
      'ERR_INTERRUPTED',
      'Interrupted; run the same command again to finish.',
      undefined,
      INTERRUPTED,
    )
  }
  if (isOurs(error)) {
    const { code, message, hint, exitCode } = error
    return { code, message, hint, exitCode, record: error.toJSON() }
  }
  if (isSystem(error)) {
    const { message, hint } = explain(error)
    return told('ERR_IO', message, hint, 4, { system: error.code, path: error.path })
  }
  const stack = error instanceof Error ? error.stack : String(error)
  const message = error instanceof Error ? error.message : String(error)
  return {
    ...told(
      'ERR_BUG',
      `Unexpected: ${message}`,
      `This is a mistake in the program. Report it with the lines below, the command, and: artifacts ${VERSION}, ${platform}.`,
      4,
      { stack },
    ),
    stack,
  }
}

function told(
  code: string,
  message: string,
  hint: string | undefined,
  exitCode: number,
  data: Record<string, unknown> = {},
): Told {
  return { code, message, hint, exitCode, record: { type: 'error', code, message, hint, ...data } }
}

interface Ours extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly exitCode: number
  toJSON(): Record<string, unknown>
}

/** By shape: importing the library's class to compare would load the library for every usage error. */
function isOurs(error: unknown): error is Ours {
  return error instanceof Error && 'code' in error && 'exitCode' in error && 'toJSON' in error
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** Node's errors of system calls, and SQLite's for a full or failing disk. */
function isSystem(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return false
  return 'syscall' in error || error.code in SQLITE
}

const SQLITE: Readonly<Record<string, string>> = {
  SQLITE_FULL: 'ENOSPC',
  SQLITE_READONLY: 'EROFS',
  SQLITE_CANTOPEN: 'EACCES',
  SQLITE_IOERR: 'EIO',
}

const REASONS: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  ENOSPC: [
    'no space is left on the device',
    'Free some space and run the same command again; what was stored before is untouched.',
  ],
  EDQUOT: [
    'the disk quota is used up',
    'Free some space and run the same command again; what was stored before is untouched.',
  ],
  EACCES: [
    'permission is denied',
    'Look at who owns it with `ls -ld`, and run the command as a user who may do this.',
  ],
  EPERM: [
    'the operation is not permitted',
    'Look at who owns it with `ls -ld`, and run the command as a user who may do this.',
  ],
  EROFS: ['the file system is read-only', 'Mount it writable, or work in another folder.'],
  EMFILE: [
    'too many files are open',
    'Raise the limit with `ulimit -n 4096` and run the same command again.',
  ],
  ENFILE: [
    'too many files are open on this machine',
    'Close other programs and run the same command again.',
  ],
  EIO: ['the device failed', 'Look at the system log with `dmesg`; the disk may be failing.'],
  ENOMEM: ['no memory is left', 'Close other programs and run the same command again.'],
  ENOENT: ['it does not exist', 'Check the path.'],
  EISDIR: ['it is a directory', 'Check the path.'],
  ENOTDIR: ['a part of the path is not a directory', 'Check the path.'],
  ENAMETOOLONG: ['the name is too long for this file system', 'Use a shorter name.'],
}

function explain(error: NodeJS.ErrnoException & { code: string }): {
  message: string
  hint: string
} {
  const code = SQLITE[error.code] ?? error.code
  const [reason, hint] = REASONS[code] ?? [
    error.message,
    'Run the same command with --verbose to see where this happened.',
  ]
  const subject =
    error.syscall === 'uv_cwd' ? 'current directory' : (error.path ?? error.syscall ?? 'the index')
  return { message: `"${subject}": ${reason} (${code}).`, hint }
}

function causes(error: unknown): string[] {
  const lines: string[] = []
  for (let cause = error instanceof Error ? error.cause : undefined; cause !== undefined; ) {
    lines.push(
      `caused by: ${escaped(cause instanceof Error ? cause.message : String(cause), true)}`,
    )
    cause = cause instanceof Error && lines.length < 10 ? cause.cause : undefined
  }
  return lines
}
