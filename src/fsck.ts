/** Is everything there that the store should hold, and as it was written? And if not, what can be done about it. */
import type { ExamineOptions } from './store/fsck/examination.ts'
import { type ExamineReport, examine, type StepReport } from './store/fsck/examine.ts'
import type { Repair } from './store/fsck/mend-files.ts'
import type { Affected, Problem } from './store/fsck/problems.ts'
import { repair } from './store/fsck/repair.ts'
import { createIo } from './store/io/io.ts'
import { layoutOf } from './store/layout.ts'
import { Settings } from './store/settings.ts'
import type { OperationOptions } from './types.ts'
import { TOOL } from './version.ts'

export type { Affected, Problem, Repair, StepReport }

export interface FsckOptions extends OperationOptions {
  /** The share of the stored bytes that is read, 0 to 1; default 0. Below 1, of the packs that were read longest ago. */
  readonly data?: number
  /** Mend what can be mended. Damaged files are kept in `quarantine/`. */
  readonly repair?: boolean
  /** Worker threads. */
  readonly jobs?: number
}

export interface FsckReport extends ExamineReport {
  /** Nothing is wrong, or nothing any more. */
  readonly ok: boolean
  /** What was wrong before the repair; only with `repair`. */
  readonly found?: readonly Problem[]
  readonly repairs?: readonly Repair[]
  /** The folder with the files that the repair replaced, absolute. */
  readonly quarantine?: string
}

/**
 * Examines the store in `root`, also one that can't be opened. Without `repair`, nothing in it is changed.
 * @throws ArtifactsError ERR_NO_STORE, ERR_UNSUPPORTED for a store of a later program.
 */
export async function checkStore(
  root: string,
  cacheDir: string | undefined,
  options: FsckOptions = {},
): Promise<FsckReport> {
  const { data = 0, jobs, signal, onProgress } = options
  if (!(data >= 0 && data <= 1)) throw new RangeError(`A share is from 0 to 1, not ${data}.`)
  const layout = layoutOf(root)
  const io = createIo({ durability: 'power' })
  const project = homeProject(root)
  const examination: ExamineOptions = {
    io,
    layout,
    cacheDir,
    project,
    data,
    jobs,
    signal,
    onProgress,
  }
  const report =
    options.repair === true
      ? await repair({ ...examination, tool: TOOL })
      : await examine(examination)
  return { ...report, ok: report.problems.length === 0 }
}

/** The project that refs leave out, as far as the settings can be read. */
function homeProject(root: string): string {
  try {
    return new Settings(layoutOf(root)).get('project')
  } catch {
    return 'default'
  }
}
