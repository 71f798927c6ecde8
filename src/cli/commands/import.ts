import { type Command, choice, defineCommand, text, texts, yes } from '../command.ts'
import { currentRun } from '../current-run.ts'
import { given } from '../given.ts'
import { readMetadata } from '../metadata.ts'
import { commitRemarks, commitSentence } from '../sentences.ts'

export const importCommand: Command = defineCommand({
  flags: {
    name: text('NAME', 'The artifact; else the name of the file without .tar', 'n'),
    type: text('TYPE', 'Its type, as dataset, model, result', 't'),
    alias: texts('ALIAS', 'An alias to move to the version', 'a'),
    tag: texts('T', 'A tag of the version'),
    message: text('TEXT', 'The description', 'm'),
    meta: texts('K=V', 'Metadata; V is JSON if it parses, else text'),
    'meta-file': text('F', 'Metadata from a JSON file'),
    base: text('REF', "Start from this version's entries and make it the parent"),
    incremental: yes('The same as --base NAME:latest'),
    reuse: choice('WHICH', ['latest', 'any', 'never'], 'Which version of equal content is reused'),
    run: text('RUN', 'The run that logs it; else the one that ARTIFACTS_RUN names'),
    slot: text('S', "What it is called in the run; else the artifact's name"),
    'allow-secrets': yes('Store private keys and .env files too'),
  },
  takes: [1, 1],
  ends: [12, 13, 14],
  details: [
    'Stores the files, symbolic links, empty directories and executable bits of a tar, as GNU tar, bsdtar and Python write them, packed by gzip or not; `-` is standard input. The tar is read once, and nothing of it is written beside the store.',
    'Refused by name, with the store as it was: a tar that was cut or has something behind its end, absolute paths and `..`, hard links, devices, FIFOs, sparse files, paths that are there twice or lie below a file or a link, and what unpacks to a multiple of its size. Times, owners and attributes are not kept; `.git` and `.artifacts` are left out.',
  ],
  examples: [
    ['artifacts import bike.tar', 'As the artifact "bike"'],
    ['artifacts import release.tar.gz -n bike -a best -m "from the archive"', 'With labels'],
    ['ssh host tar -c -C data . | artifacts import - -n data', 'What another machine sends'],
  ],
  json: {
    '': 'artifact project type version ref id digest files bytes storedBytes reusedBytes created run? dryRun added changed removed unchanged outwardLinks skipped aliases ignoredLabels unresolved',
  },

  async run({ values, positionals: [file = ''] }, context) {
    const store = await context.store()
    const run = await currentRun(store, values.run, context)
    const report = await store.importTar(file === '-' ? context.io.stdin() : file, {
      ...given({
        name: values.name,
        type: values.type,
        description: values.message,
        metadata: readMetadata(
          values.meta,
          values['meta-file'] && context.resolve(values['meta-file']),
        ),
        base: values.base,
        run: run?.id,
        slot: values.slot,
        reuse: values.reuse,
      }),
      aliases: values.alias,
      tags: values.tag,
      incremental: values.incremental,
      allowSecrets: values['allow-secrets'],
      cwd: context.io.cwd,
      ...context.operation,
    })
    for (const line of commitRemarks(report, values)) context.remark(line)
    const sentence = context.quiet ? report.ref : commitSentence(report, context.style)
    return { value: report, text: `${sentence}\n` }
  },
})
