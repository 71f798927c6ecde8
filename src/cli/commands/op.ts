import type { OperationDetails, OperationSummary, Store } from '../../index.ts'
import { readOperation } from '../at.ts'
import { type Answer, type Command, type Context, defineCommand, text } from '../command.ts'
import { given } from '../given.ts'
import { readLimit } from '../limit.ts'
import { age, columns, count, size } from '../render.ts'
import { UsageError } from '../usage-error.ts'

const USAGE = 'Usage: `artifacts op log` or `artifacts op show N`'
const SUMMARY = 'operation at user host tool summary undoes? undone?'

export const op: Command = defineCommand({
  flags: { limit: text('N', 'With log: at most so many') },
  takes: [0, 2],
  ends: [12, 13],
  completes: ['log', 'show'],
  details: [
    'Everything that changes the store is one operation in its log, numbered from 1. `log` lists them, the newest first, with the names that artifacts have today; `show` tells all of one.',
  ],
  examples: [
    ['artifacts op log --limit 10', 'The last ten'],
    ['artifacts op show 41', 'What exactly operation 41 did'],
  ],
  json: {
    '`log`, a line for each operation': SUMMARY,
    '`show`': `${SUMMARY} hash prev nonce packs changes words`,
  },

  async run({ values, positionals: [action = 'log', typed] }, context) {
    if (action === 'log' && typed === undefined) {
      const limit = values.limit === undefined ? undefined : readLimit(values.limit)
      return list(await context.store(), limit, context)
    }
    if (action === 'show' && typed !== undefined && values.limit === undefined) {
      const n = readOperation(typed, 'An operation')
      const details = (await context.store()).operation(n)
      return { value: details, text: describe(details, context) }
    }
    throw new UsageError(`"op ${action}" is not understood as it stands.`, USAGE)
  },
})

function list(store: Store, limit: number | undefined, context: Context): Answer {
  const operations = store.operations(given({ limit }))
  return { records: operations, lines: lines(operations, context) }
}

function* lines(
  operations: Iterable<OperationSummary>,
  { style, io, quiet }: Context,
): Iterable<string> {
  for (const { operation, at, user, host, summary, undone } of operations) {
    const n = String(operation).padStart(5)
    const by = style.name(`${user}@${host}`).padEnd(20)
    const what = `${style.name(summary)}${undone === undefined ? '' : ` [undone by ${undone}]`}`
    yield quiet
      ? String(operation)
      : `${style.strong(n)}  ${age(at, io.now()).padEnd(14)}  ${by}  ${what}`
  }
}

function describe(details: OperationDetails, { style, io }: Context): string {
  const { operation, at, user, host, tool, hash, prev, summary, undoes, undone, packs } = details
  const rows: (readonly [string, string | undefined])[] = [
    ['what', summary],
    ['at', `${at} (${age(at, io.now())})`],
    ['by', `${user} on ${host}, ${tool}`],
    ['undoes', undoes?.toString()],
    ['undone by', undone?.toString()],
    ['hash', hash],
    ['follows', prev],
    ...packs.map(({ id, kind, bytes }) => ['pack', `${id} (${kind}, ${size(bytes)})`] as const),
  ]
  const facts = rows.flatMap(([name, value]) =>
    value === undefined ? [] : [[`  ${name}`, style.name(value)]],
  )
  const words = details.words.flatMap((word) =>
    word.split('\n').map((line) => `  ${style.name(line)}\n`),
  )
  return `${style.strong(`operation ${operation}`)}\n${columns(facts)}${count(words.length, 'change')}:\n${words.join('')}`
}
