import { type Command, choice, defineCommand, text, texts, yes } from '../command.ts'
import { currentRun } from '../current-run.ts'
import { given } from '../given.ts'
import { readOptional } from '../limit.ts'
import { readMetadata } from '../metadata.ts'
import { commitRemarks, commitSentence } from '../sentences.ts'
import { UsageError } from '../usage-error.ts'

export const commit: Command = defineCommand({
  flags: {
    name: text('NAME', 'The artifact; needed with several paths', 'n'),
    type: text('TYPE', 'Its type, as dataset, model, result', 't'),
    as: text('PATH', 'Where in the version the content goes; ending in / a folder'),
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
    include: texts('G', 'Only paths that match the pattern'),
    exclude: texts('G', 'No paths that match the pattern'),
    'allow-secrets': yes('Store private keys, .env files and signed URLs too'),
    reference: yes('Only refer to PATHs, which stay where they are'),
    'no-checksum': yes('Record URIs without a look at what is there'),
    'max-objects': text('N', 'How many objects a prefix may have; 10000 in buckets'),
    resolve: text('REF', 'Store REF again, the references that were recorded offline looked up'),
    offline: yes('Ask nobody: what is on a network is recorded as unresolved'),
    'dry-run': yes('Only say what would be stored'),
  },
  takes: [0, Number.POSITIVE_INFINITY],
  ends: [12, 13, 14, 20, 21],
  details: [
    'Without PATH the bound directory is stored. The content of one directory goes to the root of the version; several paths go each under their own name, a file under its basename. `-` is standard input and needs --as.',
    'A URI is recorded as a reference: `http://` and `https://` by ETag and length, `s3://` and `gs://` objects and prefixes, `file://` files and folders by SHA-256, `artifacts://REF/PATH` an entry of another version, anything else by its text. The bytes stay where they are; `download` fetches them and refuses what has changed.',
    'NAME is -n, else the artifact the directory is bound to, else the basename. Content that the version behind `latest` has already makes no new version.',
  ],
  examples: [
    ['artifacts commit data -n bike -t dataset -a best', 'Store a directory'],
    ['artifacts commit', 'Store the bound directory again'],
    ['artifacts commit s3://bucket/images -n images', 'Refer to what is in a bucket'],
    [
      'artifacts commit --reference /data/scans -n scans',
      'Refer to files that are too large to copy',
    ],
    ['artifacts commit model.pt --meta lr=1e-3 --meta note=good', 'Store a file with metadata'],
    ['make-table | artifacts commit - --as table.csv -n table', 'Store what a program prints'],
  ],
  json: {
    '': 'artifact project type version ref id digest files bytes storedBytes reusedBytes created run? dryRun added changed removed unchanged outwardLinks skipped aliases ignoredLabels unresolved bound?',
  },

  async run({ values, positionals }, context) {
    const store = await context.store()
    const { cwd, stdin } = context.io
    const run = await currentRun(store, values.run, context)
    if (values.slot !== undefined && run === undefined) {
      throw new UsageError('"--slot" names a version in a run, and no run is named.')
    }
    const report = await store.commit(positionals, {
      ...given({
        name: values.name,
        type: values.type,
        as: values.as,
        stdin: positionals.includes('-') ? stdin() : undefined,
        description: values.message,
        metadata: readMetadata(
          values.meta,
          values['meta-file'] && context.resolve(values['meta-file']),
        ),
        base: values.base,
        run: run?.id,
        slot: values.slot,
        resolve: values.resolve,
        reuse: values.reuse,
        maxObjects: readOptional(values['max-objects'], '--max-objects'),
      }),
      aliases: values.alias,
      tags: values.tag,
      include: values.include,
      exclude: values.exclude,
      incremental: values.incremental,
      allowSecrets: values['allow-secrets'],
      reference: values.reference,
      checksum: !values['no-checksum'],
      ...(values.offline ? { offline: true } : {}),
      dryRun: values['dry-run'],
      cwd,
      ...context.operation,
    })
    for (const line of commitRemarks(report, values)) context.remark(line)
    const sentence = context.quiet ? report.ref : commitSentence(report, context.style)
    return { value: report, text: `${sentence}\n` }
  },
})
