import { listBundle, verifyBundle } from '../bundle-files.ts'
import { type Command, defineCommand, text } from '../command.ts'
import { UsageError } from '../usage-error.ts'

const USAGE = 'Usage: `artifacts bundle verify FILE...` or `artifacts bundle ls FILE...`'

export const bundle: Command = defineCommand({
  flags: {
    signer: text('FILE', 'With verify: it must be signed by a key in this PEM file'),
  },
  takes: [2, Number.POSITIVE_INFINITY],
  ends: [1, 13, 22],
  completes: ['verify', 'ls'],
  details: [
    'A bundle carries versions to where no network leads: one tar, or several volumes. `verify` reads every byte of it and ends with 1 when anything is not as it was written; `ls` says what is in it. Neither needs a store. Volumes are checked one by one, so some of a set are enough. `tar` unpacks a volume, and `sha256sum -c SHA256SUMS` checks what was unpacked.',
    'A key to sign with is made with `openssl genpkey -algorithm ed25519 -out key.pem`, and the file for --signer with `openssl pkey -in key.pem -pubout -out signer.pem`.',
  ],
  examples: [
    ['artifacts bundle verify out.*.tar', 'Is every byte as it was written?'],
    ['artifacts bundle ls out.001.tar', 'What is in it, and what the receiver must have'],
  ],
  json: {
    '`verify`': 'ok volumes missing bundle? versions prerequisites',
    '`verify`, each of `volumes`': 'path problem? volume of bytes packs objects signed',
    '`ls`': 'bundle from tool signed of missing bytes versions prerequisites',
    '`ls`, each of `versions`': 'ref type id digest files bytes createdAt aliases',
    '`ls`, each of `prerequisites`': 'id ref?',
  },

  async run({ values, positionals: [action, ...files] }, context) {
    const paths = files.map(context.resolve)
    if (action === 'verify') {
      const signer = values.signer === undefined ? undefined : context.resolve(values.signer)
      return verifyBundle(paths, signer, context)
    }
    if (action === 'ls' && values.signer === undefined) return listBundle(paths, context)
    throw new UsageError(`"bundle ${action}" is not understood as it stands.`, USAGE)
  },
})
