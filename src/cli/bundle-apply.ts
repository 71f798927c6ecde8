/** `bundle apply`: what came, what waits, and for which volumes. */
import type { BundleApplied } from '../index.ts'
import type { Answer, Context } from './command.ts'
import { given } from './given.ts'
import { count, listed, size } from './render.ts'

interface Typed {
  readonly receipt: string | undefined
  readonly signer: string | undefined
  readonly 'require-signature': boolean
  readonly 'dry-run': boolean
}

export async function applyBundle(
  paths: readonly string[],
  { receipt, signer, 'require-signature': requireSignature, 'dry-run': dryRun }: Typed,
  context: Context,
): Promise<Answer> {
  const store = await context.store()
  const report = await store.applyBundle(paths, {
    dryRun,
    requireSignature,
    ...given({
      receipt: receipt === undefined ? undefined : context.resolve(receipt),
      signer: signer === undefined ? undefined : context.resolve(signer),
    }),
    ...context.operation,
  })
  for (const remark of report.remarks) context.remark(remark)
  return { value: report, text: describe(report, context) }
}

function describe(report: BundleApplied, { style, quiet }: Context): string {
  const { versions, waiting, missing, bytes, objects, receipt } = report
  if (quiet) return versions.map((ref) => `${style.name(ref)}\n`).join('')
  const lines = [came(report, (ref) => style.strong(style.name(ref)))]
  if (objects > 0) lines[0] += ` (${count(objects, 'object')}, ${size(bytes)}).`
  else lines[0] += '.'
  if (missing.length > 0) {
    const volumes = `${missing.length === 1 ? 'volume' : 'volumes'} ${listed(missing.map(String))}`
    lines.push(
      waiting.length === 0
        ? `What is in ${volumes} was not given.`
        : `${count(waiting.length, 'version waits', 'versions wait')} for ${volumes}: apply them too.`,
    )
  }
  if (receipt !== undefined) lines.push(`The receipt is ${style.name(receipt)}.`)
  return `${lines.join('\n')}\n`
}

function came(
  { versions, operation, dryRun, from, waiting }: BundleApplied,
  strong: (ref: string) => string,
): string {
  const what =
    versions.length > MOST_NAMED ? count(versions.length, 'version') : listed(versions.map(strong))
  if (dryRun) return versions.length === 0 ? 'Nothing new would come' : `Would take over ${what}`
  if (operation === undefined && waiting.length > 0) return 'Kept what came'
  if (operation === undefined) return `Nothing new from store ${from.store.slice(0, 12)}`
  return `Applied ${versions.length === 0 ? 'labels' : what}`
}

const MOST_NAMED = 10
