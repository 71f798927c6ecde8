import { type Command, defineCommand, text } from '../command.ts'
import { given } from '../given.ts'
import { columns } from '../render.ts'
import { UsageError } from '../usage-error.ts'
import { VERSION_FIELDS, versionRow } from '../versions.ts'

export const log: Command = defineCommand({
  flags: {
    alias: text('A', 'Only what this alias names'),
    limit: text('N', 'At most so many'),
  },
  takes: [0, 1],
  ends: [12],
  completes: 'first-ref',
  details: ['Without NAME, of all artifacts. With -q only refs.'],
  examples: [
    ['artifacts log bike', 'Versions of bike'],
    ['artifacts log --limit 10', 'The ten newest of all'],
  ],
  json: { 'An array of': VERSION_FIELDS },

  async run({ values, positionals: [name] }, context) {
    const limit = values.limit === undefined ? undefined : readLimit(values.limit)
    const store = await context.store()
    const versions = store.history(given({ name, alias: values.alias, limit }))
    return {
      value: versions,
      text: context.quiet
        ? versions.map(({ ref }) => `${ref}\n`).join('')
        : columns(versions.map((version) => versionRow(version, version.ref, context))),
    }
  },
})

function readLimit(typed: string): number {
  if (/^[1-9]\d{0,8}$/.test(typed)) return Number(typed)
  throw new UsageError(`"--limit" cannot be "${typed}".`, 'Give a whole number above zero.')
}
