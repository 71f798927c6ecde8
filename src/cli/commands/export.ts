import { type Command, defineCommand, text, yes } from '../command.ts'
import { remarkMissing } from '../missing-references.ts'
import { count, size } from '../render.ts'
import { UsageError } from '../usage-error.ts'

export const exportCommand: Command = defineCommand({
  flags: {
    output: text('FILE.tar', 'Where to write it; else to standard output', 'o'),
    'allow-missing-references': yes('Go on without references that are gone'),
  },
  takes: [1, 1],
  ends: [12, 13, 20, 21, 22],
  completes: 'refs',
  details: [
    'A plain tar: the files, symbolic links and empty directories of the version in the order of their paths, with modes 644 and 755, without times and owners, so that equal content gives equal bytes. What does not fit into ustar has pax records; GNU tar, bsdtar and Python read it. FILE has its name when it is whole, and takes the place of a file that has it.',
    'What references lead to is fetched first; where it is not what was recorded, nothing is written.',
  ],
  examples: [
    ['artifacts export bike:v3 -o bike.tar', 'To a file'],
    ['artifacts export bike | ssh host tar -x -C data', 'Into a directory of another machine'],
    ['artifacts export bike | zstd > bike.tar.zst', 'Packed'],
  ],
  json: { 'With -o': 'ref file tarBytes files bytes missingReferences' },

  async run({ values: { output, ...values }, positionals: [ref = ''] }, context) {
    if (output === undefined && context.io.terminal.stdout) {
      throw new UsageError(
        'A tar is nothing for a terminal.',
        `Write a file, \`artifacts export ${ref} -o FILE.tar\`, or pipe it: \`artifacts export ${ref} | tar -t\`.`,
      )
    }
    const store = await context.store()
    const tar = await store.exportTar(ref, {
      allowMissingReferences: values['allow-missing-references'],
      ...context.operation,
    })
    const { files, bytes, missingReferences } = tar
    remarkMissing(missingReferences, context)
    if (output === undefined) return { bytes: tar.content }
    const tarBytes = await tar.saveAs(context.resolve(output))
    const sentence = `Exported ${context.style.strong(tar.ref)} to ${context.style.name(output)}: ${count(files, 'file')}, ${size(bytes)}.\n`
    return {
      value: {
        ref: tar.ref,
        file: context.resolve(output),
        tarBytes,
        files,
        bytes,
        missingReferences,
      },
      text: context.quiet ? '' : sentence,
    }
  },
})
