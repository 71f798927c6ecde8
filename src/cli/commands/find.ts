import { type Command, defineCommand, text } from '../command.ts'
import { given } from '../given.ts'
import { readLimit } from '../limit.ts'
import { columns } from '../render.ts'
import { VERSION_FIELDS, versionRow } from '../versions.ts'

export const find: Command = defineCommand({
  flags: { limit: text('N', 'At most so many') },
  takes: [0, 1000],
  completes: [],
  details: [
    'Versions that meet all terms, the newest first; without terms all. A term is a field, an operator and a value: `=` equal, `!=` not equal, `~` contains, `!~` does not contain, `<` `<=` `>` `>=`. Quote terms with < or > for the shell. A word alone is looked for in names.',
    'Fields are name, project, type, version, id, digest, alias, tag, description, files, bytes (`bytes>1GB`), created (`created>2026-05-01`, `created>7d` for the last week), user, host, operation; meta.KEY, where KEY may lead into objects (`meta.train.lr`), numbers compare with numbers, and a list matches if an item does; and of the run that logged the version run.id, run.name, run.project, run.job, run.group, run.tag, run.notes, run.state, run.started, run.user, run.host, run.config.KEY.',
    'Of what can be several, as tags, `=` asks for one of them, `!=` for none. A day, month or year is all of it. With -q only refs.',
  ],
  examples: [
    ['artifacts find type=model tag=prod "meta.acc>0.9"', 'Good models in production'],
    [
      'artifacts find bike run.job=train "created>2026-05-01"',
      'What training has made of bike since',
    ],
    ['artifacts rm $(artifacts find -q tag=scratch)', 'Delete what is marked as scratch'],
  ],
  json: { 'an array of': VERSION_FIELDS },

  async run({ values, positionals }, context) {
    const store = await context.store()
    const limit = values.limit === undefined ? undefined : readLimit(values.limit)
    const found = await store.find(positionals, given({ limit }))
    return {
      value: found,
      text: context.quiet
        ? found.map(({ ref }) => `${ref}\n`).join('')
        : columns(found.map((version) => versionRow(version, version.ref, context))),
    }
  },
})
