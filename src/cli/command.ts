/**
 * What a command is: data that arguments, help, completion and docs/cli.md are made from, and one function that asks
 * the library and returns an answer. A command never prints; `print.ts` does, as text or as JSON.
 */
import type { FsckOptions, FsckReport, OperationOptions, Store } from '../index.ts'
import type { Io } from './io.ts'
import type { Style } from './render.ts'

/** A flag; `kind` says how often it may be given and whether a value follows. */
export interface Flag<Kind extends 'yes' | 'text' | 'texts' = 'yes' | 'text' | 'texts'> {
  readonly kind: Kind
  readonly describe: string
  readonly letter?: string | undefined
  /** What the value is called in usage, as `NAME`. */
  readonly value?: string
  /** What the flag means without a value; one that is given then is joined with `=`. */
  readonly bare?: string
  readonly choices?: readonly string[]
}
export type Flags = Readonly<Record<string, Flag>>

/** A flag that is there or not. */
export function yes(describe: string, letter?: string): Flag<'yes'> {
  return { kind: 'yes', describe, letter }
}

/** A flag with one value. */
export function text(value: string, describe: string, letter?: string): Flag<'text'> {
  return { kind: 'text', value, describe, letter }
}

/** A flag with a value that may be left out: `--data`, `--data=5%`. */
export function optional(value: string, bare: string, describe: string): Flag<'text'> {
  return { kind: 'text', value, bare, describe }
}

/** A flag that may be given several times, each with one value. */
export function texts(value: string, describe: string, letter?: string): Flag<'texts'> {
  return { kind: 'texts', value, describe, letter }
}

/** A flag with one of a few values. */
export function choice<const Choice extends string>(
  value: string,
  choices: readonly Choice[],
  describe: string,
): Flag<'text'> & { readonly choices: readonly Choice[] } {
  return { kind: 'text', value, choices, describe }
}

/** What a person gave for each flag: always text, as typed. */
export type Values<F extends Flags> = {
  readonly [Name in keyof F]: F[Name]['kind'] extends 'yes'
    ? boolean
    : F[Name]['kind'] extends 'texts'
      ? readonly string[]
      : F[Name] extends { readonly choices: readonly (infer Choice)[] }
        ? Choice | undefined
        : string | undefined
}

export interface Args<F extends Flags = Flags> {
  readonly values: Values<F>
  readonly positionals: readonly string[]
  /** What stands after `--`, where the command gives that a meaning of its own. */
  readonly rest: readonly string[]
}

/** What standard output gets: bytes as they are, or one thing as JSON and as text, each whole or line by line. */
export type Answer = { readonly code?: number } & (
  | { readonly bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array | string> }
  | (({ readonly value: unknown } | { readonly records: Iterable<object> }) &
      ({ readonly text: string } | { readonly lines: Iterable<string> }))
)

export interface Context {
  readonly io: Io
  readonly json: boolean
  readonly quiet: boolean
  /** How names and changes look on this standard output. */
  readonly style: Style
  /** Signal and progress, for library calls that can take long. */
  readonly operation: OperationOptions
  /** The store that the flags, the environment or the current directory lead to; opened once. */
  readonly store: () => Promise<Store>
  /** Examines that store, also where it can't be opened. */
  readonly fsck: (options: FsckOptions) => Promise<FsckReport>
  /** The `.artifacts` directory that was named, absolute; for the command that makes one. */
  readonly storeDir: string | undefined
  /** A remark for people, on standard error; silent with `-q`. */
  readonly remark: (text: string) => void
  /** An absolute path for one that was typed. */
  readonly resolve: (path: string) => string
}

export interface Command {
  readonly flags: Flags
  /** How many positional arguments it takes: least and most. */
  readonly takes: readonly [number, number]
  /** Whether `-- PATH...` follows; elsewhere `--` only ends the flags. */
  readonly rest: boolean
  /** What the shell offers for positional arguments; words for the first one only. */
  readonly completes: 'refs' | 'first-ref' | 'files' | readonly string[]
  /** Paragraphs for help and docs. */
  readonly details: readonly string[]
  /** Command line and what it does. */
  readonly examples: readonly (readonly [string, string])[]
  /** Exit codes beside those that every command can end with. */
  readonly ends: readonly number[]
  /** The fields of each JSON value, with spaces between; `?` marks those that may be absent. */
  readonly json: Readonly<Record<string, string>>
  readonly run: (args: Args, context: Context) => Promise<Answer>
}

interface Definition<F extends Flags> {
  readonly flags: F
  readonly takes: readonly [number, number]
  readonly rest?: boolean
  readonly completes?: Command['completes']
  readonly details?: readonly string[]
  readonly examples: Command['examples']
  readonly json?: Command['json']
  readonly ends?: Command['ends']
  readonly run: (args: Args<F>, context: Context) => Promise<Answer>
}

/** Gives `run` the types of the flags it declares, and fills in what most commands leave out. */
export function defineCommand<const F extends Flags>(definition: Definition<F>): Command {
  return {
    rest: false,
    completes: 'files',
    details: [],
    json: {},
    ends: [],
    ...definition,
    run: (args, context) => definition.run(args as unknown as Args<F>, context),
  }
}

type GlobalFlags = Readonly<
  Record<'store', Flag<'text'>> &
    Record<'json' | 'quiet' | 'verbose' | 'no-color' | 'help' | 'version', Flag<'yes'>>
>
export type GlobalValues = Values<GlobalFlags>

/** The flags that every command has. */
export const GLOBAL_FLAGS: GlobalFlags = {
  store: text('DIR', 'The .artifacts directory; else ARTIFACTS_STORE, else found by walking up'),
  json: yes('Answer in JSON; errors too'),
  quiet: yes('No remarks, no progress', 'q'),
  verbose: yes('Errors with their causes', 'v'),
  'no-color': yes('No colours (NO_COLOR does the same)'),
  help: yes('Explain the command', 'h'),
  version: yes("Print the program's version"),
}
