/** What is timed, in this order. */
export const STEPS: readonly StepName[] = ['commit', 'again', 'change', 'diff', 'restore']
export type StepName = 'commit' | 'again' | 'change' | 'diff' | 'restore'

export const STEP_LABELS: Readonly<Record<StepName, string>> = {
  commit: 'commit v1',
  again: 'commit again, unchanged',
  change: 'commit v2',
  diff: 'diff v1 v2',
  restore: 'restore v2',
}
