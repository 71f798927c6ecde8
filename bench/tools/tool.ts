/** What the bench asks of a tool: command lines. Only the running of those that a step names is timed. */
import { spawnSync } from 'node:child_process'

export const TOOL_NAMES: readonly ToolName[] = [
  'ours',
  'git',
  'git-lfs',
  'restic',
  'borg',
  'borg-zstd',
  'cp',
]
export type ToolName = 'ours' | 'git' | 'git-lfs' | 'restic' | 'borg' | 'borg-zstd' | 'cp'

/** The tools that a target against "the fastest" means. */
export const PEERS: readonly ToolName[] = ['git', 'git-lfs', 'restic', 'borg']

export type Label = 'v1' | 'again' | 'v2'

/** Where one tool works in one round: a new place each time. */
export interface Place {
  readonly data: string
  readonly store: string
  /** Caches, homes and settings of the tool: never those of the person who runs the bench. */
  readonly home: string
  readonly env: Readonly<Record<string, string>>
}

export interface Command {
  readonly argv: readonly [string, ...string[]]
  readonly cwd: string
}

export interface Tool {
  readonly name: ToolName
  /** The line the tool prints of itself, or undefined where it is not installed. */
  version(): string | undefined
  /** Makes an empty store; not timed. */
  init(place: Place): void
  commit?(place: Place, label: Label): Command
  diff?(place: Place): Command
  /** Writes v2 into the empty directory `into`. */
  restore(place: Place, into: string): Command
  /** What is counted as the stored size; the store where this is absent. */
  stored?(place: Place): readonly string[]
}

/** The first line of `command --version`, or undefined where there is no such command. */
export function versionLine(command: string, ...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n')[0] : undefined
}

/** Runs a step that is not timed. Throws an `Error` with what the command printed. */
export function run(place: Place, cwd: string, ...argv: readonly [string, ...string[]]): string {
  const [command, ...args] = argv
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: place.env,
    encoding: 'utf8',
    maxBuffer: 256e6,
  })
  if (status === 0) return stdout
  throw new Error(`"${argv.join(' ')}" failed: ${stderr || stdout}`, { cause: error })
}
