import { readOperation } from '../at.ts'
import { type Command, defineCommand } from '../command.ts'

export const undo: Command = defineCommand({
  flags: {},
  takes: [0, 1],
  ends: [12, 14],
  completes: [],
  details: [
    'Takes back what operation N did to the store: a commit, a label, a deletion. Without N, the newest of the same user on the same machine that is not undone and no undo. Directories are never touched. To do again what was undone, undo the undo by its number. It is refused where a later operation has changed what N set, and for versions whose bytes gc has removed.',
  ],
  examples: [
    ['artifacts undo', 'Take back the last thing'],
    ['artifacts undo 41', 'Take back one operation; `artifacts op log` lists them'],
  ],
  json: { '': 'undone summary words operation' },

  async run({ positionals: [typed] }, context) {
    const n = typed === undefined ? undefined : readOperation(typed, 'An operation')
    const store = await context.store()
    const report = await store.undo(n)
    context.remark(`\`artifacts undo ${report.operation}\` does it again.`)
    const { style } = context
    const lines = report.words.map((line) => `  ${style.name(line)}\n`).join('')
    const sentence = `Undid operation ${style.strong(String(report.undone))} (${style.name(report.summary)}).\n`
    return { value: report, text: context.quiet ? '' : `${sentence}${lines}` }
  },
})
