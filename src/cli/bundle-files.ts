/** `bundle verify` and `bundle ls`: what files of bundles are, told without a store. */
import type { BundleVerification, ListedBundle } from '../index.ts'
import type { Answer, Context } from './command.ts'
import { columns, contents, count, listed, type Style, size } from './render.ts'

export async function verifyBundle(
  paths: readonly string[],
  signer: string | undefined,
  { operation, quiet, style }: Context,
): Promise<Answer> {
  const { verifyBundle: verify } = await import('../index.ts')
  const report = await verify(paths, { ...operation, signer })
  const code = report.ok ? 0 : 1
  return { code, value: report, text: quiet && report.ok ? '' : judged(report, style) }
}

export async function listBundle(
  paths: readonly string[],
  { quiet, style }: Context,
): Promise<Answer> {
  const { listBundle: list } = await import('../index.ts')
  const report = await list(paths)
  return { value: report, text: quiet ? refs(report, style) : told(report, style) }
}

function judged({ ok, volumes, missing }: BundleVerification, style: Style): string {
  const rows = volumes.map(({ path, volume, of, bytes, packs, objects, signed, problem }) => [
    style.strong(style.name(path)),
    volume === 0 ? '' : `volume ${volume} of ${of}`,
    problem === undefined
      ? `whole: ${size(bytes)}, ${count(packs, 'pack')}, ${count(objects, 'object')}${signed ? ', signed' : ''}`
      : style.name(problem),
  ])
  const rest = missing.length === 0 ? '' : ` ${notGiven(missing)}`
  const verdict = ok ? 'Every byte is as it was written.' : 'Do not use it: copy it once more.'
  return `${columns(rows)}${verdict}${rest}\n`
}

function told(report: ListedBundle, style: Style): string {
  const { bundle, from, tool, signed, of, missing, bytes, versions, prerequisites } = report
  const rows = versions.map((version) => [
    `  ${style.strong(style.name(version.ref))}`,
    version.id.slice(0, 12),
    contents(version),
    style.name(version.aliases.join(', ')),
  ])
  const needs = prerequisites.map(({ id, ref }) => ref ?? `@${id.slice(0, 12)}`)
  const lines = [
    `bundle ${bundle}, ${signed ? 'signed' : 'not signed'}, ${count(of, 'volume')}, ${size(bytes)} of packs`,
    `made from store ${from.store} at operation ${from.n} by ${style.name(tool)}`,
    ...(missing.length === 0 ? [] : [notGiven(missing)]),
    ...(needs.length === 0
      ? ['The receiver needs nothing.']
      : [`The receiver must have ${style.name(listed(needs))}.`]),
    `${count(versions.length, 'version')}:`,
  ]
  return `${lines.join('\n')}\n${columns(rows)}`
}

function refs({ versions }: ListedBundle, style: Style): string {
  return versions.map(({ ref }) => `${style.name(ref)}\n`).join('')
}

function notGiven(missing: readonly number[]): string {
  const names = listed(missing.map(String))
  return missing.length === 1
    ? `Volume ${names} was not given.`
    : `Volumes ${names} were not given.`
}
