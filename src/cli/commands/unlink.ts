import { type Command, defineCommand } from '../command.ts'

export const unlink: Command = defineCommand({
  flags: {},
  takes: [1, 1],
  ends: [12, 14],
  completes: 'refs',
  details: [
    "REF names a version of a portfolio. The link goes, with its aliases in the portfolio; the version that it led to stays, and its number in the portfolio isn't given again.",
  ],
  examples: [['artifacts unlink registry/champion:v2', 'Take a version out of the portfolio']],
  json: { '': 'removed aliases operation?' },

  async run({ positionals: [ref = ''] }, { store, style }) {
    const report = await (await store()).unlink(ref)
    const sentences = [
      ...report.removed.map(
        ({ ref: link, source }) => `${style.strong(link)} is gone; ${source} stays.`,
      ),
      ...report.aliases.map(({ alias, to }) =>
        to === undefined ? `${alias} is gone.` : `${alias} is now ${to}.`,
      ),
    ]
    return { value: report, text: `${sentences.join(' ')}\n` }
  },
})
