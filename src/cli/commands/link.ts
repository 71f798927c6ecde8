import { type Command, defineCommand, texts } from '../command.ts'
import { listed } from '../render.ts'

export const link: Command = defineCommand({
  flags: { alias: texts('ALIAS', 'An alias in the portfolio to move to the version', 'a') },
  takes: [2, 2],
  ends: [12, 14],
  completes: 'first-ref',
  details: [
    'A portfolio is an artifact whose versions are links to versions of others: `[project/]NAME`, made when the first version is linked into it, and from then on for versions of the same type. It numbers its versions itself and has aliases of its own; `latest` is the newest link. A ref may name a version of it wherever one is read. A version stays as long as a portfolio holds it.',
  ],
  examples: [
    ['artifacts link bike-model:v7 registry/champion -a production', 'Make it the champion'],
    ['artifacts download registry/champion:production', 'Get whichever is it'],
  ],
  json: { '': 'ref portfolio project version source id created aliases operation?' },

  async run({ values, positionals: [ref = '', portfolio = ''] }, { store, style }) {
    const report = await (await store()).link(ref, portfolio, { aliases: values.alias })
    const { aliases, created, source } = report
    const names = aliases.length === 0 ? '' : ` (${listed(aliases)})`
    const said = created ? 'is now' : 'is already'
    return { value: report, text: `${source} ${said} ${style.strong(report.ref)}${names}.\n` }
  },
})
