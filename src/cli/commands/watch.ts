import type { WatchEvent } from '../../index.ts'
import { type Command, type Context, defineCommand, text, texts, yes } from '../command.ts'
import { currentRun } from '../current-run.ts'
import { given } from '../given.ts'
import { count, listed } from '../render.ts'
import { commitRemarks, commitSentence } from '../sentences.ts'

export const watch: Command = defineCommand({
  flags: {
    name: text('NAME', 'The artifact; else what the directory is bound to, else its basename', 'n'),
    type: text('TYPE', 'Its type, as dataset, model, result', 't'),
    settle: text('D', 'For how long nothing must have changed, as 2s (default) or 1m'),
    alias: texts('ALIAS', 'An alias to move to each version', 'a'),
    tag: texts('T', 'A tag of each version'),
    run: text('RUN', 'The run that logs the versions; else the one that ARTIFACTS_RUN names'),
    'allow-secrets': yes('Store private keys and .env files too'),
  },
  takes: [1, 1],
  ends: [12, 13, 14],
  details: [
    'Commits DIR once at the start and then whenever something in it has changed and nothing has for D; what is made and gone again within D is not stored. What `.artifactsignore` leaves out starts nothing. A version has whole files only.',
    'Where DIR does not come to rest for ten times D, the files that have not changed for D are stored without waiting longer; those that are changing stay as they are in the version before, or are left out if they are new, and are named.',
    'Ctrl-C or SIGTERM ends it with 0, after storing what has come to rest; a second one ends it at once. While DIR is not there nothing is stored. Where the system can watch no more directories (`fs.inotify.max_user_watches`), or other hosts may write in DIR too, it is looked through every ten seconds or ten times D.',
  ],
  examples: [
    ['artifacts watch checkpoints -n model -t model', 'Keep every checkpoint'],
    ['artifacts watch data --settle 30s --json', 'For a program that reads what happens'],
  ],
  json: {
    '`watching`, a line at the start': 'type dir artifact settle',
    '`version`, a line for each': 'type report',
    '`refused`, when nothing can be stored for now': 'type code message hint?',
    '`gone` and `back`': 'type dir',
    '`looking`, where the system does not tell of all changes': 'type every reason',
    '`stopped`, at the end': 'type versions',
  },

  async run({ values, positionals: [dir = ''] }, context) {
    const store = await context.store()
    const run = await currentRun(store, values.run, context)
    const { name, type, settle } = values
    const events = store.watch(context.resolve(dir), {
      ...given({ name, type, settle, run: run?.id }),
      aliases: values.alias,
      tags: values.tag,
      allowSecrets: values['allow-secrets'],
      signal: context.operation.signal,
    })
    let versions = 0
    for await (const event of events) {
      if (event.type === 'version') versions++
      if (context.json) await context.io.write(`${JSON.stringify(event)}\n`)
      else await tell(event, context)
    }
    return {
      value: { type: 'stopped', versions },
      text: context.quiet ? '' : `Stopped after ${count(versions, 'version')}.\n`,
    }
  },
})

async function tell(event: WatchEvent, context: Context): Promise<void> {
  const { remark, style, quiet, io } = context
  switch (event.type) {
    case 'watching':
      remark(`Watching ${event.dir} for ${event.artifact}; Ctrl-C ends it.`)
      return
    case 'version': {
      const { report } = event
      await io.write(`${quiet ? report.ref : commitSentence(report, style)}\n`)
      for (const line of commitRemarks(report, NO_LABELS)) remark(line)
      const { changing = [] } = report
      if (changing.length > 0) remark(`Still changing, and as before: ${listed(changing)}.`)
      return
    }
    case 'refused':
      remark(
        `Not stored for now: ${event.message}${event.hint === undefined ? '' : `\n${event.hint}`}`,
      )
      return
    case 'gone':
      remark(`${event.dir} is gone; waiting for it.`)
      return
    case 'back':
      remark(`${event.dir} is back.`)
      return
    case 'looking': {
      const more =
        event.reason === 'ENOSPC'
          ? ' More can be watched with: sysctl fs.inotify.max_user_watches=1048576'
          : ''
      remark(
        `The system does not tell of all changes (${event.reason}): looking every ${event.every / 1000} s.${more}`,
      )
      return
    }
    default:
      event satisfies never
  }
}

/** Of what a watch may be given, nothing is left for other commands to apply. */
const NO_LABELS = { message: undefined, meta: [], 'meta-file': undefined, tag: [] }
