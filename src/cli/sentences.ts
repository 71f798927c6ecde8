/** What commands that change something say about it. */
import type { CheckoutReport, CommitReport } from '../index.ts'
import { contents, count, listed, type Style, size, thousands } from './render.ts'

/** `Committed bike:v4 (3 added, 1 changed; 210 MB stored, 4.1 GB reused).` */
export function commitSentence(report: CommitReport, style: Style): string {
  const ref = style.strong(report.ref)
  const moved = report.aliases.filter((alias) => alias !== 'latest')
  const aliases =
    moved.length === 0
      ? ''
      : ` ${listed(moved)} ${moved.length === 1 ? 'is' : 'are'} now ${report.ref}.`
  if (!report.created) {
    return `Unchanged: ${ref} has this content (${contents(report)}).${aliases}`
  }
  const difference = numbers(report, ['added', 'changed', 'removed'])
  const bytes = `${size(report.storedBytes)} stored, ${size(report.reusedBytes)} reused`
  const verb = report.dryRun ? 'Would commit' : 'Committed'
  return `${verb} ${ref} (${difference || 'no file differs'}; ${bytes}).${aliases}`
}

/** The labels that a commit was given, as they were typed. */
export interface GivenLabels {
  readonly message: string | undefined
  readonly meta: readonly string[]
  readonly 'meta-file': string | undefined
  readonly tag: readonly string[]
}

/** What else the person should know, a line each. */
export function commitRemarks(report: CommitReport, given: GivenLabels): string[] {
  const { outwardLinks, skipped, ignoredLabels, unresolved, bound } = report
  const remarks: string[] = []
  if (skipped.length > 0) {
    const names = skipped.map(({ path, reason }) => `"${path}" (${reason})`)
    remarks.push(`Skipped ${count(skipped.length, 'special file')}: ${listed(names)}.`)
  }
  if (outwardLinks > 0) {
    const many = outwardLinks > 1
    remarks.push(
      `${count(outwardLinks, 'symbolic link')} ${many ? 'lead' : 'leads'} outside and ${many ? 'are' : 'is'} stored as a link, without what lies behind.`,
    )
  }
  if (unresolved.length > 0) {
    remarks.push(
      `Recorded without a look at what is there, for want of a network: ${listed(unresolved)}. Later: artifacts commit --resolve ${report.ref}`,
    )
  }
  if (ignoredLabels.length > 0) {
    remarks.push(
      `Not applied, because ${report.ref} was there already: ${listed(ignoredLabels)}. This would: ${labelCommands(report, given).join(' ; ')}`,
    )
  }
  if (bound?.replaced !== undefined) {
    remarks.push(
      `"${bound.path}" was bound to ${bound.replaced} and is now bound to ${report.artifact}.`,
    )
  }
  return remarks
}

/** The commands that give the version what was not applied. */
function labelCommands({ ref, ignoredLabels }: CommitReport, given: GivenLabels): string[] {
  const isIgnored = (label: string): boolean => ignoredLabels.includes(label)
  const { message = '', meta, 'meta-file': file, tag } = given
  const words = [
    ...(isIgnored('description') ? ['-m', quoted(message)] : []),
    ...(isIgnored('metadata') && file !== undefined ? ['--meta-file', quoted(file)] : []),
    ...(isIgnored('metadata') ? meta.flatMap((pair) => ['--meta', quoted(pair)]) : []),
  ]
  return [
    ...(words.length === 0 ? [] : [`artifacts edit ${ref} ${words.join(' ')}`]),
    ...(isIgnored('tags') ? [`artifacts tag ${ref} ${tag.map(quoted).join(' ')}`] : []),
  ]
}

/** A word for a POSIX shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** `Checked out bike:v3 into data (1 added, 2 deleted; 210 MB written).` */
export function checkoutSentence(report: CheckoutReport, dir: string, style: Style): string {
  const difference = numbers(report, ['added', 'changed', 'deleted'])
  const ref = style.strong(report.ref)
  if (difference === '') return `${dir} holds ${ref} already.`
  return report.dryRun
    ? `Would check out ${ref} into ${dir} (${difference}; ${size(report.bytes)} to write).`
    : `Checked out ${ref} into ${dir} (${difference}; ${size(report.bytes)} written).`
}

/** `3 added, 1 changed`: the numbers that are not zero. */
export function numbers<Name extends string>(
  counts: Readonly<Record<Name, number>>,
  names: readonly Name[],
): string {
  return names
    .filter((name) => counts[name] > 0)
    .map((name) => `${thousands(counts[name])} ${name}`)
    .join(', ')
}
