/** Which points of the crash matrix are run, and what goes wrong at them. */
import type { Fault } from '../../../src/store/io/faults.ts'
import { type Choices, chance, namesSurvive, nothingSurvives } from '../../../src/store/io/power.ts'
import { type CrashPoint, forEachCall, type Loss, type Matrix } from '../../support/crash.ts'
import { seededRandom } from '../../support/random.ts'

/** Whether all points are wanted, not a sample of them. */
export const isFull: boolean = process.env['ARTIFACTS_TEST_FULL'] === '1'

const FAULTS: readonly Fault[] = [
  { do: 'die', when: 'before' },
  { do: 'die', when: 'after' },
  { do: 'fail', code: 'EIO' },
  { do: 'fail', code: 'ENOSPC' },
  { do: 'fail', code: 'EMFILE' },
  { do: 'fail', code: 'EROFS' },
  // A disk that stays full, and a file system that the kernel made read-only after an error.
  { do: 'fail', code: 'ENOSPC', lasting: true },
  { do: 'fail', code: 'EROFS', lasting: true },
  { do: 'short' },
  { do: 'short', next: 'ENOSPC' },
]

type Losses = Readonly<Record<string, Loss>>

/** Little is synced of a checkout: one chance is as good as three. */
export const FEW_LOSSES: Losses = {
  'nothing survives, databases are older': { ...nothingSurvives, untracked: () => 'earlier' },
  'names without bytes, no databases': { ...namesSurvive, untracked: () => 'delete' },
  'mixture 1': (point) => mixture(1, point),
}

export const ALL_LOSSES: Losses = {
  ...FEW_LOSSES,
  'nothing survives': nothingSurvives,
  'mixture 2': (point) => mixture(2, point),
  'mixture 3': (point) => mixture(3, point),
}

/** The same at a point whichever other points are run. */
function mixture(number: number, { at }: CrashPoint): Choices {
  const random = seededRandom(at * 100 + number)
  return {
    ...chance(random.next),
    untracked: () => random.pick(['keep', 'delete', 'earlier'] as const),
  }
}

/** What SQLite writes by itself. */
export function isDatabase(path: string): boolean {
  return /(^|\/)\.artifacts\/(index-[0-9a-f]{16}|stat)\.db/.test(path)
}

/** Any power loss, by number: for what has been reported to be durable. */
export function anyLoss(seed: number): Choices {
  const random = seededRandom(seed)
  return {
    ...chance(random.next),
    untracked: () => random.pick(['keep', 'delete', 'earlier'] as const),
  }
}

const SEED = 7

/**
 * Runs all points, or so many of them by chance, always the same ones, and notes how many. A point that fails is named in
 * its error; chance begins anew at each, so that it does not depend on the others.
 */
export async function runPoints(
  name: string,
  points: number,
  losses: Losses,
  matrix: Omit<Matrix, 'faults' | 'losses' | 'untracked' | 'sample'>,
): Promise<void> {
  const started = performance.now()
  const run = await forEachCall({
    ...matrix,
    faults: FAULTS,
    losses,
    untracked: isDatabase,
    ...(isFull ? {} : { sample: { points, seed: SEED } }),
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  note(`${name}: ${run.points} points of ${run.calls} calls, ${seconds} s`)
}

/** The runner shows it also when all goes well. */
export function note(text: string): void {
  process.stdout.write(`\nnote: ${text}\n`)
}
