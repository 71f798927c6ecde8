/**
 * One call of the program: words in, exit code out. Nothing here touches the process, so that a test can call it. Only
 * the command that was asked for is loaded, and help only when someone needs it: starting is most of what a small
 * command costs.
 */
import { mentions, readArguments, splitCommand } from './arguments.ts'
import type { Args, Command, GlobalValues } from './command.ts'
import { openContext } from './context.ts'
import { type Io, OutputClosed } from './io.ts'
import { nearest } from './nearest.ts'
import { print } from './print.ts'
import { report } from './report.ts'
import { COMMANDS, type Entry, FOREIGN_VERBS } from './table.ts'
import { UsageError } from './usage-error.ts'
import { VERSION } from './version.ts'

/** Runs `artifacts` with these words and returns its exit code; throws nothing. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(argv, io)
  } catch (error) {
    if (error instanceof OutputClosed) return 0
    return report(error, io, {
      json: mentions(argv, '--json'),
      verbose: mentions(argv, '--verbose') || mentions(argv, '-v'),
      color: usesColor(io, 'stderr', mentions(argv, '--no-color')),
    })
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  if (argv[0] === '--complete') {
    const { complete } = await import('./complete.ts')
    await io.write((await complete(argv.slice(1), io)).map((line) => `${line}\n`).join(''))
    return 0
  }
  const { name, words } = splitCommand(argv)
  if (name === undefined) return withoutCommand(words, io)
  if (name === 'help') return explain(splitCommand(words).name, io)

  const entry = findEntry(name)
  const command = await entry.load()
  const { args, globals } = readArguments(name, entry.usage, command, words)
  if (globals.help) return explain(name, io)
  if (globals.version) return showVersion(io)
  return run(command, args, globals, io)
}

async function run(command: Command, args: Args, globals: GlobalValues, io: Io): Promise<number> {
  const context = openContext(globals, io, usesColor(io, 'stdout', globals['no-color']))
  try {
    const answer = await command.run(args, context)
    context.clearProgress()
    await print(answer, globals.json, io)
    return answer.code ?? 0
  } finally {
    context.clearProgress()
    await context.close()
  }
}

async function withoutCommand(words: readonly string[], io: Io): Promise<number> {
  const { globals } = readArguments('', '', { flags: {}, takes: [0, 0], rest: false }, words)
  if (globals.version) return showVersion(io)
  if (globals.help) return explain(undefined, io)
  if (globals.json) throw new UsageError('No command is given.', 'Run `artifacts --help`.')
  const { helpText } = await import('./help.ts')
  io.note(await helpText(undefined, io.terminal.columns))
  return 2
}

async function explain(name: string | undefined, io: Io): Promise<number> {
  const { helpText } = await import('./help.ts')
  await io.write(
    await helpText(name === undefined ? undefined : findEntry(name), io.terminal.columns),
  )
  return 0
}

async function showVersion(io: Io): Promise<number> {
  await io.write(`artifacts ${VERSION}\n`)
  return 0
}

/** Throws UsageError with the command that was probably meant. */
function findEntry(name: string): Entry {
  const entry = COMMANDS.find((candidate) => candidate.name === name)
  if (entry !== undefined) return entry
  const names = COMMANDS.map((candidate) => candidate.name)
  const verb = Object.hasOwn(FOREIGN_VERBS, name) ? FOREIGN_VERBS[name] : undefined
  const here = verb !== undefined && names.includes(verb.split(' ')[0] as string)
  const meant = here ? verb : nearest(name, names)
  throw new UsageError(
    `There is no command "${name}".`,
    meant === undefined
      ? 'Run `artifacts --help` to see all commands.'
      : `Did you mean \`artifacts ${meant}\`?`,
  )
}

function usesColor(io: Io, stream: 'stdout' | 'stderr', forbidden: boolean): boolean {
  return !forbidden && (io.environment.color ?? io.terminal[stream])
}
