import { existsSync } from 'node:fs'
import type { RestoreReport, Store } from '../../index.ts'
import { type Command, type Context, defineCommand } from '../command.ts'
import { restoreSentence } from '../label-sentences.ts'
import { UsageError } from '../usage-error.ts'

export const restore: Command = defineCommand({
  flags: {},
  takes: [1, Number.POSITIVE_INFINITY],
  ends: [12],
  completes: 'refs',
  details: [
    'Brings deleted versions back, without the aliases they had; where no other version is left, `latest` names it again. To take back all that an operation did there is `artifacts undo`; to bring a file of a version back, `artifacts checkout REF -- PATH`.',
  ],
  examples: [['artifacts restore bike:v3', 'Bring a deleted version back']],
  json: { '': 'restored live latest operation?' },

  async run({ positionals: refs }, context) {
    const store = await context.store()
    const report = await restored(store, refs, context)
    for (const ref of report.live) context.remark(`${ref} was not deleted.`)
    const sentence = `${restoreSentence(report, context.style)}\n`
    return { value: report, text: context.quiet ? '' : sentence }
  },
})

/** People who know git mean a file. */
async function restored(
  store: Store,
  refs: readonly string[],
  context: Context,
): Promise<RestoreReport> {
  try {
    return await store.restore(refs)
  } catch (error) {
    const file = refs.find((ref) => !/[:@]/.test(ref) && existsSync(context.resolve(ref)))
    const isUnknown =
      error instanceof Error &&
      'code' in error &&
      (error.code === 'ERR_NOT_FOUND' || error.code === 'ERR_INVALID_NAME')
    if (file === undefined || !isUnknown) throw error
    throw new UsageError(
      `"${file}" is a file here, not a version in the store.`,
      `To bring a file back: \`artifacts checkout REF -- ${file}\`.`,
    )
  }
}
