/** `bundle create`: what is typed for `--since` may be an operation, a receipt or a ref. */
import { statSync } from 'node:fs'
import type { BundleReport, CreateBundleOptions } from '../index.ts'
import { readOperation } from './at.ts'
import type { Answer, Context } from './command.ts'
import { given } from './given.ts'
import { count, listed, size } from './render.ts'

interface Typed {
  readonly since: string | undefined
  readonly 'max-size': string | undefined
  readonly sign: string | undefined
  readonly 'with-patch': boolean
}

export async function createBundle(
  file: string,
  refs: readonly string[],
  { since, 'max-size': maxSize, sign, 'with-patch': withPatch }: Typed,
  context: Context,
): Promise<Answer> {
  const store = await context.store()
  const report = await store.createBundle(context.resolve(file), refs, {
    withPatch,
    ...given({
      since: since === undefined ? undefined : readSince(since, context),
      maxSize,
      sign: sign === undefined ? undefined : context.resolve(sign),
    }),
    ...context.operation,
  })
  return { value: report, text: describe(report, context) }
}

function readSince(typed: string, { resolve }: Context): NonNullable<CreateBundleOptions['since']> {
  if (/^\d+$/.test(typed)) return { operation: readOperation(typed, '"--since"') }
  const path = resolve(typed)
  // A folder is called like its artifact.
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true
  return isFile ? { receipt: path } : { ref: typed }
}

function describe(report: BundleReport, { style, quiet }: Context): string {
  const { volumes, versions, prerequisites, bytes, signed } = report
  if (quiet) return volumes.map(({ path }) => `${style.name(path)}\n`).join('')
  if (volumes.length === 0)
    return 'There is nothing that the receiver lacks; nothing was written.\n'
  const what = versions.length === 0 ? 'labels alone' : count(versions.length, 'version')
  const where = volumes.map(({ path }) => style.strong(style.name(path)))
  const lines = [
    `Wrote ${what} to ${listed(where)} (${size(bytes)}${signed ? ', signed' : ''}); all of it was read back.`,
    ...(prerequisites.length === 0
      ? []
      : [`The receiver must have ${style.name(listed(prerequisites))}.`]),
  ]
  return `${lines.join('\n')}\n`
}
