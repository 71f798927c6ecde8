/**
 * Examines a store, whether it can be opened or not, and changes nothing in it. The checks build on each other: the
 * fold of the log says which packs there must be, reading those says where each object is, and that decides which
 * versions are whole.
 *
 * The store may be in use. A pack that another process drops meanwhile looks like one that is lost: so whoever misses
 * something takes up what has come to the log, and looks again.
 */
import { performance } from 'node:perf_hooks'
import { loadHashes } from '../object/checksum.ts'
import { checkFormat } from './check-format.ts'
import { checkIndex } from './check-index.ts'
import { checkLog } from './check-log.ts'
import { checkNotes } from './check-notes.ts'
import { checkPacks } from './check-packs.ts'
import { checkVersions } from './check-versions.ts'
import type { Counts, Examination, ExamineOptions } from './examination.ts'
import { type Problem, Problems, STEPS, type StepName } from './problems.ts'

/** What one check looked at. */
export interface StepReport {
  readonly name: StepName
  readonly ms: number
  readonly counts: Counts
}

export interface ExamineReport {
  readonly steps: readonly StepReport[]
  readonly problems: readonly Problem[]
}

type Check = (examination: Examination) => Counts | Promise<Counts>
const CHECKS: Readonly<Record<StepName, Check>> = {
  format: checkFormat,
  log: checkLog,
  index: checkIndex,
  packs: checkPacks,
  versions: checkVersions,
  notes: checkNotes,
}

/** @throws ArtifactsError ERR_NO_STORE, ERR_UNSUPPORTED for a store of a later program. */
export async function examine(options: ExamineOptions): Promise<ExamineReport> {
  return withExamination(options, ({ steps, problems }) => ({ steps, problems: problems.list() }))
}

export interface Examined extends Examination {
  readonly steps: readonly StepReport[]
}

/** Examines a store and hands over all that was found out, as long as it is open. */
export async function withExamination<T>(
  options: ExamineOptions,
  use: (examined: Examined) => T | Promise<T>,
): Promise<T> {
  await loadHashes()
  const examination = begin(options)
  try {
    const steps: StepReport[] = []
    for (const name of STEPS) {
      const started = performance.now()
      const counts = await CHECKS[name](examination)
      steps.push({ name, ms: Math.round(performance.now() - started), counts })
    }
    return await use({ ...examination, steps })
  } finally {
    examination.live?.close()
    examination.fresh?.close()
  }
}

/** The rest the checks fill in, each for those after it. */
type Begun = ExamineOptions & Pick<Examination, 'problems' | 'bytesRead' | 'gap' | 'blocked'>

function begin(options: ExamineOptions): Examination {
  const begun: Begun = {
    ...options,
    problems: new Problems(options.layout),
    bytesRead: 0,
    gap: undefined,
    blocked: undefined,
  }
  return begun as Examination
}
