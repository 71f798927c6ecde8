/** What the commands that change labels say about it. */
import type {
  AliasReport,
  ArtifactReport,
  EditReport,
  RemoveReport,
  RestoreReport,
  TagReport,
} from '../index.ts'
import { contents, count, listed, type Style, size } from './render.ts'

/** `best (was v2) and prod are now bike:v3. Removed old from bike:v3.` */
export function aliasSentence(report: AliasReport, style: Style): string {
  const ref = style.strong(report.ref)
  const { added, removed, aliases } = report
  const said: string[] = []
  if (added.length > 0) {
    const names = added.map(({ alias, from }) =>
      from === undefined ? alias : `${alias} (was ${from})`,
    )
    said.push(`${listed(names)} ${names.length === 1 ? 'is' : 'are'} now ${ref}.`)
  }
  if (removed.length > 0) said.push(`Removed ${listed(removed)} from ${ref}.`)
  if (said.length > 0) return said.join(' ')
  return `Nothing to change: ${ref} has ${aliases.length === 0 ? 'no alias' : listed(aliases)}.`
}

export function tagSentence({ ref, tags, operation }: TagReport, style: Style): string {
  const has = tags.length === 0 ? 'has no tag' : `is tagged ${listed(tags)}`
  return operation === undefined
    ? `Nothing to change: ${style.strong(ref)} ${has}.`
    : `${style.strong(ref)} ${has}${tags.length === 0 ? ' now' : ''}.`
}

export function editSentence({ ref, changed }: EditReport, style: Style): string {
  return changeOf(style.strong(ref), changed)
}

export function artifactSentence({ artifact, changed }: ArtifactReport, style: Style): string {
  return changeOf(style.strong(artifact), changed)
}

/** `Removed bike:v3 (12 files, 4 MB). latest is now bike:v2.` */
export function removeSentence(report: RemoveReport, style: Style): string {
  const { removed, aliases, freeableBytes = 0 } = report
  const fallen = aliases.map(({ alias, from, to }) =>
    to === undefined ? `${alias} of ${from} is gone.` : `${alias} is now ${style.strong(to)}.`,
  )
  if (removed.length === 0) return 'Nothing to remove.'
  const freed = freeableBytes > 0 ? [`gc can free ${size(freeableBytes)} after its grace.`] : []
  return [`Removed ${versions(removed, style)}.`, ...fallen, ...freed].join(' ')
}

/** `Restored bike:v3 (12 files, 4 MB).` */
export function restoreSentence({ restored, latest }: RestoreReport, style: Style): string {
  if (restored.length === 0) return 'Nothing to restore.'
  const named = latest.map((ref) => `latest is now ${style.strong(ref)}.`)
  return [`Restored ${versions(restored, style)}.`, ...named].join(' ')
}

function versions(all: RemoveReport['removed'], style: Style): string {
  const sums = { files: 0, bytes: 0 }
  for (const { files, bytes } of all) {
    sums.files += files
    sums.bytes += bytes
  }
  const refs = listed(all.map(({ ref }) => style.strong(ref)))
  const many = all.length === 1 ? '' : `${count(all.length, 'version')}: `
  return `${many}${refs} (${contents(sums)})`
}

function changeOf(name: string, changed: readonly string[]): string {
  return changed.length === 0
    ? `Nothing to change in ${name}.`
    : `Changed ${listed(changed)} of ${name}.`
}
