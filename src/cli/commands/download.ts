import { type Command, defineCommand, texts, yes } from '../command.ts'
import { remarkMissing } from '../missing-references.ts'
import { count, size, thousands } from '../render.ts'

export const download: Command = defineCommand({
  flags: {
    prefix: texts('P', 'Only what lies below the path'),
    include: texts('G', 'Only paths that match the pattern'),
    exclude: texts('G', 'No paths that match the pattern'),
    'allow-missing-references': yes('Go on without references that are gone'),
  },
  takes: [1, 2],
  ends: [12, 13, 14, 20, 21, 22],
  completes: 'first-ref',
  details: [
    'Adds files and never deletes any. Without DIR, into `./artifacts/NAME-vN/`. The directory is printed, alone. What references lead to is fetched; where it is not what was recorded, nothing is written.',
  ],
  examples: [
    ['artifacts download bike:v3', 'Into ./artifacts/bike-v3'],
    ['cd "$(artifacts download bike)"', 'Work in the latest version'],
    ['artifacts download bike data --prefix images --exclude "*.tmp"', 'Only a part'],
  ],
  json: { '': 'ref dir files bytes written unchanged missingReferences' },

  async run({ values, positionals: [ref = '', dir] }, context) {
    const store = await context.store()
    const report = await store.download(ref, dir === undefined ? undefined : context.resolve(dir), {
      prefix: values.prefix,
      include: values.include,
      exclude: values.exclude,
      allowMissingReferences: values['allow-missing-references'],
      ...context.operation,
    })
    const { files, bytes, unchanged, missingReferences } = report
    remarkMissing(missingReferences, context)
    const there = unchanged === 0 ? '' : `, ${thousands(unchanged)} there already`
    if (!context.json) {
      context.remark(`Downloaded ${report.ref}: ${count(files, 'file')}, ${size(bytes)}${there}.`)
    }
    return { value: report, text: `${context.style.name(report.dir)}\n` }
  },
})
