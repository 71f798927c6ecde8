import type { CloneReport } from '../../index.ts'
import { type Command, type Context, defineCommand, text, yes } from '../command.ts'
import { given } from '../given.ts'
import { readOptional } from '../limit.ts'
import { movedList, transferred } from '../transfers.ts'

export const clone: Command = defineCommand({
  flags: {
    'no-data': yes('Take what versions consist of, not the bytes of their files'),
    jobs: text('N', 'Requests at once (8)'),
  },
  takes: [1, Number.POSITIVE_INFINITY],
  completes: 'files',
  ends: [13, 20, 21, 22],
  details: [
    'Makes a store in DIR (default: the last part of URL) that has what lies at URL, or only what the REFs name, and calls that remote `origin`. URL is an address in S3, of a server, of a folder, or a bundle.',
    'A clone that was cut goes on where it was when it is run again.',
  ],
  examples: [
    ['artifacts clone s3://team/bikes', 'All of a bucket, into the folder `bikes`'],
    ['artifacts clone /media/usb/bikes here bike:best', 'One version, from a drive'],
    [
      'artifacts clone https://host:4280/ bikes --no-data',
      'Fetch bytes later, when they are needed',
    ],
  ],
  json: {
    '': 'store created remote url versions packs objects bytes requests requestsByKind operation? remarks',
  },

  async run({ values, positionals: [url = '', dir, ...refs] }, context) {
    const { Store } = await import('../../index.ts')
    const { jobs, 'no-data': noData } = values
    const report = await Store.clone(url, {
      refs,
      data: !noData,
      cwd: context.io.cwd,
      env: context.io.environment.variables,
      onNotice: context.remark,
      ...given({ dir, jobs: readOptional(jobs, '--jobs') }),
      ...context.operation,
    })
    for (const remark of report.remarks) context.remark(remark)
    return { value: report, text: describe(report, context) }
  },
})

function describe(report: CloneReport, { style, quiet }: Context): string {
  const { store, created, versions } = report
  if (quiet) return `${store}\n`
  const what = versions.length === 0 ? 'nothing' : movedList(versions, style)
  const made = created ? 'Made' : 'Went on with'
  return `${made} ${style.name(store)} with ${what} (${transferred(report)}).\n`
}
