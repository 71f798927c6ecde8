/** Running a program in place: it has our standard streams, and its end is told by an exit code as a shell would. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

export interface ChildOptions {
  readonly cwd: string
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Passed on to the program; the terminal itself sends Ctrl-C to both. */
  readonly terminated: (listener: () => void) => () => void
}

/** The exit code: 127 where there is no such program, 126 where it can't be run, 128 and more for a signal. */
export function runChild(
  [program = '', ...args]: readonly string[],
  { cwd, variables, terminated }: ChildOptions,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...variables }, stdio: 'inherit' })
    const forget = terminated(() => void child.kill('SIGTERM'))
    child.once('error', (error: NodeJS.ErrnoException) => {
      forget()
      if (error.code === 'ENOENT') resolve(127)
      else if (error.code === 'EACCES' || error.code === 'ENOEXEC') resolve(126)
      else reject(error)
    })
    child.once('exit', (code, signal) => {
      forget()
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}
