/** What a walk met and did not hand on, for the caller to judge. */

export interface Finding {
  /** Entry path. Bytes that are not UTF-8 are written as `\xff`. */
  readonly path: string
  /** A phrase, or the system's error code, such as `EACCES`. */
  readonly reason: string
}

export interface Findings {
  /** Sockets, FIFOs and devices: never opened. */
  readonly skipped: Tally
  /** What no version can hold: names and link targets that are not UTF-8, paths that are too long. */
  readonly refused: Tally
  /** What could not be listed, and what became something else meanwhile: whoever stores the walk would lose it. */
  readonly unreadable: Tally
}

/** Findings of one kind: all are counted, the first ten are named. */
export class Tally {
  readonly named: Finding[] = []
  count = 0

  add(path: string, reason: string): void {
    this.count++
    if (this.named.length < NAMED) this.named.push({ path, reason })
  }
}

export function noFindings(): Findings {
  return { skipped: new Tally(), refused: new Tally(), unreadable: new Tally() }
}

/** Returns a name of any bytes as text: what is not printable ASCII is written as `\xff`. */
export function escapeBytes(name: Uint8Array): string {
  let text = ''
  for (const byte of name) {
    text +=
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return text
}

/** The code of a failed system call. Anything else is a mistake in the program, and is thrown on. */
export function systemCode(error: unknown): string {
  if (error instanceof Error && 'syscall' in error && 'code' in error) return String(error.code)
  throw error
}

const NAMED = 10
