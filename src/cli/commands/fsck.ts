import type { FsckReport } from '../../index.ts'
import {
  type Answer,
  type Command,
  type Context,
  defineCommand,
  optional,
  text,
  yes,
} from '../command.ts'
import { count, type Style, size, thousands } from '../render.ts'
import { UsageError } from '../usage-error.ts'

type Problem = FsckReport['problems'][number]
type StepReport = FsckReport['steps'][number]
/** Of a store here, or of a remote. */
interface Report extends Pick<FsckReport, 'ok' | 'steps' | 'problems'> {
  readonly repairs?: FsckReport['repairs']
  readonly quarantine?: string
  readonly found?: FsckReport['found']
  readonly remote?: string
}

export const fsck: Command = defineCommand({
  flags: {
    data: optional(
      'SHARE',
      '100%',
      'Read stored bytes too: all, or as 5% the twentieth read longest ago',
    ),
    repair: yes('Mend what can be mended'),
    remote: text('R', 'Look at what lies at a remote, instead of here'),
  },
  takes: [0, 0],
  ends: [1, 20, 21, 22],
  completes: [],
  details: [
    'Checks that the log is whole, that every pack it names is there and every object of every version in one of them, and that the index says the same. Deleted versions that can be restored are checked too. Each damage is named by its file and by the files of versions that it affects. Ends with 1 where anything is wrong, or still is after a repair.',
    'Stored bytes are read only with --data, which compares each with its checksum and its SHA-256. A run that was interrupted goes on where it stopped. With a share, each run reads other packs, so that twenty runs of 5% read everything.',
    'Without --repair nothing is changed. With it, damaged files of the log and packs are put together again from what is left of them, and lost objects are looked for in other packs and in the directories that are bound to versions. What was replaced is kept in `quarantine/`. A store that no other command can open may be mended as well.',
  ],
  examples: [
    ['artifacts fsck', 'Is everything there?'],
    ['artifacts fsck --data', 'Is every stored byte as it was written?'],
    ['artifacts fsck --data=5%', 'The same over twenty nights'],
    ['artifacts fsck --data --repair', 'Mend what can be mended'],
    ['artifacts fsck --remote team', 'Is everything there that was pushed?'],
  ],
  json: {
    '': 'ok steps problems found? repairs? quarantine?',
    '`fsck --remote`': 'remote url ok steps problems',
    'each of `steps`': 'name ms counts',
    'each of `problems` and `found`': 'step file? message affected',
    'each of `repairs`': 'file? message',
  },

  async run({ values }, context) {
    const data = values.data === undefined ? 0 : readShare(values.data)
    if (values.remote !== undefined) return atRemote(values.remote, data, values.repair, context)
    const report = await context.fsck({ data, repair: values.repair, ...context.operation })
    return {
      code: report.ok ? 0 : 1,
      value: report,
      text: describe(report, data, context)
        .map((line) => `${line}\n`)
        .join(''),
    }
  },
})

async function atRemote(
  remote: string,
  data: number,
  repair: boolean,
  context: Context,
): Promise<Answer> {
  if (repair) throw new UsageError('"--repair" mends the store here, not a remote: push again.')
  if (data > 0 && data < 1) throw new UsageError('"--data" reads all of a remote, or nothing.')
  const store = await context.store()
  const report = await store.fsckRemote(remote, { data: data === 1, ...context.operation })
  return {
    code: report.ok ? 0 : 1,
    value: report,
    text: describe(report, data, context)
      .map((line) => `${line}\n`)
      .join(''),
  }
}

function readShare(typed: string): number {
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(typed)?.[1]
  const share = Number(percent) / 100
  if (percent !== undefined && share > 0 && share <= 1) return share
  throw new UsageError(`"--data" cannot be "${typed}".`, 'Write a share as 5% or 100%.')
}

function describe(report: Report, data: number, context: Context): string[] {
  const { problems, repairs = [], quarantine, steps } = report
  const { style, quiet } = context
  const lines = [
    ...repairs.map(
      ({ file, message }) => `${style.added('repaired')}  ${named(file, style)}${message}`,
    ),
    ...problems.flatMap((problem) => describeProblem(problem, style)),
  ]
  if (quiet) return lines
  const unknown = of(steps, 'log', 'unknownFrom')
  if (unknown > 0) {
    lines.push(`From operation ${unknown} on, only a newer program can tell: install it.`)
  }
  if (quarantine !== undefined) lines.push(`What was replaced is in ${quarantine}.`)
  return [...lines, verdict(report, data)]
}

function describeProblem({ file, message, affected }: Problem, style: Style): string[] {
  const more = affected.count - affected.first.length
  return [
    `${style.removed('damaged')}   ${named(file, style)}${style.name(message)}`,
    ...affected.first.map((path) => `          ${style.name(path)}`),
    ...(more > 0 && affected.first.length > 0 ? [`          and ${thousands(more)} more`] : []),
  ]
}

function named(file: string | undefined, style: Style): string {
  return file === undefined ? '' : `${style.name(file)}: `
}

function verdict({ ok, steps, problems, found, remote }: Report, data: number): string {
  const absent = of(steps, 'versions', 'notFetched')
  const looked = [
    count(of(steps, 'log', 'operations'), 'operation'),
    count(of(steps, 'packs', 'packs'), 'pack'),
    count(of(steps, 'packs', 'objects'), 'object'),
    count(of(steps, 'versions', 'versions'), 'version'),
    ...(absent === 0 ? [] : [`${count(absent, 'object')} not fetched`]),
  ].join(', ')
  const bytes =
    data === 0
      ? 'stored bytes not read: --data does'
      : `${size(of(steps, 'packs', 'bytesRead'))} read`
  if (!ok) return `${count(problems.length, 'problem')} (${looked}; ${bytes}).`
  const mended = found === undefined || found.length === 0 ? 'sound' : 'sound again'
  return `${remote === undefined ? 'The store' : remote} is ${mended} (${looked}; ${bytes}).`
}

function of(steps: readonly StepReport[], step: string, what: string): number {
  return steps.find(({ name }) => name === step)?.counts[what] ?? 0
}
