/** Help, laid out by yargs. Loaded only to be shown: yargs costs as much time to import as Node takes to start. */
import yargs, { type Options } from 'yargs'
import { type Command, type Flag, type Flags, GLOBAL_FLAGS } from './command.ts'
import { COMMANDS, type Entry } from './table.ts'

const WIDEST = 100

/** What each exit code means; the same for every command. */
export const EXIT_CODES: readonly (readonly [number, string])[] = [
  [0, 'done'],
  [1, 'the answer is no: differs, missing, damaged'],
  [2, 'the command line is wrong'],
  [3, 'partly done'],
  [4, 'failed otherwise'],
  [10, 'no store here'],
  [11, 'busy'],
  [12, 'not found, or ambiguous'],
  [13, 'stored data is damaged'],
  [14, 'refused to lose work'],
  [20, 'remote unreachable'],
  [21, 'remote denied'],
  [22, 'remote changed'],
  [130, 'interrupted'],
]

/** Help for one command, or for the program where none is named. */
export async function helpText(entry: Entry | undefined, width: number): Promise<string> {
  const command = await entry?.load()
  const cli = yargs([])
    .scriptName('artifacts')
    .locale('en')
    .exitProcess(false)
    .help(false)
    .version(false)
    .wrap(Math.min(width, WIDEST))
    .parserConfiguration({ 'boolean-negation': false })
  if (entry === undefined || command === undefined) {
    cli.usage(
      'Usage: artifacts [flags] COMMAND ...\n\nStores versions of datasets, models and results.',
    )
    for (const { name, usage, describe } of COMMANDS) cli.command(`${name} ${usage}`, describe)
  } else {
    cli.usage(usageOf(entry, command))
    cli.options(optionsOf(command.flags)).group(Object.keys(command.flags), 'Flags:')
    for (const [line, what] of command.examples) cli.example(line, what)
  }
  const codes = EXIT_CODES.map(([code, meaning]) => `${code} ${meaning}`).join(' · ')
  cli.options(optionsOf(GLOBAL_FLAGS)).group(Object.keys(GLOBAL_FLAGS), 'Everywhere:')
  cli.epilogue(`Exit codes: ${codes}`)
  return `${await cli.getHelp()}\n`
}

function usageOf({ name, usage, describe }: Entry, { details }: Command): string {
  return [`Usage: artifacts ${name} [flags] ${usage}`, `${describe}.`, ...details].join('\n\n')
}

function optionsOf(flags: Flags): Record<string, Options> {
  return Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, optionOf(flag)]))
}

function optionOf({ kind, letter, value, choices, describe }: Flag): Options {
  const named = value === undefined ? describe : `${value}: ${describe}`
  return {
    describe: kind === 'texts' ? `${named} (repeatable)` : named,
    ...(kind === 'yes' ? { boolean: true } : { string: true, nargs: 1 }),
    ...(letter === undefined ? {} : { alias: letter }),
    ...(choices === undefined ? {} : { choices }),
  }
}
