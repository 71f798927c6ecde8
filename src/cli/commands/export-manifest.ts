import { type Command, defineCommand, yes } from '../command.ts'
import { UsageError } from '../usage-error.ts'

export const exportManifest: Command = defineCommand({
  flags: {
    wandb: yes("W&B's manifest, version 1 (the only kind there is)"),
    digest: yes('Only the MD5 digest that W&B would show for it'),
  },
  takes: [1, 1],
  ends: [12, 13, 14],
  completes: 'refs',
  details: [
    'Reads every byte, because W&B names files by their MD5. Symbolic links are followed, as W&B does when it adds a directory; empty directories and executable bits have no place in its manifest. References have the digest that W&B would have recorded: an ETag, the MD5 of a local file, or the URI.',
    'The manifest is JSON with or without --json.',
  ],
  examples: [
    ['artifacts export-manifest bike:v3 --wandb > manifest.json', 'For a program that reads them'],
    ['artifacts export-manifest bike:v3 --wandb --digest', "To compare with W&B's own"],
  ],
  json: { 'With --digest': 'ref digest' },

  async run({ values, positionals: [ref = ''] }, context) {
    if (!values.wandb) {
      throw new UsageError(
        'No kind of manifest is given.',
        `Try \`artifacts export-manifest ${ref} --wandb\`.`,
      )
    }
    const store = await context.store()
    if (!values.digest) return { bytes: store.wandbManifest(ref, context.operation) }
    const digest = await store.wandbDigest(ref, context.operation)
    return { value: { ref: store.version(ref).ref, digest }, text: `${digest}\n` }
  },
})
