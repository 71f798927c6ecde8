import type { RemoteSummary } from '../../index.ts'
import { type Answer, type Command, type Context, defineCommand, yes } from '../command.ts'
import { given } from '../given.ts'
import { remoteLines, remoteRecord } from '../remote-report.ts'
import { columns } from '../render.ts'
import { UsageError } from '../usage-error.ts'

const USAGE =
  'Usage: `artifacts remote add NAME URL`, `artifacts remote ls`, `artifacts remote rm NAME` or `artifacts remote check [NAME]`'
const SUMMARY = 'name url primary singleWriter store? verdict? probedAt?'
const CHECK = `${SUMMARY} canPush exposed latencyMs? format? operations? obstacle? deletes? clockMs? problem?`

export const remote: Command = defineCommand({
  flags: {
    'single-writer': yes('With `add`: I promise that one machine at a time pushes to it'),
  },
  takes: [0, 3],
  completes: ['add', 'ls', 'rm', 'check'],
  details: [
    'URL is `s3://BUCKET/PREFIX`, `https://HOST/PATH`, `file:///PATH`, or the path of a folder or a bundle. It holds no user and no password: buckets take their keys as the AWS command line does; a server takes its token from `ARTIFACTS_TOKEN_<NAME>` or `ARTIFACTS_TOKEN`, from a line `URL TOKEN` in `~/.config/artifacts/credentials`, or from `~/.netrc`.',
    'The first remote becomes the primary: commands that name none mean it, and it numbers versions. When it is removed there is none, until one is added or `artifacts config set primary NAME` names it.',
    '`add` looks at the remote and says what it found; where that is not possible, without a network for instance, it is added all the same, and the first push looks. `check` looks again. To find out whether several machines can push at once, both make a few small files below `probe/` and remove them.',
    '`check` ends with the exit code of what went wrong; with `--json` it stands in `problem`, as an error has it.',
  ],
  examples: [
    ['artifacts remote add origin s3://datasets/team', 'The first: it becomes the primary'],
    ['artifacts remote add usb /media/usb/store', 'A folder on a drive'],
    ['artifacts remote check', 'How it stands with all of them'],
  ],
  json: {
    '`ls`, an array of; `rm`': SUMMARY,
    '`add`': `created ${CHECK}`,
    '`check`, an array of': CHECK,
  },
  ends: [20, 21, 22],

  async run({ values, positionals: [action = 'ls', name, url] }, context) {
    const isAlone = !values['single-writer']
    if (action === 'add' && name !== undefined && url !== undefined) {
      return add(context, name, url, values['single-writer'])
    }
    if (action === 'ls' && name === undefined && isAlone) return list(context)
    if (action === 'rm' && name !== undefined && url === undefined && isAlone) {
      return remove(context, name)
    }
    if (action === 'check' && url === undefined && isAlone) return check(context, name)
    throw new UsageError(`"remote ${action}" is not understood as it stands.`, USAGE)
  },
})

async function add(
  context: Context,
  name: string,
  url: string,
  singleWriter: boolean,
): Promise<Answer> {
  const { remotes } = await context.store()
  const from = context.resolve('.')
  const added = await remotes.add(name, url, { singleWriter, from, ...given(context.operation) })
  const { problem } = added
  if (problem !== undefined) {
    const hint = problem.hint === undefined ? '' : ` ${problem.hint}`
    context.remark(
      `It could not be looked at: ${problem.message}${hint} The first push will look whether several machines can push to it at once.`,
    )
  }
  const { style, quiet } = context
  const where = `${style.name(name)}: ${style.name(added.url)}.${added.primary ? ' It is the primary.' : ''}`
  const what = added.created ? `Added ${where}\n` : `There is ${where}\n`
  const found = problem === undefined ? remoteLines(added, style) : ''
  return { value: remoteRecord(added), text: quiet ? '' : what + found }
}

async function list({ store, style, quiet, remark }: Context): Promise<Answer> {
  const all = await (await store()).remotes.list()
  if (all.length === 0) remark('There are no remotes: `artifacts remote add origin URL`.')
  const rows = all.map((each) =>
    quiet
      ? [style.name(each.name)]
      : [style.strong(style.name(each.name)), style.name(each.url), labelsOf(each)],
  )
  return { value: all, text: columns(rows) }
}

function labelsOf({ primary, singleWriter, verdict }: RemoteSummary): string {
  return [primary ? 'primary' : '', singleWriter ? 'single writer' : '', verdict ?? '']
    .filter(Boolean)
    .join(', ')
}

async function remove({ store, style, quiet }: Context, name: string): Promise<Answer> {
  const { remotes } = await store()
  const removed = await remotes.remove(name)
  const [next] = await remotes.list()
  const now = !removed.primary
    ? ''
    : next === undefined
      ? ' The store has no remote now.'
      : ` It was the primary, and there is none now: \`artifacts config set primary ${next.name}\` makes one.`
  const text = `Removed ${style.name(name)}; what lies at ${style.name(removed.url)} stays.${now}\n`
  return { value: removed, text: quiet ? '' : text }
}

async function check(context: Context, name: string | undefined): Promise<Answer> {
  const { remotes } = await context.store()
  const checks = await remotes.check(name, context.operation)
  if (checks.length === 0) {
    context.remark('There are no remotes: `artifacts remote add origin URL`.')
  }
  const { style } = context
  const text = checks
    .map(
      (each) =>
        `${style.strong(style.name(each.name))}  ${style.name(each.url)}\n${remoteLines(each, style)}`,
    )
    .join('')
  const problem = checks.find((each) => each.problem !== undefined)?.problem
  return {
    ...(problem === undefined ? {} : { code: problem.exitCode }),
    value: checks.map(remoteRecord),
    text,
  }
}
