/**
 * From words to arguments. yargs' parser does the parsing, with every guess it can make switched off, so that an
 * argument stays as typed: `007` is no number, `-q true` does not swallow the path `true`, `-a best data` leaves `data`.
 *
 * Before it the flags are spelled out as `--name=value`. There the rules are kept that the parser does not have: an
 * unknown flag is named as it was typed, `-mTEXT` is `-m TEXT`, a value may begin with `-` unless it is itself a flag of
 * the command, and only a flag that is meant to repeat may be given twice.
 */
import parser from 'yargs-parser'
import {
  type Args,
  type Command,
  type Flag,
  type Flags,
  GLOBAL_FLAGS,
  type GlobalValues,
} from './command.ts'
import { nearest } from './nearest.ts'
import { UsageError } from './usage-error.ts'

/** The command's name, the first word that is no flag, and the other words in their order. */
export function splitCommand(argv: readonly string[]): { name?: string; words: readonly string[] } {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string
    if (word === '--') break
    if (!isFlag(word)) return { name: word, words: argv.toSpliced(i, 1) }
    if (word === '--store') i++
  }
  return { words: argv }
}

/** Reads the words of one command, global flags among them. Throws UsageError. */
export function readArguments(
  name: string,
  usage: string,
  command: Pick<Command, 'flags' | 'takes' | 'rest'>,
  words: readonly string[],
): { args: Args; globals: GlobalValues } {
  const flags: Flags = { ...GLOBAL_FLAGS, ...command.flags }
  const parsed = parse(spellOut(words, flags, name), flags)
  const globals = pick(GLOBAL_FLAGS, parsed) as GlobalValues
  const after = (parsed['--'] ?? []).map(String)
  const positionals = [...parsed._.map(String), ...(command.rest ? [] : after)]
  const values = pick(command.flags, parsed) as Args['values']
  if (!globals.help) checkCount(positionals, command.takes, `artifacts ${name} ${usage}`)
  return { args: { values, positionals, rest: command.rest ? after : [] }, globals }
}

/** True where one of the global flags stands among the words; for what must be known before they are understood. */
export function mentions(argv: readonly string[], flag: string): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end < 0 ? argv.length : end).includes(flag)
}

function isFlag(word: string): boolean {
  return word.startsWith('-') && word !== '-'
}

function parse(words: readonly string[], flags: Flags): parser.Arguments {
  const names = Object.keys(flags)
  const [yes, text] = [true, false].map((wanted) =>
    names.filter((name) => (flags[name]?.kind === 'yes') === wanted),
  ) as [string[], string[]]
  const { argv, error } = parser.detailed([...words], {
    boolean: yes,
    string: text,
    narg: Object.fromEntries(names.map((name) => [name, flags[name]?.kind === 'yes' ? 0 : 1])),
    configuration: {
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'populate--': true,
      'dot-notation': false,
      'boolean-negation': false,
      'camel-case-expansion': false,
    },
  })
  if (error) throw new UsageError(error.message)
  return argv
}

function spellOut(words: readonly string[], flags: Flags, command: string): string[] {
  const spelled: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string
    if (word === '--') return [...spelled, ...words.slice(i)]
    if (!isFlag(word)) {
      spelled.push(word)
      continue
    }
    for (const { name, typed, value } of flagsIn(word, flags, command)) {
      if (flags[name]?.kind === 'yes') {
        if (value !== undefined) throw new UsageError(`"${typed}" takes no value.`)
        spelled.push(`--${name}`)
      } else {
        const given = value ?? flags[name]?.bare ?? following(typed, words[++i], flags)
        spelled.push(`--${name}=${given}`)
      }
    }
  }
  return spelled
}

interface Given {
  readonly name: string
  readonly typed: string
  readonly value?: string
}

/** The flags that one word gives: a long one, or a group of letters of which the last may hold its value. */
function flagsIn(word: string, flags: Flags, command: string): Given[] {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=')
    const typed = equals < 0 ? word : word.slice(0, equals)
    const name = typed.slice(2)
    if (!Object.hasOwn(flags, name)) throw unknownFlag(typed, flags, command)
    return [{ name, typed, ...(equals < 0 ? {} : { value: word.slice(equals + 1) }) }]
  }
  const given: Given[] = []
  for (let i = 1; i < word.length; i++) {
    const typed = `-${word[i]}`
    const name = Object.keys(flags).find((key) => flags[key]?.letter === word[i])
    if (name === undefined) throw unknownFlag(typed, flags, command)
    const attached = word.slice(i + 1)
    if (attached !== '' && (flags[name]?.kind !== 'yes' || attached.startsWith('='))) {
      return [...given, { name, typed, value: attached.replace(/^=/, '') }]
    }
    given.push({ name, typed })
  }
  return given
}

/** The value after a flag. A flag of the command in its place is a value forgotten, not a text. */
function following(typed: string, word: string | undefined, flags: Flags): string {
  const forgotten =
    word === undefined ||
    word === '--' ||
    Object.entries(flags).some(
      ([name, { letter }]) =>
        word === `--${name}` || (letter !== undefined && word === `-${letter}`),
    )
  if (!forgotten) return word
  throw new UsageError(
    `"${typed}" needs a value.`,
    word === undefined ? undefined : `If the value is "${word}", write \`${typed}=${word}\`.`,
  )
}

function unknownFlag(typed: string, flags: Flags, command: string): UsageError {
  const near = nearest(typed.replace(/^-+/, ''), Object.keys(flags))
  return new UsageError(
    `"artifacts ${command}" has no flag "${typed}".`,
    near === undefined
      ? `Run \`artifacts ${command} --help\`; a file whose name begins with "-" is written after \`--\` or as \`./-name\`.`
      : `Did you mean \`--${near}\`?`,
  )
}

function pick(flags: Flags, parsed: parser.Arguments): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [name, given(name, flag, parsed[name])]),
  )
}

type Value = boolean | string | readonly string[] | undefined

function given(name: string, flag: Flag, value: unknown): Value {
  if (flag.kind === 'yes') return value !== undefined
  const all: readonly string[] = value === undefined ? [] : [value].flat().map(String)
  for (const text of all) checkChoice(name, flag, text)
  if (flag.kind === 'texts') return all
  if (all.length > 1) throw new UsageError(`"--${name}" is given ${all.length} times.`)
  return all[0]
}

function checkChoice(name: string, { choices }: Flag, text: string): void {
  if (choices === undefined || choices.includes(text)) return
  throw new UsageError(`"--${name}" cannot be "${text}".`, `Choose one of: ${choices.join(', ')}.`)
}

function checkCount(
  positionals: readonly string[],
  [least, most]: readonly [number, number],
  usage: string,
): void {
  if (positionals.length < least) {
    throw new UsageError(
      positionals.length === 0
        ? 'An argument is missing.'
        : `After "${positionals.at(-1)}" an argument is missing.`,
      `Usage: \`${usage}\``,
    )
  }
  if (positionals.length > most) {
    throw new UsageError(`"${positionals[most]}" is one argument too many.`, `Usage: \`${usage}\``)
  }
}
