import { AT_FLAGS, asOf } from '../at.ts'
import { type Command, defineCommand, yes } from '../command.ts'
import { remarkMissing } from '../missing-references.ts'
import { checkoutSentence } from '../sentences.ts'

export const checkout: Command = defineCommand({
  flags: {
    force: yes('Discard files that are in no version'),
    'dry-run': yes('Only say what would change'),
    'allow-missing-references': yes('Go on without references that are gone'),
    ...AT_FLAGS,
  },
  takes: [1, 2],
  rest: true,
  ends: [12, 13, 14, 20, 21, 22],
  completes: 'first-ref',
  details: [
    'Without DIR, the one directory bound to the artifact. Behind `--`, only these paths of the version. A file that differs from the version the directory holds and from the one it gets is not replaced or deleted without --force.',
  ],
  examples: [
    ['artifacts checkout bike:v3 data', 'Make data equal to bike:v3'],
    ['artifacts checkout bike:v3', 'The same for the bound directory'],
    ['artifacts checkout bike:v3 -- labels.csv', 'Bring one file back'],
  ],
  json: { '': 'ref dir added changed deleted unchanged bytes dryRun missingReferences bound?' },

  async run({ values, positionals: [ref = '', dir], rest }, context) {
    const view = asOf(await context.store(), values)
    const report = await view.checkout(ref, dir === undefined ? undefined : context.resolve(dir), {
      force: values.force,
      allowMissingReferences: values['allow-missing-references'],
      dryRun: values['dry-run'],
      ...(rest.length === 0 ? {} : { paths: rest }),
      ...context.operation,
    })
    remarkMissing(report.missingReferences, context)
    if (report.bound?.replaced !== undefined) {
      context.remark(`"${report.bound.path}" was bound to ${report.bound.replaced} before.`)
    }
    const place = context.style.name(dir ?? report.dir)
    const sentence = `${checkoutSentence(report, place, context.style)}\n`
    return { value: report, text: context.quiet ? '' : sentence }
  },
})
