import type { Entry, StoreReader } from '../../index.ts'
import { AT_FLAGS, asOf } from '../at.ts'
import { type Answer, type Command, type Context, defineCommand, text } from '../command.ts'
import { age, columns, count, type Style, size } from '../render.ts'
import { VERSION_FIELDS, versionRow } from '../versions.ts'

export const ls: Command = defineCommand({
  flags: {
    ...AT_FLAGS,
    remote: text('R', 'What a remote has, by its name or address'),
  },
  takes: [0, 2],
  ends: [12, 13],
  completes: 'first-ref',
  details: [
    'A name alone lists the versions; with a version, an alias, or just a colon behind it (`bike:`) the entries, below PREFIX if one is given. With -q only names.',
  ],
  examples: [
    ['artifacts ls', 'Artifacts'],
    ['artifacts ls bike', 'Versions of bike'],
    ['artifacts ls bike:v3 images/', 'Entries of a version below images/'],
    ['artifacts ls --remote team bike', 'Versions of bike that a remote has'],
  ],
  json: {
    '`ls`, an array of':
      'name project type portfolio? versions latest? files bytes createdAt updatedAt description?',
    '`ls NAME`, an array of': VERSION_FIELDS,
    '`ls REF`, a line for each entry':
      'type path kind size? executable? content? target? reference?',
  },

  async run({ values, positionals: [ref, prefix] }, context) {
    const store = await context.store()
    const { remote } = values
    await using elsewhere =
      remote === undefined ? undefined : await store.lookAt(remote, context.operation)
    const view = elsewhere ?? asOf(store, values)
    if (ref === undefined) return artifacts(view, store.settings.get('project'), context)
    if (prefix !== undefined || /[:@~]/.test(ref)) {
      const all = view.entries(ref, prefix === undefined ? {} : { prefix })
      // A remote is closed before they are printed.
      return entries(elsewhere === undefined ? all : [...all], context)
    }
    const versions = view.versions(ref)
    return {
      value: versions,
      text: context.quiet
        ? versions.map((version) => `${version.ref}\n`).join('')
        : columns(versions.map((version) => versionRow(version, version.version, context))),
    }
  },
})

function artifacts(view: StoreReader, home: string, { quiet, style, io }: Context): Answer {
  const all = view.artifacts()
  const rows = all.map(({ name, project, type, portfolio, versions, bytes, updatedAt }) => {
    const ref = style.strong(project === home ? name : `${project}/${name}`)
    if (quiet) return [ref]
    const kind = portfolio === true ? `${type} portfolio` : type
    return [ref, kind, count(versions, 'version'), size(bytes), age(updatedAt, io.now())]
  })
  return { value: all, text: columns(rows) }
}

function entries(all: Iterable<Entry>, context: Context): Answer {
  return { records: records(all), lines: lines(all, context) }
}

function* records(entries: Iterable<Entry>): Iterable<object> {
  for (const entry of entries) {
    if (entry.kind === 'file' && entry.content.kind === 'inline') {
      const base64 = Buffer.from(entry.content.bytes).toString('base64')
      yield { type: 'entry', ...entry, content: { kind: 'inline', base64 } }
    } else {
      yield { type: 'entry', ...entry }
    }
  }
}

function* lines(entries: Iterable<Entry>, { quiet, style }: Context): Iterable<string> {
  for (const entry of entries) yield quiet ? style.name(entry.path) : line(entry, style)
}

function line(entry: Entry, style: Style): string {
  const path = style.name(entry.path)
  switch (entry.kind) {
    case 'file':
      return `${size(entry.size).padStart(7)}  ${path}${entry.executable ? '*' : ''}`
    case 'symlink':
      return `${'link'.padStart(7)}  ${path} -> ${style.name(entry.target)}`
    case 'directory':
      return `${'empty'.padStart(7)}  ${path}/`
    case 'reference': {
      const { size: bytes, uri, resolved } = entry.reference
      return `${(bytes === undefined ? '?' : size(bytes)).padStart(7)}  ${path} -> ${style.name(uri)}${resolved ? '' : ' (unresolved)'}`
    }
  }
}
