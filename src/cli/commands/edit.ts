import type { EditOptions } from '../../index.ts'
import {
  type Answer,
  type Command,
  type Context,
  defineCommand,
  text,
  texts,
  yes,
} from '../command.ts'
import { given } from '../given.ts'
import { artifactSentence, editSentence } from '../label-sentences.ts'
import { readMetadata } from '../metadata.ts'
import { UsageError } from '../usage-error.ts'

export const edit: Command = defineCommand({
  flags: {
    message: text('TEXT', 'The description; an empty one removes it', 'm'),
    meta: texts('K=V', 'Metadata to set; V is JSON if it parses, else text'),
    'unset-meta': texts('K', 'Metadata to remove'),
    'meta-file': text('F', 'A JSON file with the metadata that replaces all there is'),
    ttl: text(
      'TTL',
      'How long it is kept from its creation: 30d, never, or inherit what the store says',
    ),
    artifact: yes('Edit the artifact itself: its description or its type'),
    type: text('TYPE', "With --artifact: the artifact's type", 't'),
  },
  takes: [1, 1],
  ends: [12],
  completes: 'refs',
  details: [
    'What a version holds never changes; what is said about it does. Every change stands in the log and can be undone.',
  ],
  examples: [
    [
      'artifacts edit bike:v3 -m "cleaned labels" --meta acc=0.93',
      'Description and metadata of a version',
    ],
    ['artifacts edit bike:v3 --ttl 30d', 'Let gc remove it 30 days after it was made'],
    ['artifacts edit bike --artifact -t model', 'The type of an artifact'],
  ],
  json: {
    '': 'ref artifact project version id description? metadata ttl? changed operation?',
    'With --artifact': 'artifact project type description? changed operation?',
  },

  async run({ values, positionals: [ref = ''] }, context) {
    const { message: description, type, ttl, meta, 'meta-file': file, 'unset-meta': unset } = values
    const metadata = readMetadata(meta, file && context.resolve(file))
    if (values.artifact) {
      if (metadata !== undefined || unset.length > 0 || ttl !== undefined) {
        throw new UsageError(
          'An artifact has a description and a type; metadata and --ttl are of versions.',
        )
      }
      requireSome(description, type)
      return editArtifact(ref, given({ description, type }), context)
    }
    if (type !== undefined) {
      throw new UsageError(
        'The type belongs to the artifact, not to a version.',
        `Try \`artifacts edit ${ref.replace(/[:@~].*/, '')} --artifact -t ${type}\`.`,
      )
    }
    requireSome(description, metadata, ttl, unset[0])
    return editVersion(
      ref,
      {
        ...given({ description, metadata, ttl }),
        replaceMetadata: file !== undefined,
        unsetMetadata: unset,
      },
      context,
    )
  },
})

async function editVersion(ref: string, options: EditOptions, context: Context): Promise<Answer> {
  const store = await context.store()
  const report = await store.edit(ref, options)
  const sentence = `${editSentence(report, context.style)}\n`
  return { value: report, text: context.quiet ? '' : sentence }
}

async function editArtifact(
  name: string,
  options: { readonly description?: string; readonly type?: string },
  context: Context,
): Promise<Answer> {
  const store = await context.store()
  const report = await store.editArtifact(name, options)
  const sentence = `${artifactSentence(report, context.style)}\n`
  return { value: report, text: context.quiet ? '' : sentence }
}

function requireSome(...values: readonly unknown[]): void {
  if (values.some((value) => value !== undefined)) return
  throw new UsageError(
    'Nothing to change is given.',
    'Run `artifacts edit --help` to see what can be.',
  )
}
