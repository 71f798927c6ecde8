/** Runs the program in this process, with everything it prints collected. */

import { runChild } from '../../src/cli/child.ts'
import { type Environment, type Io, readEnvironment } from '../../src/cli/io.ts'
import { main } from '../../src/cli/main.ts'

export interface Called {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Surroundings {
  readonly cwd?: string
  readonly environment?: Partial<Environment>
  /** Both outputs are terminals of this width. */
  readonly columns?: number
  readonly stdin?: string
  readonly signal?: AbortSignal
  readonly now?: () => number
  readonly write?: Io['write']
  readonly spawn?: Io['spawn']
}

/** `call(['ls', '--json'], { cwd })` */
export async function call(argv: readonly string[], around: Surroundings = {}): Promise<Called> {
  const printed: Uint8Array[] = []
  let stderr = ''
  const terminal = around.columns !== undefined
  const code = await main(argv, {
    write:
      around.write ??
      (async (piece) => {
        printed.push(Buffer.from(piece))
      }),
    note: (text) => {
      stderr += text
    },
    stdin: async function* () {
      yield Buffer.from(around.stdin ?? '')
    },
    spawn:
      around.spawn ??
      ((command, { cwd, variables }) =>
        runChild(command, {
          cwd,
          variables: { ...process.env, ...variables },
          terminated: () => () => {},
        })),
    endOnSignal: () => {},
    cwd: around.cwd ?? '/nowhere',
    environment: { ...readEnvironment({}), ...around.environment },
    signal: around.signal ?? new AbortController().signal,
    terminal: { stdout: terminal, stderr: terminal, columns: around.columns ?? 80 },
    platform: 'node v20, test',
    now: around.now ?? Date.now,
  })
  return { code, stdout: Buffer.concat(printed).toString(), stderr }
}

/** Like `call`, for what must succeed; returns what was printed. */
export async function run(argv: readonly string[], around: Surroundings = {}): Promise<string> {
  const { code, stdout, stderr } = await call(argv, around)
  if (code !== 0) throw new Error(`artifacts ${argv.join(' ')} ended with ${code}: ${stderr}`)
  return stdout
}
