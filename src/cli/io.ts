/** What the program knows of the world around it. `bin.ts` makes one from the process, a test from two strings. */
export interface Io {
  /** Resolves when the reader has taken the piece; rejects with OutputClosed when there is no reader any more. */
  readonly write: (piece: string | Uint8Array) => Promise<void>
  /** Standard error, as it is. */
  readonly note: (text: string) => void
  /** Standard input; opened only by the command that reads it. */
  readonly stdin: () => AsyncIterable<Uint8Array>
  /** Runs a program with our standard streams and these variables beside ours; resolves with its exit code. */
  readonly spawn: (
    command: readonly string[],
    options: { readonly cwd: string; readonly variables: Readonly<Record<string, string>> },
  ) => Promise<number>
  readonly cwd: string
  readonly environment: Environment
  /** From here on a signal ends the process at once: for work that changes nothing and can't be asked to stop. */
  readonly endOnSignal: () => void
  readonly signal: AbortSignal
  /** Whether a person looks at the stream. */
  readonly terminal: {
    readonly stdout: boolean
    readonly stderr: boolean
    readonly columns: number
  }
  /** Program, version and system it runs on, for reports. */
  readonly platform: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** The variables that mean something to the program, by what they mean. */
export interface Environment {
  /** The `.artifacts` directory to use. */
  readonly store: string | undefined
  readonly cacheDir: string | undefined
  readonly entity: string | undefined
  /** The run that the program was started in. */
  readonly run: string | undefined
  readonly shell: string | undefined
  /** All of them, for what reads its own: credentials and endpoints of other places. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** True and false overrule what is found out about the terminal. */
  readonly color: boolean | undefined
}

/** The reader of standard output went away, as `head` does; nobody is left to be told. */
export class OutputClosed extends Error {}

/** Reads the environment; a variable set to nothing counts as not set. */
export function readEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
): Environment {
  const value = (name: string): string | undefined => variables[name] || undefined
  const force = value('FORCE_COLOR')
  return {
    store: value('ARTIFACTS_STORE'),
    cacheDir: value('ARTIFACTS_CACHE'),
    entity: value('ARTIFACTS_ENTITY'),
    run: value('ARTIFACTS_RUN'),
    shell: value('SHELL'),
    variables,
    color:
      value('NO_COLOR') !== undefined || value('TERM') === 'dumb' || force === '0'
        ? false
        : force === undefined
          ? undefined
          : true,
  }
}
