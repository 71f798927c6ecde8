import type { DraftSummary, Store } from '../../index.ts'
import {
  type Answer,
  type Command,
  type Context,
  choice,
  defineCommand,
  text,
  texts,
  type Values,
  yes,
} from '../command.ts'
import { currentRun } from '../current-run.ts'
import { given } from '../given.ts'
import { readMetadata } from '../metadata.ts'
import { age, columns, contents, count, listed, size } from '../render.ts'
import { UsageError } from '../usage-error.ts'

/** The flags that each action takes; any other is a mistake. */
const TAKES = {
  new: ['id', 'name', 'type', 'base', 'incremental'],
  add: ['id', 'as', 'include', 'exclude', 'overwrite', 'allow-secrets', 'run'],
  rm: ['id'],
  show: ['id'],
  finish: ['id', 'alias', 'tag', 'message', 'meta', 'meta-file', 'reuse', 'run', 'slot'],
  abort: ['id'],
} as const

const flags = {
  id: text('D', 'The draft: its id or key; else the only one that is open. With new: its key'),
  name: text('NAME', 'With new: the artifact', 'n'),
  type: text('TYPE', 'With new: its type', 't'),
  base: text('REF', "With new: start from this version's entries"),
  incremental: yes('With new: the same as --base NAME:latest'),
  as: text('PATH', 'With add: where in the version the content goes; ending in / a folder'),
  include: texts('G', 'With add: only paths that match the pattern'),
  exclude: texts('G', 'With add: no paths that match the pattern'),
  overwrite: yes('With add: in the place of what others have added'),
  'allow-secrets': yes('With add: private keys and .env files too'),
  alias: texts('ALIAS', 'With finish: an alias to move to the version', 'a'),
  tag: texts('T', 'With finish: a tag of the version'),
  message: text('TEXT', 'With finish: the description', 'm'),
  meta: texts('K=V', 'With finish: metadata; V is JSON if it parses, else text'),
  'meta-file': text('F', 'With finish: metadata from a JSON file'),
  reuse: choice('WHICH', ['latest', 'any', 'never'], 'With finish: as in commit'),
  run: text('RUN', 'The run that adds or finishes; else the one that ARTIFACTS_RUN names'),
  slot: text('S', "With finish: what it is called in the run; else the artifact's name"),
}
type Given = Values<typeof flags>

const SUMMARY = 'id artifact project type? key base? startedAt parts'
const PART = 'draft artifact project key part files bytes storedBytes'

export const draft: Command = defineCommand({
  flags,
  takes: [1, Number.POSITIVE_INFINITY],
  ends: [12, 13, 14],
  completes: ['new', 'add', 'rm', 'show', 'finish', 'abort'],
  details: [
    'A draft is a version that is built in steps, or by several processes at once: each adds parts, one finishes it. `new` prints its id; with --id it gets a key that all can know beforehand, such as the number of a job. Several drafts may be open, also of one artifact.',
    'What is added is stored at once. `finish` merges the parts into one version; where two have added other bytes under the same path it names both and commits nothing, until somebody adds with --overwrite what should stand, or takes it away with `rm`. `abort` gives the draft up, and gc removes what was added.',
  ],
  examples: [
    ['D=$(artifacts draft new -n bike -t dataset)', 'Begin a draft'],
    ['artifacts draft add part-1 --as part-1 --id "$D"', 'Add a folder, from any process'],
    ['artifacts draft finish --id "$D" -a best', 'Make it a version'],
    ['artifacts draft show', 'See what is open'],
  ],
  json: {
    '`new`, `abort`': SUMMARY,
    '`add`, `rm`': PART,
    '`show`, a line for each draft': `type ${SUMMARY}`,
    '`show --id`': `${SUMMARY} entries conflicts`,
    '`finish`': 'artifact project type version ref id digest files bytes aliases',
    'A part': 'part writer files bytes removed at',
    'An entry': 'path kind size?',
  },

  async run({ values, positionals: [action = '', ...paths] }, context) {
    checkFlags(action, values, paths)
    const store = await context.store()
    switch (action) {
      case 'new':
        return begin(store, values)
      case 'add':
        return add(store, paths, values, context)
      case 'rm':
        return remove(store, paths, values, context)
      case 'show':
        return values.id === undefined ? list(store, context) : show(store, values.id, context)
      case 'finish':
        return finish(store, values, context)
      default:
        return abort(store, values, context)
    }
  },
})

async function begin(store: Store, values: Given): Promise<Answer> {
  const { name, type, id: key, base, incremental } = values
  if (name === undefined) {
    throw new UsageError('The artifact needs a name.', 'Give one: `artifacts draft new -n NAME`.')
  }
  const made = await store.beginDraft(name, { ...given({ type, key, base }), incremental })
  return { value: made, text: `${made.id}\n` }
}

async function add(
  store: Store,
  paths: readonly string[],
  values: Given,
  context: Context,
): Promise<Answer> {
  const run = await currentRun(store, values.run, context)
  const report = await store.addToDraft(paths, {
    ...given({ draft: values.id, as: values.as, run: run?.id }),
    include: values.include,
    exclude: values.exclude,
    overwrite: values.overwrite,
    allowSecrets: values['allow-secrets'],
    cwd: context.io.cwd,
    ...context.operation,
  })
  const where = `the draft "${context.style.name(report.key)}" of ${report.artifact}`
  const stored = `${size(report.storedBytes)} stored`
  return { value: report, text: `Added ${contents(report)} to ${where} (${stored}).\n` }
}

async function remove(
  store: Store,
  paths: readonly string[],
  values: Given,
  { style }: Context,
): Promise<Answer> {
  const report = await store.removeFromDraft(paths, given({ draft: values.id }))
  const what = listed(paths.map((path) => `"${style.name(path)}"`))
  const where = `the draft "${style.name(report.key)}" of ${report.artifact}`
  return { value: report, text: `Took ${what} out of ${where}.\n` }
}

async function list(store: Store, context: Context): Promise<Answer> {
  const open = store.drafts()
  const { style, io, quiet } = context
  return {
    records: open.map((each) => ({ type: 'draft', ...each })),
    lines: quiet
      ? open.map(({ id }) => id)
      : columns(
          open.map(({ id, key, artifact, parts, startedAt }) => [
            style.strong(id.slice(0, 12)),
            artifact,
            key === id ? '' : style.name(key),
            count(parts.length, 'part'),
            age(startedAt, io.now()),
          ]),
        )
          .split('\n')
          .slice(0, -1),
  }
}

async function show(store: Store, id: string, context: Context): Promise<Answer> {
  const open = store.openDraft(id)
  const { entries, conflicts } = store.draftEntries(id)
  const found = entries.map((entry) => ({
    path: entry.path,
    kind: entry.kind,
    ...(entry.kind === 'file' ? { size: entry.size } : {}),
  }))
  const { style, io } = context
  const parts = columns(
    open.parts.map(({ part, writer, files, bytes, removed, at }) => [
      `  ${part}`,
      style.name(writer),
      contents({ files, bytes }),
      removed.length === 0 ? '' : `without ${listed(removed.map((path) => style.name(path)))}`,
      age(at, io.now()),
    ]),
  )
  const names = found.map(({ path }) => `  ${style.name(path)}\n`).join('')
  const disputes = conflicts.map((each) => `${style.changed('conflict')}: ${style.name(each)}\n`)
  return {
    value: { ...open, entries: found, conflicts },
    text: `${titleOf(open, context)}\n${parts}entries\n${names}${disputes.join('')}`,
  }
}

async function finish(store: Store, values: Given, context: Context): Promise<Answer> {
  const run = await currentRun(store, values.run, context)
  if (values.slot !== undefined && run === undefined) {
    throw new UsageError('"--slot" names a version in a run, and no run is named.')
  }
  const file = values['meta-file'] && context.resolve(values['meta-file'])
  const version = await store.finishDraft(values.id, {
    ...given({
      description: values.message,
      metadata: readMetadata(values.meta, file),
      reuse: values.reuse,
      run: run && { id: run.id, ...given({ slot: values.slot }) },
    }),
    aliases: values.alias,
    tags: values.tag,
    ...context.operation,
  })
  const { name: artifact, project, type, ref, id, digest, aliases } = version
  const { fileCount: files, size: bytes, version: number } = version
  const facts = { artifact, project, type, version: number, ref, id, digest, files, bytes, aliases }
  const sentence = `Committed ${context.style.strong(ref)} (${contents({ files, bytes })}).`
  return { value: facts, text: `${context.quiet ? ref : sentence}\n` }
}

async function abort(store: Store, values: Given, context: Context): Promise<Answer> {
  const gone = await store.abortDraft(values.id)
  return { value: gone, text: `Gave up ${titleOf(gone, context)}.\n` }
}

function titleOf({ id, key, artifact }: DraftSummary, { style }: Context): string {
  const name = key === id ? style.strong(id.slice(0, 12)) : `"${style.strong(style.name(key))}"`
  return `the draft ${name} of ${artifact}`
}

function checkFlags(action: string, values: Given, paths: readonly string[]): void {
  const takesPaths = action === 'add' || action === 'rm'
  if (!Object.hasOwn(TAKES, action) || (paths.length > 0 && !takesPaths)) {
    throw new UsageError(
      `"draft ${[action, ...paths].join(' ')}" is not understood as it stands.`,
      'Usage: `artifacts draft new -n NAME`, `draft add PATH...`, `draft rm PATH...`, `draft show`, `draft finish` or `draft abort`',
    )
  }
  if (takesPaths && paths.length === 0) {
    throw new UsageError('No path is given.', `Name one: \`artifacts draft ${action} PATH\`.`)
  }
  const takes: readonly string[] = TAKES[action as keyof typeof TAKES]
  for (const [name, value] of Object.entries(values)) {
    const isGiven = Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false
    if (isGiven && !takes.includes(name)) {
      throw new UsageError(`"draft ${action}" has no flag "--${name}".`)
    }
  }
}
