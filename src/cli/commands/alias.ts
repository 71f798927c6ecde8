import { type Command, defineCommand } from '../command.ts'
import { LABEL_FLAGS, readMode } from '../label-mode.ts'
import { aliasSentence } from '../label-sentences.ts'

export const alias: Command = defineCommand({
  flags: LABEL_FLAGS,
  takes: [1, Number.POSITIVE_INFINITY],
  ends: [12],
  completes: 'first-ref',
  details: [
    'An alias names one version of its artifact: giving it to one takes it from another. `latest` is an alias like others; each commit moves it to the new version. --set leaves `latest` alone unless it is named. `artifacts log NAME --alias ALIAS` tells who moved one when.',
  ],
  examples: [
    ['artifacts alias bike:v3 best prod', 'Move two aliases to a version'],
    ['artifacts alias bike:v3 prod --remove', 'Take one away'],
    ['artifacts alias bike:v3 best --set', 'This one and no other'],
  ],
  json: { '': 'ref artifact project version id aliases added removed absent operation?' },

  async run({ values, positionals: [ref = '', ...aliases] }, context) {
    const mode = readMode(values, aliases, 'alias')
    const store = await context.store()
    const report = await store.alias(ref, aliases, { mode })
    for (const name of report.absent) context.remark(`"${name}" did not name ${report.ref}.`)
    const sentence = `${aliasSentence(report, context.style)}\n`
    return { value: report, text: context.quiet ? '' : sentence }
  },
})
