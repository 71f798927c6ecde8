import type { DirectoryStatus, NotPushed, WaitingBundle } from '../../index.ts'
import { changeLine } from '../changes.ts'
import { type Command, type Context, defineCommand } from '../command.ts'
import { given } from '../given.ts'
import { age, listed, size } from '../render.ts'
import { numbers } from '../sentences.ts'

export const status: Command = defineCommand({
  flags: {},
  takes: [0, 1],
  ends: [12, 13],
  details: ['Without DIR, every bound directory.'],
  examples: [
    ['artifacts status', 'Every bound directory'],
    ['artifacts status data', 'One directory'],
  ],
  json: {
    '': 'directories notPushed? waiting?',
    'Each of `waiting`, bundles of which volumes are missing': 'bundle from of missing bytes since',
    '`notPushed`': 'remote asOf? versions artifacts',
    'Each of `directories`':
      'path ref artifact version latest state changes added modified removed gone?',
  },

  async run({ positionals: [dir] }, context) {
    const store = await context.store()
    const directories = await store.status(
      dir === undefined ? undefined : context.resolve(dir),
      context.operation,
    )
    const notPushed = store.notPushed()
    const bundles = await store.waitingBundles()
    const waiting = bundles.length === 0 ? undefined : bundles
    return {
      value: { directories, ...given({ notPushed, waiting }) },
      lines: [
        ...lines(directories, context),
        ...pushLines(notPushed, context),
        ...waitingLines(bundles, context),
      ],
    }
  },
})

function* pushLines(notPushed: NotPushed | undefined, { style, io }: Context): Iterable<string> {
  if (notPushed === undefined) return
  const { remote, asOf, versions, artifacts } = notPushed
  const when = asOf === undefined ? 'never asked' : `as of ${age(asOf, io.now())}`
  if (versions === 0) {
    yield `Everything is pushed to ${remote} (${when})`
    return
  }
  const listing = artifacts.map(
    ({ artifact, versions: own }) => `${style.strong(artifact)} ${listed(own, 5)}`,
  )
  yield `Not pushed to ${remote} (${when}): ${listed(listing)}`
}

function* waitingLines(
  bundles: readonly WaitingBundle[],
  { style, io }: Context,
): Iterable<string> {
  for (const { bundle, of, missing, bytes, since } of bundles) {
    const volumes = `${missing.length === 1 ? 'volume' : 'volumes'} ${listed(missing.map(String))} of ${of}`
    yield `Bundle ${style.strong(bundle.slice(0, 12))} (${size(bytes)}, ${age(since, io.now())}) waits for ${volumes}: \`artifacts bundle apply FILE\``
  }
}

function* lines(directories: readonly DirectoryStatus[], { style }: Context): Iterable<string> {
  if (directories.length === 0) {
    yield 'No directory is bound to an artifact. `artifacts commit DIR` binds one.'
  }
  for (const directory of directories) {
    const { path, ref, version, latest, state, changes, gone } = directory
    if (state === 'unknown') {
      yield `${style.name(path)}: ${style.strong(ref)} was removed by gc`
      continue
    }
    const notes = [
      ...(gone === undefined ? [] : [gone]),
      ...(latest === version || latest === '' ? [] : [`latest is ${latest}`]),
    ]
    const behind = notes.length === 0 ? '' : ` (${notes.join(', ')})`
    const facts = state === 'changed' ? numbers(directory, ['added', 'modified', 'removed']) : state
    yield `${style.name(path)}: ${style.strong(ref)}${behind}, ${facts || state}`
    for (const change of changes) yield `  ${changeLine(change, style)}`
  }
}
