import type { VersionDetails } from '../../index.ts'
import { AT_FLAGS, asOf } from '../at.ts'
import { type Command, type Context, defineCommand } from '../command.ts'
import { age, columns, count, duration, size, thousands } from '../render.ts'
import { VERSION_FIELDS } from '../versions.ts'

export const show: Command = defineCommand({
  flags: AT_FLAGS,
  takes: [1, Number.POSITIVE_INFINITY],
  ends: [12],
  completes: 'refs',
  examples: [
    ['artifacts show bike', 'The latest version of bike'],
    ['artifacts show bike:v3 bike:best', 'Two versions'],
  ],
  json: {
    'A line for each REF': `${VERSION_FIELDS} parents metadata links usedBy user host tool`,
  },

  async run({ values, positionals: refs }, context) {
    const view = asOf(await context.store(), values)
    const versions = refs.map((ref) => view.version(ref))
    return {
      records: versions,
      lines: versions.map((version, i) => (i === 0 ? '' : '\n') + describe(version, context)),
    }
  },
})

function describe(version: VersionDetails, { style, io }: Context): string {
  const { files, bytes, createdAt, aliases, tags, parents, metadata, description, run } = version
  const facts: (readonly [string, string | undefined])[] = [
    ['type', version.type],
    ['project', version.project],
    ['id', version.id],
    ['digest', version.digest],
    ['content', `${count(files, 'file')}, ${size(bytes)} (${thousands(bytes)} bytes)`],
    ['created', `${createdAt} (${age(createdAt, io.now())})`],
    ['by', `${version.user} on ${version.host}, ${version.tool}, operation ${version.operation}`],
    ['aliases', aliases.join(', ') || undefined],
    ['tags', tags.join(', ') || undefined],
    ['parents', parents.join(', ') || undefined],
    ['source', version.source],
    ['run', run],
    ['linked as', version.links.join(', ') || undefined],
    ['used by', version.usedBy.map((id) => `run ${id}`).join(', ') || undefined],
    ['kept', kept(version)],
    ['removed', version.removed === undefined ? undefined : `by gc, operation ${version.removed}`],
    ['about', description],
    ...Object.entries(metadata).map(
      ([key, value]) => [`meta.${key}`, JSON.stringify(value)] as const,
    ),
  ]
  const rows = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [[`  ${style.name(name)}`, style.name(value)]],
  )
  return `${style.strong(version.ref)}\n${columns(rows)}`.trimEnd()
}

/** How long, where that is said of this version. */
function kept({ ttl, expiresAt }: VersionDetails): string | undefined {
  if (ttl === undefined || ttl === 'never') return ttl && 'for ever'
  return `${duration(ttl)} from its creation, until ${expiresAt}`
}
