import { type Command, defineCommand, yes } from '../command.ts'
import { removeSentence } from '../label-sentences.ts'

export const rm: Command = defineCommand({
  flags: {
    aliases: yes('Remove the aliases too that hold the versions'),
    'all-versions': yes('All versions of the artifacts that are named'),
  },
  takes: [1, Number.POSITIVE_INFINITY],
  ends: [12, 14],
  completes: 'refs',
  details: [
    'Deleting is soft: `artifacts restore` brings a version back until gc has removed its bytes. A version that an alias other than `latest` names is not removed without --aliases; `latest` falls to the highest version that is left. Numbers are never given again. A bare name is its latest version, as everywhere.',
  ],
  examples: [
    ['artifacts rm bike:v3', 'Remove a version'],
    ['artifacts rm bike:v1 bike:old --aliases', 'Remove two, and the aliases that hold them'],
    ['artifacts rm bike --all-versions', 'Remove a whole artifact'],
  ],
  json: { '': 'removed aliases operation? freeableBytes?' },

  async run({ values, positionals: refs }, context) {
    const store = await context.store()
    const report = await store.remove(refs, {
      aliases: values.aliases,
      allVersions: values['all-versions'],
      freeable: !context.quiet,
    })
    if (report.operation !== undefined) {
      context.remark(
        `\`artifacts undo ${report.operation}\` takes it back, until gc removes the bytes.`,
      )
    }
    const sentence = `${removeSentence(report, context.style)}\n`
    return { value: report, text: context.quiet ? '' : sentence }
  },
})
