import { AT_FLAGS, asOf } from '../at.ts'
import { type Command, defineCommand } from '../command.ts'

export const cat: Command = defineCommand({
  flags: AT_FLAGS,
  takes: [2, 2],
  ends: [12, 13],
  completes: 'first-ref',
  details: ['The bytes are checked as they are read; --json changes nothing but errors.'],
  examples: [['artifacts cat bike:v3 data.csv | head', 'Look into a file']],

  async run({ values, positionals: [ref = '', path = ''] }, context) {
    const view = asOf(await context.store(), values)
    return { bytes: view.read(ref, path) }
  },
})
