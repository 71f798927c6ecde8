import { type Command, defineCommand } from '../command.ts'

export const cat: Command = defineCommand({
  flags: {},
  takes: [2, 2],
  ends: [12, 13],
  completes: 'first-ref',
  details: ['The bytes are checked as they are read; --json changes nothing but errors.'],
  examples: [['artifacts cat bike:v3 data.csv | head', 'Look into a file']],

  async run({ positionals: [ref = '', path = ''] }, context) {
    const store = await context.store()
    return { bytes: store.read(ref, path) }
  },
})
