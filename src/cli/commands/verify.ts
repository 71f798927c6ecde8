import type { VerifyReport } from '../../index.ts'
import { type Command, type Context, defineCommand, text, yes } from '../command.ts'
import { contents, count } from '../render.ts'
import { UsageError } from '../usage-error.ts'

export const verify: Command = defineCommand({
  flags: {
    dir: text('DIR', 'Compare this directory with the version'),
    references: yes('Look at references, too, where they lead to'),
  },
  takes: [1, Number.POSITIVE_INFINITY],
  ends: [1, 12],
  completes: 'refs',
  details: [
    'Reads every stored byte of the versions again and compares it with its SHA-256. Ends with 1 where something is missing, changed, extra or damaged. What was not fetched from a remote is counted. References are counted; with --references everything they lead to is compared with what was recorded.',
  ],
  examples: [
    ['artifacts verify bike:v3', 'Is what is stored sound?'],
    ['artifacts verify bike:v3 --dir data', 'Is data equal to bike:v3?'],
    ['artifacts verify images --references', 'Is what it refers to as it was?'],
  ],
  json: {
    'A line for each REF':
      'ref dir? ok files bytes references notFetched missing changed extra damaged unchecked',
  },

  async run({ values, positionals: refs }, context) {
    if (values.dir !== undefined && refs.length > 1) {
      throw new UsageError(
        `"--dir" compares with one version, not with ${refs.length}.`,
        `Try \`artifacts verify ${refs[0]} --dir ${values.dir}\`.`,
      )
    }
    const store = await context.store()
    const dir = values.dir === undefined ? {} : { dir: context.resolve(values.dir) }
    const reports: VerifyReport[] = []
    const { references } = values
    for (const ref of refs) {
      reports.push(await store.verify(ref, { ...dir, references, ...context.operation }))
    }
    return {
      code: reports.every(({ ok }) => ok) ? 0 : 1,
      records: reports,
      lines: reports.flatMap((report) => describe(report, references, context)),
    }
  },
})

function describe(report: VerifyReport, looked: boolean, { style, quiet }: Context): string[] {
  const { ref, ok, references, notFetched, missing, changed, extra, damaged, unchecked } = report
  const problems = [
    ...missing.map((path) => `${style.removed('missing')}  ${style.name(path)}`),
    ...changed.map((path) => `${style.changed('changed')}  ${style.name(path)}`),
    ...extra.map((path) => `${style.added('extra')}    ${style.name(path)}`),
    ...damaged.map(
      ({ path, reason }) => `${style.removed('damaged')}  ${style.name(path)}: ${reason}`,
    ),
  ]
  const open = unchecked.map(({ path, reason }) => `unknown  ${style.name(path)}: ${reason}`)
  if (quiet) return [...problems, ...open]
  const left = looked ? unchecked.length : references
  const unread = left === 0 ? '' : `; ${count(left, 'reference')} not checked`
  const absent = notFetched === 0 ? '' : `; ${count(notFetched, 'file')} not fetched`
  const verdict = ok || problems.length === 0 ? 'all as stored' : count(problems.length, 'problem')
  return [
    ...problems,
    ...open,
    `${style.strong(ref)}: ${verdict} (${contents(report)}${absent}${unread})`,
  ]
}
