import type { VersionSummary } from '../index.ts'
import type { Context } from './command.ts'
import { age, count, size } from './render.ts'

/** What `--json` says of a version. */
export const VERSION_FIELDS: string =
  'ref artifact project type version source? id digest files bytes createdAt aliases tags description? ttl? expiresAt? run? operation removed? partial? pushed?'

/**
 * Columns of one version in a list: its name, aliases and tags, size, age; then what it is a link to, the run that made
 * it, and the first line of its description.
 */
export function versionRow(
  version: VersionSummary,
  name: string,
  { style, io }: Context,
): string[] {
  const { aliases, tags, files, bytes, createdAt, description = '', removed, source, run } = version
  const isHere = removed === undefined && version.partial === undefined
  const labels = [...aliases, ...tags.map((tag) => `#${tag}`)].join(', ')
  const [firstLine = ''] = description.split('\n', 1)
  return [
    `${style.strong(name)}${version.pushed === false ? ' (not pushed)' : ''}`,
    labels || '-',
    count(files, 'file'),
    size(bytes),
    age(createdAt, io.now()),
    [
      source && `-> ${source}`,
      run && `run ${run}`,
      isHere ? style.name(firstLine) : removed === undefined ? '(not all here)' : '(removed by gc)',
    ]
      .filter((words) => words !== undefined && words !== '')
      .join('  '),
  ]
}
