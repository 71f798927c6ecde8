#!/usr/bin/env node
/** The program: joins the process with `main`. The only file that knows the process, its streams, signals and environment. */
import { writeSync } from 'node:fs'
import { VERSION } from './version.ts'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
const argv = process.argv.slice(2)
if (argv.length === 1 && argv[0] === '--version') writeSync(1, `artifacts ${VERSION}\n`)
else await run()

async function run(): Promise<void> {
  const [{ main }, { OutputClosed, readEnvironment }] = await Promise.all([
    import('./main.ts'),
    import('./io.ts'),
  ])
  const { stdout, stderr } = process
  // A failing write is told to the one who wrote; on standard error there is nobody to tell.
  stdout.on('error', () => {})
  stderr.on('error', () => {})

  const controller = new AbortController()
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130)
      controller.abort()
    })
  }
  let reading = false

  process.exitCode = await main(argv, {
    write: (piece) =>
      new Promise((resolve, reject) => {
        stdout.write(piece, (error) => {
          if (!error) resolve()
          else if (isClosed(error)) reject(new OutputClosed())
          else reject(Object.assign(error, { path: 'standard output' }))
        })
      }),
    note: (text) => {
      stderr.write(text)
    },
    stdin: () => {
      reading = true
      // Whoever waits for more input hears of the interruption by it.
      controller.signal.addEventListener('abort', () => {
        process.stdin.destroy(controller.signal.reason)
      })
      return process.stdin
    },
    spawn: async (command, { cwd, variables }) => {
      const { runChild } = await import('./child.ts')
      const terminated = (listener: () => void): (() => void) => {
        process.on('SIGTERM', listener)
        return () => process.off('SIGTERM', listener)
      }
      return runChild(command, { cwd, variables: { ...process.env, ...variables }, terminated })
    },
    // Fails in a directory that was deleted; only what needs it should.
    get cwd() {
      return process.cwd()
    },
    endOnSignal: () => {
      for (const signal of SIGNALS) process.removeAllListeners(signal)
    },
    environment: readEnvironment(process.env),
    signal: controller.signal,
    terminal: {
      stdout: stdout.isTTY === true,
      stderr: stderr.isTTY === true,
      // A terminal that was never told its size says 0.
      columns: stderr.columns || stdout.columns || 80,
    },
    platform: `node ${process.version}, ${process.platform}-${process.arch}`,
    now: Date.now,
  })
  // An input that was not read to its end would keep the process waiting for it.
  if (reading) process.stdin.destroy()
}

function isClosed(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED'
}
