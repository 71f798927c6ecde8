/**
 * Repairs a store: first what is needed to open it, then its packs. Examines it again after each, so that what is
 * reported as wrong in the end is what is wrong then.
 */
import type { ObjectId } from '../../types.ts'
import { openStore } from '../open.ts'
import type { ExamineOptions } from './examination.ts'
import { type Examined, type ExamineReport, examine, withExamination } from './examine.ts'
import { mendFiles, type Repair } from './mend-files.ts'
import type { Problem } from './problems.ts'
import { Quarantine } from './quarantine.ts'
import { type PackRepairs, repairPacks } from './repair-packs.ts'

export interface RepairOptions extends ExamineOptions {
  /** This program, such as `artifacts/0.1.0`. */
  readonly tool: string
}

export interface RepairReport extends ExamineReport {
  /** What was wrong before. */
  readonly found: readonly Problem[]
  readonly repairs: readonly Repair[]
  /** Where the damaged files are, if there were any. */
  readonly quarantine?: string
}

export async function repair(options: RepairOptions): Promise<RepairReport> {
  const quarantine = new Quarantine(options.io, options.layout)
  let found: readonly Problem[] = []
  const repairs: Repair[] = []
  let wasWhole = false
  const first = await withExamination(options, async (examined) => {
    found = examined.problems.list()
    wasWhole = examined.gap === undefined
    repairs.push(...mendFiles(examined, quarantine))
    return repairs.length > 0 ? undefined : repairOpened(options, examined, quarantine)
  })
  // What was read and found sound need not be read again.
  const again = { ...options, data: 0, readAlso: new Set(packsIn(found)) }
  const packs =
    first ??
    // What was mended says which packs there are.
    (await withExamination(wasWhole ? again : options, (examined) => {
      return repairOpened(options, examined, quarantine)
    }))
  repairs.push(...packs.repairs)
  for (const pack of packs.packs) again.readAlso.add(pack)
  const report = await examine(again)
  const { folder } = quarantine
  return { ...report, found, repairs, ...(folder === undefined ? {} : { quarantine: folder }) }
}

async function repairOpened(
  options: RepairOptions,
  examined: Examined,
  quarantine: Quarantine,
): Promise<PackRepairs> {
  const nothing = { repairs: [], packs: [] as readonly ObjectId[] }
  const { gap, blocked, isIdentityKnown } = examined
  // What the store should hold is not known.
  if (gap !== undefined || blocked !== undefined || !isIdentityKnown) return nothing
  const { layout, tool, cacheDir } = options
  const store = await openStore({ root: layout.root, tool, cacheDir })
  try {
    return await repairPacks(examined, store, quarantine, options)
  } finally {
    store.close()
  }
}

function packsIn(problems: readonly Problem[]): ObjectId[] {
  return problems.flatMap(({ file = '' }) => {
    const id = /^packs\/([0-9a-f]{64})\.pack$/.exec(file)?.[1]
    return id === undefined ? [] : [id as ObjectId]
  })
}
