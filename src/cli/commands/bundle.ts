import { applyBundle } from '../bundle-apply.ts'
import { createBundle } from '../bundle-create.ts'
import { listBundle, verifyBundle } from '../bundle-files.ts'
import { type Command, defineCommand, text, type Values, yes } from '../command.ts'
import { UsageError } from '../usage-error.ts'

/** The flags that each action takes; any other is a mistake. */
const TAKES = {
  create: ['since', 'max-size', 'sign', 'with-patch'],
  verify: ['signer'],
  ls: [],
  apply: ['receipt', 'signer', 'require-signature', 'dry-run'],
} as const

const flags = {
  since: text('WHAT', 'With create: a REF, an operation N or a RECEIPT; what the receiver has'),
  'max-size': text('S', 'With create: volumes of at most this size, such as 4GB'),
  sign: text('KEY', 'With create: sign with the private ed25519 key in this PEM file'),
  'with-patch': yes("With create: patches of runs' sources go along"),
  signer: text('FILE', 'With verify, apply: it must be signed by a key in this PEM file'),
  receipt: text('FILE', 'With apply: write there what this store has then'),
  'require-signature': yes('With apply: fail unless a key to check it with is given or set'),
  'dry-run': yes('With apply: say what would come, and change nothing'),
}

export const bundle: Command = defineCommand({
  flags,
  takes: [2, Number.POSITIVE_INFINITY],
  ends: [1, 12, 13, 14, 22],
  completes: ['create', 'verify', 'ls', 'apply'],
  details: [
    'A bundle carries versions to where no network leads: one tar, or several volumes. `create` writes REFs into FILE: all of an artifact (`bike`), or one version (`bike:v3`, `bike:best`); without REF, everything. Runs that made the versions come along. The same contents give the same bytes.',
    'With --since the bundle leaves out what the receiver has, and can be applied only where that is: all versions as of operation N, the version REF (without other REFs, its newer versions go), or what a receipt lists, which the receiver writes with `bundle apply --receipt`.',
    'With --max-size it is cut into `FILE.001.tar` and so on, each of which can be checked, and applied, by itself. Every volume is read back before it gets its name; when it is interrupted, the same command goes on.',
    '`verify` reads every byte and ends with 1 when anything is not as it was written; `ls` says what is in it. Neither needs a store. `tar` unpacks a volume, and `sha256sum -c SHA256SUMS` checks what was unpacked.',
    '`apply` takes over what is in it, and merges labels as a pull does. All volumes or some, in any order, and again: a version comes as soon as all of it is there, and what came of others waits for 30 days, as `status` shows. Directories are not touched. With --receipt it writes what this store has then; whoever makes the next bundle leaves that out.',
    'A key to sign with is made with `openssl genpkey -algorithm ed25519 -out key.pem`, and the file for --signer with `openssl pkey -in key.pem -pubout -out signer.pem`. Where the setting `bundle.signer` names such a file, `apply` takes nothing else.',
  ],
  examples: [
    ['artifacts bundle create out.tar', 'Everything'],
    ['artifacts bundle create out.tar bike:best --max-size 4GB', 'One version, on FAT drives'],
    ['artifacts bundle create next.tar --since receipt.json', 'What the receiver lacks'],
    ['artifacts bundle verify out.*.tar', 'Is every byte as it was written?'],
    ['artifacts bundle ls out.001.tar', 'What is in it, and what the receiver must have'],
    ['artifacts bundle apply out.*.tar --receipt receipt.json', 'Take it over, with a receipt'],
  ],
  json: {
    '`apply`':
      'bundle from dryRun versions waiting missing packs objects bytes signed operation? remarks receipt?',
    '`create`': 'bundle? volumes versions prerequisites objects packs bytes signed',
    '`create`, each of `volumes`': 'path bytes packs',
    '`verify`': 'ok volumes missing bundle? versions prerequisites',
    '`verify`, each of `volumes`': 'path problem? volume of bytes packs objects signed',
    '`ls`': 'bundle from tool signed of missing bytes versions prerequisites',
    '`ls`, each of `versions`': 'ref type id digest files bytes createdAt aliases',
    '`ls`, each of `prerequisites`': 'id ref?',
  },

  async run({ values, positionals: [action = '', ...others] }, context) {
    checkFlags(action, values)
    const [file = '', ...refs] = others
    if (action === 'create') return createBundle(file, refs, values, context)
    const paths = others.map(context.resolve)
    if (action === 'ls') return listBundle(paths, context)
    if (action === 'apply') return applyBundle(paths, values, context)
    const signer = values.signer === undefined ? undefined : context.resolve(values.signer)
    return verifyBundle(paths, signer, context)
  },
})

function checkFlags(action: string, values: Values<typeof flags>): void {
  if (!Object.hasOwn(TAKES, action)) {
    throw new UsageError(
      `"bundle ${action}" is not understood.`,
      'Write `artifacts bundle create FILE`, `artifacts bundle verify FILE`, `artifacts bundle ls FILE` or `artifacts bundle apply FILE`.',
    )
  }
  const taken: readonly string[] = TAKES[action as keyof typeof TAKES]
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === false || taken.includes(name)) continue
    throw new UsageError(`"bundle ${action}" takes no "--${name}".`, '`artifacts bundle --help`')
  }
}
