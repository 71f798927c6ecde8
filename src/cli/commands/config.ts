import type { Store } from '../../index.ts'
import { type Answer, type Command, defineCommand } from '../command.ts'
import { columns } from '../render.ts'
import { UsageError } from '../usage-error.ts'

const USAGE =
  'Usage: `artifacts config get KEY`, `artifacts config set KEY VALUE` or `artifacts config ls`'

export const config: Command = defineCommand({
  flags: {},
  takes: [0, 3],
  ends: [1],
  completes: ['get', 'set', 'ls'],
  details: [
    'Without arguments the same as `ls`. `get` prints the value alone and ends with 1 where there is none.',
  ],
  examples: [
    ['artifacts config', 'All settings'],
    ['artifacts config set project vision', 'The project of refs that name none'],
  ],
  json: { '`get` and `set`': 'key value', '`ls`, an array of': 'key value from' },

  async run({ positionals: [action = 'ls', key, value] }, context) {
    const { settings } = await context.store()
    if (action === 'ls' && key === undefined) return list(settings)
    if (action === 'get' && key !== undefined && value === undefined) return get(settings, key)
    if (action === 'set' && key !== undefined && value !== undefined) {
      settings.set(key, value)
      return { value: { key, value }, text: `${key} is now ${context.style.name(value)}\n` }
    }
    throw new UsageError(`"config ${action}" is not understood as it stands.`, USAGE)
  },
})

function list(settings: Store['settings']): Answer {
  const all = settings.list()
  const rows = all.map(({ key, value, from }) => [
    key,
    value,
    from === 'default' ? '(default)' : '',
  ])
  return { value: all, text: columns(rows) }
}

function get(settings: Store['settings'], key: string): Answer {
  const value = settings.get(key)
  return value === ''
    ? { code: 1, value: { key, value }, text: '' }
    : { value: { key, value }, text: `${value}\n` }
}
