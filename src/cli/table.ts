/** The commands: name, usage and summary of each; the rest of a command is loaded when it is called. */
import type { Command } from './command.ts'

export interface Entry {
  readonly name: string
  /** The arguments, without the flags. */
  readonly usage: string
  readonly describe: string
  readonly load: () => Promise<Command>
}

export const COMMANDS: readonly Entry[] = [
  {
    name: 'init',
    usage: '[DIR]',
    describe: 'Make a store',
    load: async () => (await import('./commands/init.ts')).init,
  },
  {
    name: 'commit',
    usage: '[PATH|URI|-]...',
    describe: 'Store files as a new version of an artifact',
    load: async () => (await import('./commands/commit.ts')).commit,
  },
  {
    name: 'status',
    usage: '[DIR]',
    describe: 'Compare bound directories with the versions they hold',
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'ls',
    usage: '[NAME | REF [PREFIX]]',
    describe: 'List artifacts, the versions of one, or the entries of a version',
    load: async () => (await import('./commands/ls.ts')).ls,
  },
  {
    name: 'log',
    usage: '[NAME]',
    describe: 'List versions, the newest first',
    load: async () => (await import('./commands/log.ts')).log,
  },
  {
    name: 'show',
    usage: 'REF...',
    describe: 'Show all facts of a version',
    load: async () => (await import('./commands/show.ts')).show,
  },
  {
    name: 'cat',
    usage: 'REF PATH',
    describe: "Write one entry's bytes to standard output",
    load: async () => (await import('./commands/cat.ts')).cat,
  },
  {
    name: 'diff',
    usage: '[A [B|DIR]] [-- PATH...]',
    describe: 'Compare versions and directories',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  {
    name: 'checkout',
    usage: 'REF [DIR] [-- PATH...]',
    describe: 'Make a directory equal to a version',
    load: async () => (await import('./commands/checkout.ts')).checkout,
  },
  {
    name: 'download',
    usage: 'REF [DIR]',
    describe: "Add a version's files to a directory and print it",
    load: async () => (await import('./commands/download.ts')).download,
  },
  {
    name: 'file',
    usage: 'REF [DIR]',
    describe: 'Get the one file of a one-file version and print its path',
    load: async () => (await import('./commands/file.ts')).file,
  },
  {
    name: 'path',
    usage: 'REF [PATH]',
    describe: 'Print the path of a read-only local copy, made once and shared between versions',
    load: async () => (await import('./commands/path.ts')).path,
  },
  {
    name: 'verify',
    usage: 'REF...',
    describe: 'Check stored bytes, or a directory against a version',
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  {
    name: 'watch',
    usage: 'DIR',
    describe: 'Commit a directory whenever nothing in it has changed for a while',
    load: async () => (await import('./commands/watch.ts')).watch,
  },
  {
    name: 'export',
    usage: 'REF',
    describe: 'Write a version as a tar of its files',
    load: async () => (await import('./commands/export.ts')).exportCommand,
  },
  {
    name: 'import',
    usage: 'FILE.tar | -',
    describe: 'Store what a tar holds as a new version of an artifact',
    load: async () => (await import('./commands/import.ts')).importCommand,
  },
  {
    name: 'export-manifest',
    usage: 'REF --wandb',
    describe: 'Print the manifest or the digest that W&B would give the version',
    load: async () => (await import('./commands/export-manifest.ts')).exportManifest,
  },
  {
    name: 'alias',
    usage: 'REF ALIAS...',
    describe: 'Give aliases to a version, or take them away',
    load: async () => (await import('./commands/alias.ts')).alias,
  },
  {
    name: 'tag',
    usage: 'REF TAG...',
    describe: 'Add tags to a version, or take them away',
    load: async () => (await import('./commands/tag.ts')).tag,
  },
  {
    name: 'edit',
    usage: 'REF',
    describe: 'Change description, metadata or time to live of a version',
    load: async () => (await import('./commands/edit.ts')).edit,
  },
  {
    name: 'link',
    usage: 'REF PORTFOLIO',
    describe: 'Put a version into a portfolio',
    load: async () => (await import('./commands/link.ts')).link,
  },
  {
    name: 'unlink',
    usage: 'REF',
    describe: 'Take a version out of a portfolio',
    load: async () => (await import('./commands/unlink.ts')).unlink,
  },
  {
    name: 'rename',
    usage: 'NAME NEW',
    describe: 'Give an artifact another name',
    load: async () => (await import('./commands/rename.ts')).rename,
  },
  {
    name: 'rm',
    usage: 'REF... | NAME... --all-versions',
    describe: 'Delete versions',
    load: async () => (await import('./commands/rm.ts')).rm,
  },
  {
    name: 'restore',
    usage: 'REF...',
    describe: 'Bring deleted versions back',
    load: async () => (await import('./commands/restore.ts')).restore,
  },
  {
    name: 'draft',
    usage: 'new|add|rm|show|finish|abort [PATH]...',
    describe: 'Build a version in steps, or by several processes',
    load: async () => (await import('./commands/draft.ts')).draft,
  },
  {
    name: 'run',
    usage: 'start | finish [ID] | exec -- CMD... | edit RUN | ls | show RUN',
    describe: 'Record what a program uses and makes',
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    name: 'use',
    usage: 'REF...',
    describe: 'Record that a run uses versions, and print where they are',
    load: async () => (await import('./commands/use.ts')).use,
  },
  {
    name: 'lineage',
    usage: 'REF',
    describe: 'Show what a version was made from, and what was made from it',
    load: async () => (await import('./commands/lineage.ts')).lineage,
  },
  {
    name: 'push',
    usage: '[REF...]',
    describe: 'Send versions to a remote',
    load: async () => (await import('./commands/push.ts')).push,
  },
  {
    name: 'pull',
    usage: '[REF...]',
    describe: 'Take over what a remote has',
    load: async () => (await import('./commands/pull.ts')).pull,
  },
  {
    name: 'fetch',
    usage: '[REF] [-- PATH...]',
    describe: 'See what is new at a remote, or fetch bytes that were left there',
    load: async () => (await import('./commands/fetch.ts')).fetch,
  },
  {
    name: 'clone',
    usage: 'URL [DIR] [REF...]',
    describe: 'Make a store that has what a remote has',
    load: async () => (await import('./commands/clone.ts')).clone,
  },
  {
    name: 'undo',
    usage: '[N]',
    describe: 'Take back what an operation did',
    load: async () => (await import('./commands/undo.ts')).undo,
  },
  {
    name: 'op',
    usage: '[log | show N]',
    describe: 'List the operations of the log, or show one',
    load: async () => (await import('./commands/op.ts')).op,
  },
  {
    name: 'find',
    usage: '[TERM]...',
    describe: 'Find versions by name, type, labels, metadata, size, date or run',
    load: async () => (await import('./commands/find.ts')).find,
  },
  {
    name: 'sql',
    usage: 'QUERY',
    describe: 'Answer a query in SQL, read-only',
    load: async () => (await import('./commands/sql.ts')).sql,
  },
  {
    name: 'gc',
    usage: '',
    describe: 'Remove the bytes that no version needs',
    load: async () => (await import('./commands/gc.ts')).gc,
  },
  {
    name: 'prune',
    usage: 'NAME',
    describe: 'Delete the versions that no rule keeps',
    load: async () => (await import('./commands/prune.ts')).prune,
  },
  {
    name: 'fsck',
    usage: '',
    describe: 'Check that everything stored is there and whole',
    load: async () => (await import('./commands/fsck.ts')).fsck,
  },
  {
    name: 'stats',
    usage: '',
    describe: 'Show how much the store holds, and what that takes',
    load: async () => (await import('./commands/stats.ts')).stats,
  },
  {
    name: 'cache',
    usage: '[ls | clean [SIZE]]',
    describe: 'List the local copies that path has made, or remove old ones',
    load: async () => (await import('./commands/cache.ts')).cache,
  },
  {
    name: 'remote',
    usage: '[add NAME URL | ls | rm NAME | check [NAME]]',
    describe: 'Name stores elsewhere, and see how it stands with them',
    load: async () => (await import('./commands/remote.ts')).remote,
  },
  {
    name: 'bundle',
    usage: 'create FILE [REF...] | verify FILE... | ls FILE... | apply FILE...',
    describe: 'Carry versions to where no network leads',
    load: async () => (await import('./commands/bundle.ts')).bundle,
  },
  {
    name: 'serve',
    usage: '[token add NAME | token ls | token rm NAME]',
    describe: 'Serve the store over HTTP, for others to read from and push to',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  {
    name: 'config',
    usage: '[get KEY | set KEY VALUE | ls]',
    describe: "Read and change the store's settings",
    load: async () => (await import('./commands/config.ts')).config,
  },
  {
    name: 'completion',
    usage: '[bash|zsh]',
    describe: 'Print a script that completes commands, flags and artifacts in the shell',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
]

/** Verbs that people bring from elsewhere, and what does the same here. */
export const FOREIGN_VERBS: Readonly<Record<string, string>> = {
  add: 'commit',
  put: 'commit',
  save: 'commit',
  upload: 'commit',
  get: 'download',
  list: 'ls',
  history: 'log',
  info: 'show',
  describe: 'show',
  compare: 'diff',
  switch: 'checkout',
  delete: 'rm',
  remove: 'rm',
  mv: 'rename',
  label: 'tag',
  revert: 'undo',
  oplog: 'op log',
  undelete: 'restore',
}
