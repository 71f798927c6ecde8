import type { CacheContents } from '../../index.ts'
import { type Answer, type Command, type Context, defineCommand } from '../command.ts'
import { age, columns, count, size } from '../render.ts'
import { UsageError } from '../usage-error.ts'

const USAGE = 'Usage: `artifacts cache ls` or `artifacts cache clean [SIZE]`'

export const cache: Command = defineCommand({
  flags: {},
  takes: [0, 2],
  completes: ['ls', 'clean'],
  details: [
    '`clean` removes the copies that were handed out longest ago until at most SIZE is left, such as 5GB; without SIZE as many as may go. What was handed out in the last 7 days stays, and what running runs use. Everything in the cache can be made again from the store.',
  ],
  examples: [
    ['artifacts cache', 'What there is, and when it was used'],
    ['artifacts cache clean 5GB', 'Keep 5 GB of what is not in use'],
  ],
  json: {
    '`ls`': 'directory bytes maxBytes copies',
    '`ls`, each of `copies`': 'ref path files bytes createdAt usedAt altered',
    '`clean`': 'removed freedBytes bytes kept',
  },

  async run({ positionals: [action = 'ls', typed] }, context) {
    const store = await context.store()
    if (action === 'ls' && typed === undefined) return list(await store.cache.list(), context)
    if (action === 'clean') {
      const report = await store.cache.clean(typed)
      const { removed, freedBytes, bytes, kept } = report
      const left = kept === 0 ? 'Nothing is left.' : `${count(kept, 'copy stays', 'copies stay')}.`
      const text = `Removed ${count(removed, 'copy', 'copies')} (${size(freedBytes)}); the cache holds ${size(bytes)}. ${left}\n`
      return { value: report, text: context.quiet ? '' : text }
    }
    throw new UsageError(`"cache ${action}" is not understood as it stands.`, USAGE)
  },
})

function list(held: CacheContents, { style, io, quiet }: Context): Answer {
  const rows = held.copies.map(({ ref, path, bytes, usedAt, altered }) =>
    quiet
      ? [style.name(path)]
      : [
          style.strong(style.name(ref === '' ? '?' : ref)),
          size(bytes),
          altered ? `${age(usedAt, io.now())}, altered` : age(usedAt, io.now()),
          style.name(path),
        ],
  )
  const sum = `${size(held.bytes)} of ${size(held.maxBytes)} in ${style.name(held.directory)}\n`
  return { value: held, text: quiet ? columns(rows) : columns(rows) + sum }
}
