import { type Command, defineCommand } from '../command.ts'
import { LABEL_FLAGS, readMode } from '../label-mode.ts'
import { tagSentence } from '../label-sentences.ts'

export const tag: Command = defineCommand({
  flags: LABEL_FLAGS,
  takes: [1, Number.POSITIVE_INFINITY],
  ends: [12],
  completes: 'first-ref',
  details: ['Any number of versions may have the same tag; only an alias names one version.'],
  examples: [
    ['artifacts tag bike:v3 reviewed "needs labels"', 'Add two tags'],
    ['artifacts tag bike:v3 reviewed --remove', 'Take one away'],
    ['artifacts tag bike:v3 --set', 'Take all away'],
  ],
  json: { '': 'ref artifact project version id tags operation?' },

  async run({ values, positionals: [ref = '', ...tags] }, context) {
    const mode = readMode(values, tags, 'tag')
    const store = await context.store()
    const report = await store.tag(ref, tags, { mode })
    const sentence = `${tagSentence(report, context.style)}\n`
    return { value: report, text: context.quiet ? '' : sentence }
  },
})
