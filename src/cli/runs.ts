/** How runs look: in a list, and one with all facts. */
import type { RunEdge, RunSummary } from '../index.ts'
import type { Context } from './command.ts'
import { age, columns, contents, lapse } from './render.ts'

/** Columns of one run in a list: id, state, name, job, project where it is not `home`, age. */
export function runRow(facts: RunSummary, home: string, context: Context): string[] {
  const { id, name = '', state, job = '', project, startedAt } = facts
  const { style, io } = context
  return [
    style.strong(id),
    state,
    style.name(name),
    style.name(job),
    project === home ? '' : project,
    age(startedAt, io.now()),
  ]
}

/** All facts of a run but its edges. */
export function describeRun(facts: RunSummary, context: Context): string {
  const { style, io } = context
  const { startedAt, endedAt, source, exitCode, config, tags } = facts
  const rows: (readonly [string, string | undefined])[] = [
    ['state', `${facts.state}${exitCode === undefined ? '' : `, exit code ${exitCode}`}`],
    ['project', facts.project],
    ['job', facts.job],
    ['group', facts.group],
    ['tags', tags.join(', ') || undefined],
    ['started', `${startedAt} (${age(startedAt, io.now())})`],
    ['took', endedAt && lapse(Date.parse(endedAt) - Date.parse(startedAt))],
    ['by', `${facts.user} on ${facts.host}`],
    ['command', facts.command?.join(' ')],
    ['in', facts.directory],
    [
      'git',
      source &&
        `${source.commit}${source.branch ? ` (${source.branch})` : ''}${source.dirty ? ', with changes' : ''}`,
    ],
    ['from', source?.remote],
    ['patch', source?.patch === undefined ? undefined : `${source.patch.length} characters`],
    ['about', facts.notes],
    ...Object.entries(config).map(
      ([key, value]) => [`config.${key}`, JSON.stringify(value)] as const,
    ),
  ]
  const shown = rows.flatMap(([name, value]) =>
    value === undefined ? [] : [[`  ${style.name(name)}`, style.name(value)]],
  )
  return `${runTitle(facts, context)}\n${columns(shown)}`
}

/** `run k3v9w0q2m5xa train`. */
export function runTitle({ id, name }: RunSummary, { style }: Context): string {
  return `run ${style.strong(id)}${name === undefined ? '' : ` ${style.name(name)}`}`
}

/** Versions that a run used or logged, under a heading; nothing where there are none. */
export function edgeTable(
  what: string,
  edges: readonly (RunEdge & { url: string })[],
  { style }: Context,
): string {
  if (edges.length === 0) return ''
  const rows = edges.map(({ slot, ref, state, type = '', files = 0, bytes = 0, url }) => [
    `  ${style.name(slot)}`,
    style.strong(style.name(ref)),
    type,
    state === 'live' ? contents({ files, bytes }) : state,
    url.slice(0, 'artifacts://'.length + 12),
  ])
  return `${what}:\n${columns(rows)}`
}
