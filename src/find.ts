/** Finding versions: terms such as `type=model` or `meta.acc>0.9`, all of which must hold. */
import { ArtifactsError } from './errors.ts'
import { jsonTest } from './find-json.ts'
import { parseTerm, type Term } from './find-terms.ts'
import { parseDuration, parseSize } from './names.ts'
import { summaryOfRun } from './runs.ts'
import type { Session } from './session.ts'
import {
  type Condition,
  contains,
  loggedBy,
  searchRuns,
  searchVersions,
} from './store/index/search.ts'
import type { RunRow } from './store/index/state.ts'
import { summariesOf, type VersionSummary } from './versions.ts'

export interface FindOptions {
  /** At most so many, the newest. */
  readonly limit?: number
}

/**
 * Live versions that meet all terms, newest first.
 * @param terms `field`, an operator (`=` `!=` `~` `!~` `<` `<=` `>` `>=`) and a value; docs/sql.md has the fields
 * @throws ArtifactsError ERR_USAGE for a term that is not understood.
 */
export function findVersions(
  session: Session,
  terms: readonly string[],
  { limit }: FindOptions = {},
): VersionSummary[] {
  const parsed = terms.map(parseTerm)
  const inJson = parsed.filter(({ field }) => field.startsWith('meta.'))
  const ofRuns = parsed.filter(({ field }) => field.startsWith('run.'))
  const conditions = parsed
    .filter((term) => !inJson.includes(term) && !ofRuns.includes(term))
    .map((term) => versionCondition(term, Date.now()))
  const source = session.opened.index
  if (ofRuns.length > 0) conditions.push(loggedBy(runsOf(session, ofRuns)))
  const tests = inJson.map((term) => jsonTest(term, term.field.slice('meta.'.length)))
  const found = searchVersions(source, conditions).filter(({ metadata = {} }) =>
    tests.every((test) => test(metadata)),
  )
  return summariesOf(session, limit === undefined ? found : found.slice(0, limit))
}

/** All terms about a run are about the same one. */
function runsOf(session: Session, terms: readonly Term[]): RunRow[] {
  const short = terms.map((term) => ({ ...term, field: term.field.slice('run.'.length) }))
  const inIndex = short.filter(({ field }) => field !== 'state' && !field.startsWith('config.'))
  const tests = short
    .filter((term) => !inIndex.includes(term))
    .map((term) => jsonTest(term, term.field))
  // Whether a run has crashed is not in the index.
  return searchRuns(session.opened.index, inIndex.map(runCondition)).filter((row) => {
    const { state, config } = summaryOfRun(session, row)
    return tests.every((test) => test({ state, config }))
  })
}

const VERSION_TEXTS: Readonly<Record<string, string>> = {
  name: 'a.name',
  project: 'a.project',
  type: 'a.type',
  description: 'v.description',
  user: 'o.user',
  host: 'o.host',
}
const VERSION_NUMBERS: Readonly<Record<string, string>> = {
  version: 'v.number',
  files: 'v.files',
  bytes: 'v.bytes',
  operation: 'v.operation',
}
const RUN_TEXTS: Readonly<Record<string, string>> = {
  id: 'r.id',
  name: 'r.name',
  project: 'r.project',
  job: 'r.job',
  group: 'r."group"',
  notes: 'r.notes',
  user: 'r.user',
  host: 'r.host',
}
const FIELDS = [
  ...Object.keys(VERSION_TEXTS),
  ...Object.keys(VERSION_NUMBERS),
  'id',
  'digest',
  'alias',
  'tag',
  'created',
  'meta.KEY',
  ...Object.keys(RUN_TEXTS).map((name) => `run.${name}`),
  'run.tag',
  'run.started',
  'run.state',
  'run.config.KEY',
]

function versionCondition(term: Term, now: number): Condition {
  const { field } = term
  const text = VERSION_TEXTS[field]
  if (text !== undefined) return textCondition(text, term)
  const number = VERSION_NUMBERS[field]
  if (number !== undefined) return numberCondition(number, term)
  switch (field) {
    case 'id':
      return idCondition('v.id', term)
    case 'digest':
      return idCondition('v.root', term)
    case 'created':
      return timeCondition('v.created_at', term, now)
    case 'alias':
      // A portfolio's aliases are names for links.
      return anyCondition(
        'FROM alias l WHERE l.version = v.id AND l.artifact = v.artifact',
        'l.alias',
        term,
      )
    case 'tag':
      return anyCondition('FROM tag t WHERE t.version = v.id', 't.tag', term)
    default:
      throw unknownField(term)
  }
}

function runCondition(term: Term): Condition {
  const { field } = term
  const text = RUN_TEXTS[field]
  if (text !== undefined) return textCondition(text, term)
  switch (field) {
    case 'started':
      return timeCondition('r.started_at', term, Date.now())
    case 'tag':
      return anyCondition("FROM json_each(ifnull(r.tags, '[]')) t WHERE 1", 't.value', term)
    default:
      throw unknownField({ ...term, field: `run.${field}` })
  }
}

/** What is not set is the empty text. */
function textCondition(column: string, term: Term): Condition {
  const { operator, value, typed } = term
  const set = `ifnull(${column}, '')`
  switch (operator) {
    case '=':
      return { sql: `${set} = ?`, values: [value] }
    case '!=':
      return { sql: `${set} <> ?`, values: [value] }
    case '~':
      return contains(set, value)
    case '!~':
      return negated(contains(set, value))
    case 'is':
      return { sql: `${set} <> ''`, values: [] }
    default:
      throw misuse(typed, `"${term.field}" is text: use =, !=, ~ (contains) or !~.`)
  }
}

/** That one of several, or with `!` none of them, is as wanted. */
function anyCondition(from: string, column: string, { operator, ...term }: Term): Condition {
  const isNegated = operator === '!=' || operator === '!~'
  const positive = isNegated ? (operator === '!=' ? '=' : '~') : operator
  const inner = textCondition(column, { ...term, operator: positive })
  const some = { sql: `EXISTS (SELECT 1 ${from} AND ${inner.sql})`, values: inner.values }
  return isNegated ? negated(some) : some
}

function numberCondition(column: string, { field, operator, value, typed }: Term): Condition {
  if (operator === 'is') return { sql: '1', values: [] }
  if (operator === '~' || operator === '!~') {
    throw misuse(typed, `"${field}" is a number: use =, !=, <, <=, > or >=.`)
  }
  const text = field === 'version' ? value.replace(/^v/, '') : value
  const number = field === 'bytes' ? parseSize(text) : Number(text)
  if (text === '' || Number.isNaN(number)) throw misuse(typed, `"${value}" is not a number.`)
  return { sql: `${column} ${operator} ?`, values: [number] }
}

function idCondition(column: string, { operator, value, typed }: Term): Condition {
  const isHex = /^[0-9a-f]{6,64}$/.test(value)
  if ((operator !== '=' && operator !== '!=') || !isHex) {
    throw misuse(typed, 'Write = and at least six hex digits.')
  }
  const begins = { sql: `${column} >= ? AND ${column} < ?`, values: [value, `${value}g`] }
  return operator === '=' ? begins : negated(begins)
}

/** A day, month or year is all of it: `>` is after its end, `<` before its beginning. */
function timeCondition(
  column: string,
  { field, operator, value, typed }: Term,
  now: number,
): Condition {
  const { begin, end } = periodOf(value, typed, now)
  switch (operator) {
    case '>':
      return { sql: `${column} >= ?`, values: [end] }
    case '>=':
      return { sql: `${column} >= ?`, values: [begin] }
    case '<':
      return { sql: `${column} < ?`, values: [begin] }
    case '<=':
      return { sql: `${column} < ?`, values: [end] }
    case '=':
      return { sql: `${column} >= ? AND ${column} < ?`, values: [begin, end] }
    default:
      throw misuse(typed, `"${field}" is a time: use =, <, <=, > or >=.`)
  }
}

const TIME = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{3}))?)?Z?)?)?)?$/

/** From the beginning (included) to the end (excluded), as texts that compare like times. */
function periodOf(value: string, typed: string, now: number): { begin: string; end: string } {
  if (/^\d+[smhd]$/.test(value)) {
    const time = new Date(now - parseDuration(value)).toISOString()
    return { begin: time, end: time }
  }
  const match = TIME.exec(value)
  const parts = (match ?? []).slice(1).filter((part) => part !== undefined)
  const numbers = parts.map(Number)
  const at = (more: number): Date => {
    const [year = 0, month = 1, ...rest] = numbers.with(-1, (numbers.at(-1) ?? 0) + more)
    const [day = 1, hour = 0, minute = 0, second = 0, millisecond = 0] = rest
    return new Date(Date.UTC(year, month - 1, day, hour, minute, second, millisecond))
  }
  const begin = match === null ? undefined : at(0)
  // The 31st of February is not the 3rd of March.
  if (begin?.toISOString().startsWith(value.replace(/Z$/, '')) === true) {
    return { begin: begin.toISOString(), end: at(1).toISOString() }
  }
  throw misuse(
    typed,
    'Write a time as 2026-05-01, 2026-05 or 2026-05-01T12:30 (UTC), or 7d for a week ago.',
  )
}

function negated({ sql, values }: Condition): Condition {
  return { sql: `NOT (${sql})`, values }
}

function unknownField({ field, typed }: Term): ArtifactsError {
  return new ArtifactsError('ERR_USAGE', `There is no field "${field}" in "${typed}".`, {
    hint: `Fields are ${FIELDS.join(', ')}: run \`artifacts find --help\`.`,
  })
}

function misuse(typed: string, hint: string): ArtifactsError {
  return new ArtifactsError('ERR_USAGE', `The term "${typed}" is not understood.`, { hint })
}
