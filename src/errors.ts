/**
 * Every error a person can cause or meet. `code` is stable and documented in docs/errors.md; the message names the
 * thing in quotes; `hint` is a command to paste or a sentence that leads to one. Mistakes in the program itself stay
 * plain `Error`s and show their stack.
 */
export type ErrorCode = keyof typeof EXIT_CODES

/** The exit code of the command line for each error code (design: few, documented, stable). */
export const EXIT_CODES = {
  ERR_VERIFY: 1,
  ERR_USAGE: 2,
  ERR_INVALID_NAME: 2,
  ERR_INVALID_PATH: 2,
  ERR_INVALID_VALUE: 2,
  ERR_CONFIG: 2,
  ERR_SECRETS: 2,
  ERR_PARTIAL: 3,
  ERR_DURABILITY_UNKNOWN: 4,
  ERR_FILE_CHANGED: 4,
  ERR_UNREADABLE: 4,
  ERR_IO: 4,
  ERR_NOT_FETCHED: 4,
  ERR_READ_ONLY: 4,
  ERR_UNSUPPORTED: 4,
  ERR_CLOCK: 4,
  ERR_NO_STORE: 10,
  ERR_BUSY: 11,
  ERR_NOT_FOUND: 12,
  ERR_AMBIGUOUS: 12,
  ERR_DAMAGED: 13,
  ERR_WOULD_OVERWRITE: 14,
  ERR_TYPE_MISMATCH: 14,
  ERR_EXISTS: 14,
  ERR_IN_USE: 14,
  ERR_CONFLICT: 14,
  ERR_FINALIZED: 14,
  ERR_REMOTE_UNREACHABLE: 20,
  ERR_REMOTE_DENIED: 21,
  ERR_REMOTE_CHANGED: 22,
} as const

export interface ErrorDetails {
  readonly hint?: string | undefined
  readonly cause?: unknown
  /** Facts for programs: printed with `--json`. Never a credential. */
  readonly data?: Readonly<Record<string, unknown>> | undefined
}

export class ArtifactsError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly data: Readonly<Record<string, unknown>>

  static {
    this.prototype.name = 'ArtifactsError'
  }

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.hint = details.hint
    this.data = details.data ?? {}
  }

  get exitCode(): number {
    return EXIT_CODES[this.code]
  }

  toJSON(): Record<string, unknown> {
    return { type: 'error', code: this.code, message: this.message, hint: this.hint, ...this.data }
  }
}

/** Stored bytes that are not what their name says. */
export function damaged(message: string, details: ErrorDetails = {}): ArtifactsError {
  return new ArtifactsError('ERR_DAMAGED', message, {
    hint: 'Run `artifacts fsck` to see what is affected, and `artifacts fsck --repair` to mend what can be mended.',
    ...details,
  })
}

/** True where stored bytes can't be had: they are damaged or lost, or were never fetched. */
export function isLoss(error: unknown): error is ArtifactsError {
  return (
    error instanceof ArtifactsError &&
    (error.code === 'ERR_DAMAGED' || error.code === 'ERR_NOT_FETCHED')
  )
}

/** True for a system error with one of these codes, such as `ENOENT`. */
export function isSystemError(
  error: unknown,
  ...codes: readonly string[]
): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** True for an error of the system, whatever its code. */
export function isFailedCall(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'errno' in error
}
