/**
 * A command line that is not understood. It is told apart from the library's errors, which it resembles, only so that
 * reading the arguments need not import the library: that would double the time to start.
 */
export class UsageError extends Error {
  readonly code = 'ERR_USAGE'
  readonly exitCode = 2
  readonly hint: string | undefined

  static {
    this.prototype.name = 'UsageError'
  }

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }

  toJSON(): Record<string, unknown> {
    return { type: 'error', code: this.code, message: this.message, hint: this.hint }
  }
}
