import { type Command, defineCommand } from '../command.ts'

export const rename: Command = defineCommand({
  flags: {},
  takes: [2, 2],
  ends: [12, 14],
  completes: 'first-ref',
  details: [
    'Versions, aliases and bound directories stay with the artifact; refs with the old name are not found any more.',
  ],
  examples: [['artifacts rename bike bicycle', 'Give an artifact another name']],
  json: { '': 'artifact project old operation?' },

  async run({ positionals: [name = '', to = ''] }, context) {
    const store = await context.store()
    const report = await store.rename(name, to)
    const { strong } = context.style
    const sentence =
      report.operation === undefined
        ? `${strong(report.artifact)} is called that already.`
        : `Renamed ${report.old} to ${strong(report.artifact)}.`
    return { value: report, text: context.quiet ? '' : `${sentence}\n` }
  },
})
