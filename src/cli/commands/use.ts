import { type Command, defineCommand, text } from '../command.ts'
import { currentRun } from '../current-run.ts'
import { given } from '../given.ts'
import { UsageError } from '../usage-error.ts'

export const use: Command = defineCommand({
  flags: {
    run: text('RUN', 'The run; else the one that ARTIFACTS_RUN names'),
    slot: text('S', "What the version is called in the run; else the artifact's name"),
    type: text('TYPE', 'The type that it must have', 't'),
  },
  takes: [1, Number.POSITIVE_INFINITY],
  ends: [12, 13, 14],
  completes: 'refs',
  details: [
    "Records in one operation that the run uses the versions, then prints a read-only copy of each, as `path` does. A name without project means the run's project.",
  ],
  examples: [
    ['python train.py "$(artifacts use bike --run "$RUN")"', 'Use the latest version of bike'],
    ['artifacts use bike:v3 --slot "training data"', 'In a program that `run exec` started'],
  ],
  json: { 'A line for each REF': 'type run slot ref id path files bytes' },

  async run({ values, positionals: refs }, context) {
    const store = await context.store()
    const run = await currentRun(store, values.run, context)
    if (run === undefined) {
      throw new UsageError(
        'No run is named.',
        'Name it with `--run ID`, or start the program with `artifacts run exec`.',
      )
    }
    const { slot, type } = values
    const used = await run.useArtifacts(refs, given({ slot, type }))
    const records: { readonly path: string; readonly [field: string]: unknown }[] = []
    for (const { id, name, ref } of used) {
      const copy = await store.localPath(`@${id}`, context.operation)
      const { path, files, bytes } = copy
      records.push({ type: 'use', run: run.id, slot: slot ?? name, ref, id, path, files, bytes })
    }
    return { records, lines: records.map(({ path }) => context.style.name(path)) }
  },
})
