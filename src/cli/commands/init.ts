import { basename, dirname } from 'node:path'
import { type Command, defineCommand, yes } from '../command.ts'
import { UsageError } from '../usage-error.ts'

export const init: Command = defineCommand({
  flags: { shared: yes("Writable for the group, as git's --shared") },
  takes: [0, 1],
  details: ['Makes `.artifacts` in DIR, or here. Where one is already, nothing is changed.'],
  examples: [
    ['artifacts init', 'Make a store in the current directory'],
    ['artifacts init --shared /data/team', 'Make one that a group of users writes to'],
  ],
  json: { '': 'store workspace id created' },

  async run({ values, positionals: [dir] }, context) {
    const { Store } = await import('../../index.ts')
    const { store, created } = await Store.init(
      workspaceFor(dir, context.storeDir, context.resolve),
      {
        shared: values.shared,
      },
    )
    const { root, workspace, id } = store
    store.close()
    const place = context.style.name(root)
    return {
      value: { store: root, workspace, id, created },
      text: created
        ? `Made a store in ${place}\n`
        : `A store is already in ${place}; nothing was changed.\n`,
    }
  },
})

function workspaceFor(
  dir: string | undefined,
  storeDir: string | undefined,
  resolve: (path: string) => string,
): string {
  if (dir !== undefined || storeDir === undefined) return resolve(dir ?? '.')
  if (basename(storeDir) === '.artifacts') return dirname(storeDir)
  throw new UsageError(
    `A store lies in a folder named ".artifacts", not in "${storeDir}".`,
    'Name the folder around it: `artifacts init DIR`.',
  )
}
