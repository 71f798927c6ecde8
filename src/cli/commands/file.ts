import { type Command, defineCommand } from '../command.ts'

export const file: Command = defineCommand({
  flags: {},
  takes: [1, 2],
  ends: [12, 13, 20, 21, 22],
  completes: 'first-ref',
  details: ['Without DIR, into `./artifacts/NAME-vN/`.'],
  examples: [['python eval.py "$(artifacts file model:best)"', 'Use a one-file model']],
  json: { '': 'path' },

  async run({ positionals: [ref = '', dir] }, context) {
    const store = await context.store()
    const path = await store.file(
      ref,
      dir === undefined ? undefined : context.resolve(dir),
      context.operation,
    )
    return { value: { path }, text: `${context.style.name(path)}\n` }
  },
})
