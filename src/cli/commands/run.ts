import type { Run, RunEdge, RunSummary, Store } from '../../index.ts'
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
import { exec } from '../exec.ts'
import { sourceOf } from '../git.ts'
import { given } from '../given.ts'
import { readLimit } from '../limit.ts'
import { readMetadata } from '../metadata.ts'
import { columns } from '../render.ts'
import { describeRun, edgeTable, runRow, runTitle } from '../runs.ts'
import { UsageError } from '../usage-error.ts'

const RUN_FIELDS =
  'id name? project job? group? tags notes? config user host startedAt endedAt? state exitCode? command? directory? source? operation'

/** The flags that each action takes; any other is a mistake. */
const START = ['name', 'project', 'job', 'group', 'tag', 'notes', 'config'] as const
const TAKES = {
  start: ['id', ...START],
  finish: ['failed'],
  exec: [...START, 'in', 'out', 'keep-failed', 'with-patch'],
  edit: START,
  ls: ['name', 'project', 'job', 'group', 'state', 'limit'],
  show: [],
} as const

const flags = {
  id: text('ID', 'With start: its id; else a random one'),
  name: text('TEXT', 'What the run is called', 'n'),
  project: text('P', 'The project that it and its artifacts belong to'),
  job: text('J', 'What kind of work it is, as train'),
  group: text('G', 'What it is part of'),
  tag: texts('T', 'A tag of the run'),
  notes: text('TEXT', 'Remarks', 'm'),
  config: texts('K=V', 'A parameter; V is JSON if it parses, else text'),
  in: texts('REF[=DIR]', 'With exec: a version that the program uses'),
  out: texts('[TYPE/]NAME=PATH', 'With exec: what is stored when the program has succeeded'),
  'keep-failed': yes('With exec: store it also when the program has failed'),
  'with-patch': yes('With exec: record what differs from the commit of git'),
  failed: yes('With finish: the run has failed'),
  state: choice('S', ['running', 'finished', 'failed', 'crashed'], 'With ls: only these'),
  limit: text('N', 'With ls: at most so many'),
}

export const run: Command = defineCommand({
  flags,
  takes: [1, 2],
  rest: true,
  ends: [12, 13, 14],
  completes: ['start', 'finish', 'exec', 'edit', 'ls', 'show'],
  details: [
    'A run records which versions a program used and which it made. `exec` does that around a program: it gives it the inputs, waits for its end, stores the outputs, and ends with its exit code. `start` prints an id alone, for scripts that say `commit --run ID`, `use --run ID` and at last `run finish ID`.',
    'RUN is an id or `[project/]name`; of equal names the newest is meant. `ls` lists runs, `show` tells all of one, `edit` gives one other labels: an empty text takes one away, tags are set as a whole, parameters one by one. A run whose process died is shown as crashed.',
    "With `exec` the program finds the id of the run in ARTIFACTS_RUN, where `commit`, `use` and `run finish` look for it too, and each input in ARTIFACTS_IN_NAME: DIR, which is made equal to the version, or a read-only copy as `path` prints it. A summary goes to standard error, as does the report that --json asks for: standard output is the program's. Command, directory, host, commit of git, duration and exit code are recorded; outputs of a program that failed are not stored.",
  ],
  examples: [
    [
      'artifacts run exec --in bike=data --out model/bike-model=model.pt -- python train.py',
      'A training with its data and its result',
    ],
    ['RUN=$(artifacts run start --name nightly --config lr=1e-3)', 'Start one by hand'],
    ['artifacts run finish "$RUN"', 'End it'],
    ['artifacts run show nightly', 'What it used and logged'],
  ],
  json: {
    '`start`, `finish`, `edit`': RUN_FIELDS,
    '`exec`, on standard error': `type ${RUN_FIELDS} inputs outputs`,
    '`ls`, a line for each run': `type ${RUN_FIELDS}`,
    '`show`': `${RUN_FIELDS} inputs outputs`,
    'An input or output':
      'direction slot ref id url state type? digest? files? bytes? deduplicated operation',
  },

  async run({ values, positionals: [action = '', typed], rest }, context) {
    checkFlags(action, values)
    if (rest.length > 0 && action !== 'exec') throw notUnderstood(action)
    if (action === 'start' && typed === undefined) return start(values, context)
    if (action === 'finish') return finish(typed, values, context)
    if (action === 'edit' && typed !== undefined) return edit(typed, values, context)
    if (action === 'ls' && typed === undefined) return list(values, context)
    if (action === 'show' && typed !== undefined) return show(typed, context)
    if (action === 'exec') return execute(typed, values, rest, context)
    throw notUnderstood(action)
  },
})

type Given = Values<typeof flags>

async function start(values: Given, context: Context): Promise<Answer> {
  const store = await context.store()
  const started = await store.startRun({
    ...startOptions(values),
    ...given({ id: values.id }),
    alive: false,
  })
  return { value: started.toJSON(), text: `${started.id}\n` }
}

async function finish(typed: string | undefined, values: Given, context: Context): Promise<Answer> {
  const store = await context.store()
  const found = await currentRun(store, typed, context)
  if (found === undefined) {
    throw new UsageError('No run is named.', 'Name it: `artifacts run finish ID`.')
  }
  await found.finish({ failed: values.failed })
  const facts = found.toJSON()
  return {
    value: facts,
    text: `${runTitle(facts, context)} has ${values.failed ? 'failed' : 'finished'}.\n`,
  }
}

async function edit(typed: string, values: Given, context: Context): Promise<Answer> {
  const found = await (await context.store()).run(typed)
  const { tag, config } = values
  const set = readMetadata(config, undefined)
  const text = (value: string | undefined): string | null | undefined =>
    value === '' ? null : value
  const labels = given({
    name: text(values.name),
    job: text(values.job),
    group: text(values.group),
    notes: text(values.notes),
    tags: tag.length === 0 ? undefined : tag.filter((each) => each !== ''),
    config: set && { ...found.config, ...set },
  })
  if (values.project !== undefined) {
    throw new UsageError('A run stays in its project.', 'Leave out `--project`.')
  }
  if (Object.keys(labels).length === 0) {
    throw new UsageError(
      'Nothing is to be changed.',
      `As in \`artifacts run edit ${typed} --notes TEXT\`.`,
    )
  }
  await found.update(labels)
  const facts = found.toJSON()
  return { value: facts, text: describeRun(facts, context) }
}

async function execute(
  typed: string | undefined,
  values: Given,
  command: readonly string[],
  context: Context,
): Promise<Answer> {
  if (typed !== undefined || command.length === 0) {
    throw new UsageError(
      typed === undefined ? 'No program is given.' : `"${typed}" is one argument too many.`,
      'The program follows `--`: `artifacts run exec -- python train.py`.',
    )
  }
  const store = await context.store()
  const { cwd } = context.io
  const source = sourceOf(cwd, { patch: values['with-patch'] })
  const options = { ...startOptions(values), command, directory: cwd, ...given({ source }) }
  return exec(
    store,
    {
      command,
      inputs: values.in,
      outputs: values.out,
      keepFailed: values['keep-failed'],
      project: values.project,
      start: () => store.startRun(options),
    },
    context,
  )
}

async function list(values: Given, context: Context): Promise<Answer> {
  const store = await context.store()
  const { name, project, job, group, state } = values
  const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : readLimit(values.limit)
  const found: RunSummary[] = []
  for await (const each of store.runs(given({ name, project, job, group, state }))) {
    if (found.length >= limit) break
    found.push(each.toJSON())
  }
  const home = store.settings.get('project')
  return {
    records: found.map((facts) => ({ type: 'run', ...facts })),
    lines: context.quiet
      ? found.map(({ id }) => id)
      : columns(found.map((facts) => runRow(facts, home, context)))
          .split('\n')
          .slice(0, -1),
  }
}

async function show(typed: string, context: Context): Promise<Answer> {
  const found = await (await context.store()).run(typed)
  const facts = found.toJSON()
  const inputs = edgesOf(found, 'input')
  const outputs = edgesOf(found, 'output')
  return {
    value: { ...facts, inputs, outputs },
    text: `${describeRun(facts, context)}${edgeTable('used', inputs, context)}${edgeTable('logged', outputs, context)}`,
  }
}

function startOptions(values: Given): Parameters<Store['startRun']>[0] & object {
  return given({
    name: values.name,
    project: values.project,
    job: values.job,
    group: values.group,
    notes: values.notes,
    tags: values.tag,
    config: readMetadata(values.config, undefined),
  })
}

function checkFlags(action: string, values: Given): void {
  if (!Object.hasOwn(TAKES, action)) throw notUnderstood(action)
  const takes: readonly string[] = TAKES[action as keyof typeof TAKES]
  for (const [name, value] of Object.entries(values)) {
    const isGiven = Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false
    if (isGiven && !takes.includes(name)) {
      throw new UsageError(`"run ${action}" has no flag "--${name}".`)
    }
  }
}

function notUnderstood(action: string): UsageError {
  return new UsageError(
    `"run ${action}" is not understood as it stands.`,
    'Usage: `artifacts run start`, `run finish [ID]`, `run exec -- CMD...`, `run edit RUN`, `run ls` or `run show RUN`',
  )
}

function edgesOf(found: Run, direction: RunEdge['direction']): (RunEdge & { url: string })[] {
  return found
    .edges()
    .filter((edge) => edge.direction === direction)
    .map((edge) => ({ ...edge, url: `artifacts://${edge.id}` }))
}
