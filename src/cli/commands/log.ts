import type { AliasMove } from '../../index.ts'
import { AT_FLAGS, asOf } from '../at.ts'
import { type Command, type Context, defineCommand, text } from '../command.ts'
import { given } from '../given.ts'
import { readLimit } from '../limit.ts'
import { age, columns } from '../render.ts'
import { VERSION_FIELDS, versionRow } from '../versions.ts'

export const log: Command = defineCommand({
  flags: {
    alias: text('A', 'Who moved this alias when'),
    limit: text('N', 'At most so many'),
    ...AT_FLAGS,
  },
  takes: [0, 1],
  ends: [12],
  completes: 'first-ref',
  details: [
    'Without NAME, of all artifacts. With -q only refs. With --alias the moves of that alias instead, the newest first.',
  ],
  examples: [
    ['artifacts log bike', 'Versions of bike'],
    ['artifacts log --limit 10', 'The ten newest of all'],
    ['artifacts log bike --alias best', 'Which versions were best, and who said so'],
  ],
  json: {
    'An array of': VERSION_FIELDS,
    'With --alias, an array of': 'alias artifact project from? to? at user host operation',
  },

  async run({ values, positionals: [name] }, context) {
    const limit = values.limit === undefined ? undefined : readLimit(values.limit)
    const store = await context.store()
    const view = asOf(store, values)
    if (values.alias !== undefined) {
      const moves = view.aliasHistory(values.alias, given({ name, limit }))
      return { value: moves, text: columns(moves.map((move) => moveRow(move, context))) }
    }
    const versions = view.history(given({ name, limit }))
    return {
      value: versions,
      text: context.quiet
        ? versions.map(({ ref }) => `${ref}\n`).join('')
        : columns(versions.map((version) => versionRow(version, version.ref, context))),
    }
  },
})

function moveRow(move: AliasMove, { style, io, quiet }: Context): string[] {
  const { from = 'none', to = 'none', at, user, host, operation } = move
  if (quiet) return [to]
  const by = style.name(`${user} on ${host}`)
  return [`${from} -> ${style.strong(to)}`, age(at, io.now()), by, `operation ${operation}`]
}
