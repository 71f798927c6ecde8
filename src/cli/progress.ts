/**
 * Progress of long work on standard error: on a terminal one line that is drawn anew at most ten times a second,
 * elsewhere a plain line every ten seconds (a JSON object with `--json`). Work that ends soon shows nothing.
 */
import type { Progress } from '../index.ts'
import type { Io } from './io.ts'
import { count, lapse, size, thousands } from './render.ts'

const PATIENCE = 300
const FRAME = 100
const PLAIN = 10_000
/** From then on the rate tells how long it takes. */
const SETTLED = 3000
const CLEAR = '\r\x1b[K'

const VERBS: Readonly<Record<Progress['phase'], string>> = {
  scan: 'Scanning',
  read: 'Reading',
  write: 'Writing',
  verify: 'Verifying',
  index: 'Indexing',
  mark: 'Counting',
  send: 'Sending',
  receive: 'Receiving',
}

export interface ProgressLine {
  readonly report: (progress: Progress) => void
  /** Takes the line away, so that something else can be written; the next report draws it again. */
  readonly clear: () => void
}

export function progressLine(io: Io, mode: { quiet: boolean; json: boolean }): ProgressLine {
  if (mode.quiet) return { report: () => {}, clear: () => {} }
  const drawn = io.terminal.stderr && !mode.json
  const started = io.now()
  let next = started + (drawn ? PATIENCE : PLAIN)
  let visible = false

  return {
    report(progress) {
      const now = io.now()
      if (now < next) return
      next = now + (drawn ? FRAME : PLAIN)
      visible = drawn
      if (mode.json) io.note(`${JSON.stringify({ type: 'progress', ...progress })}\n`)
      else if (drawn)
        io.note(`${CLEAR}${describe(progress, now - started).slice(0, io.terminal.columns - 1)}`)
      else io.note(`${describe(progress, now - started)}\n`)
    },
    clear() {
      if (visible) io.note(CLEAR)
      visible = false
    },
  }
}

/** Only what is known and not zero yet: `Reading: 50 %, 5 of 10 files, 50 kB of 100 kB, 167 kB/s`. */
function describe({ phase, files, bytes, total }: Progress, elapsed: number): string {
  const facts: string[] = []
  if (total !== undefined) {
    const share = total.bytes > 0 ? bytes / total.bytes : files / Math.max(1, total.files)
    facts.push(`${Math.min(100, Math.floor(share * 100))} %`)
  }
  if (files > 0) {
    facts.push(
      total ? `${thousands(files)} of ${count(total.files, 'file')}` : count(files, 'file'),
    )
  }
  if (bytes > 0) {
    const rate = (bytes * 1000) / Math.max(1, elapsed)
    facts.push(total ? `${size(bytes)} of ${size(total.bytes)}` : size(bytes), `${size(rate)}/s`)
    const left = ((total?.bytes ?? 0) - bytes) / rate
    if (left >= 1 && elapsed >= SETTLED) facts.push(`${roughly(left)} left`)
  }
  return `${VERBS[phase]}: ${facts.join(', ')}`
}

function roughly(seconds: number): string {
  return seconds < 60 ? `${Math.ceil(seconds)} s` : lapse(seconds * 1000)
}
