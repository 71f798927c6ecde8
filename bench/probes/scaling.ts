/** The cost per file of a million files against that of ten thousand. */
import { type Probe, secondsOf, type WorkloadResults } from '../results.ts'
import { STEP_LABELS, STEPS } from '../steps.ts'

const LIMIT = 1.3

export function scalingOf(workloads: readonly WorkloadResults[]): readonly Probe[] {
  const many = workloads.find(({ name }) => name === 'many')
  const slice = workloads.find(({ name }) => name === 'many-slice')
  if (many === undefined || slice === undefined) return []
  return STEPS.filter((step) => step !== 'diff').flatMap((step) => {
    const large = secondsOf(many, 'ours', step)
    const small = secondsOf(slice, 'ours', step)
    if (large === undefined || small === undefined) return []
    const perFile = (1e6 * large.median) / many.files
    const before = (1e6 * small.median) / slice.files
    return {
      name: `cost per file, ${STEP_LABELS[step]}`,
      value: perFile / before,
      unit: '×',
      limit: LIMIT,
      detail: `${perFile.toFixed(1)} µs a file of ${many.files.toLocaleString('en')}, ${before.toFixed(1)} µs of ${slice.files.toLocaleString('en')}`,
    }
  })
}
