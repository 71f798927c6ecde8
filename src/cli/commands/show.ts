import type { FilePreview, StoreReader, VersionDetails } from '../../index.ts'
import { AT_FLAGS, asOf } from '../at.ts'
import { type Command, type Context, defineCommand, texts, yes } from '../command.ts'
import { previewText } from '../previews.ts'
import { age, columns, count, duration, size, thousands } from '../render.ts'
import { VERSION_FIELDS } from '../versions.ts'

export const show: Command = defineCommand({
  flags: {
    preview: texts('PATH', 'Preview this file, instead of a few'),
    'no-preview': yes('Only the facts: no file is read'),
    ...AT_FLAGS,
  },
  takes: [1, Number.POSITIVE_INFINITY],
  ends: [12],
  details: [
    'With the facts comes what is to be seen of up to three files, one of each kind: the first lines of a text, the columns and first rows of a table, the outline of JSON or YAML, the size of an image, the tensors of safetensors and npy files, the entries of a tar or zip; also of what gzip packed. At most some KiB of each are read.',
  ],
  completes: 'refs',
  examples: [
    ['artifacts show bike', 'The latest version of bike'],
    ['artifacts show bike:v3 bike:best', 'Two versions'],
    ['artifacts show bike --preview labels.csv', 'The facts, and the head of one file'],
  ],
  json: {
    'A line for each REF': `${VERSION_FIELDS} parents metadata links usedBy user host tool previews?`,
  },

  async run({ values, positionals: refs }, context) {
    const view = asOf(await context.store(), values)
    const versions = refs.map((ref) => view.version(ref))
    const records: (VersionDetails & { readonly previews?: readonly FilePreview[] })[] = []
    for (const [index, version] of versions.entries()) {
      records.push(
        values['no-preview'] || version.removed !== undefined
          ? version
          : { ...version, previews: await previewsOf(view, refs[index] as string, values.preview) },
      )
    }
    return {
      records,
      lines: records.map(({ previews = [], ...version }, index) =>
        [
          (index === 0 ? '' : '\n') + describe(version, context),
          ...previews.map((each) => `\n${previewText(each, context.style)}`),
        ].join('\n'),
      ),
    }
  },
})

/** None of a version of which not even the names are here. */
async function previewsOf(
  view: StoreReader,
  ref: string,
  paths: readonly string[],
): Promise<readonly FilePreview[]> {
  try {
    return await view.preview(ref, paths.length === 0 ? {} : { paths })
  } catch (error) {
    const { ArtifactsError } = await import('../../index.ts')
    const isAbsent = error instanceof ArtifactsError && ABSENT.has(error.code)
    if (isAbsent && paths.length === 0) return []
    throw error
  }
}

const ABSENT: ReadonlySet<string> = new Set(['ERR_NOT_FETCHED', 'ERR_DAMAGED'])

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
    ['partial', version.partial && `not all of it is here: artifacts fetch ${version.ref}`],
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
