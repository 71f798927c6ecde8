/** `run exec`: a program in a run, with its inputs where it is told, and its outputs stored when it succeeds. */
import { existsSync } from 'node:fs'
import type { Run, RunSummary, Store } from '../index.ts'
import type { Answer, Context } from './command.ts'
import { contents, lapse, listed } from './render.ts'
import { UsageError } from './usage-error.ts'

export interface ExecOptions {
  readonly command: readonly string[]
  /** `REF[=DIR]`. */
  readonly inputs: readonly string[]
  /** `[TYPE/]NAME=PATH`. */
  readonly outputs: readonly string[]
  readonly keepFailed: boolean
  /** Starts the run. */
  readonly start: () => Promise<Run>
  /** Of the run; default: the store's. */
  readonly project: string | undefined
}

/** What is printed on standard error with `--json`. */
export interface ExecReport extends RunSummary {
  readonly type: 'run'
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** Answers with the program's exit code and prints nothing: standard output is the program's. */
export async function exec(store: Store, options: ExecOptions, context: Context): Promise<Answer> {
  const { command, start, project } = options
  const inputs = await readInputs(options.inputs, project)
  const outputs = options.outputs.map(readOutput)
  // Whatever can go wrong before the program starts goes wrong before there is a run.
  const variables = await layOut(store, inputs, context)
  const run = await start()
  try {
    await run.useArtifacts(inputs.map(({ ref }) => ref))
    const cwd = context.io.cwd
    const code = await context.io.spawn(command, {
      cwd,
      variables: { ...variables, ARTIFACTS_RUN: run.id },
    })
    if (code === 127 || code === 126) {
      const why = code === 127 ? 'could not be found' : 'could not be run'
      context.remark(`"${command[0]}" ${why}, or ended with ${code}.`)
    }
    const logged: string[] = []
    if (code === 0 || options.keepFailed) {
      for (const output of outputs) {
        if (code !== 0 && !existsSync(context.resolve(output.path))) continue
        logged.push(await log(store, run, output, context))
      }
    }
    await run.finish({ failed: code !== 0, exitCode: code })
    tell(run, inputs, logged, context)
    return { code, bytes: [] }
  } catch (error) {
    if (run.state === 'running') await run.finish({ failed: true })
    throw error
  }
}

interface Input {
  readonly ref: string
  readonly dir: string | undefined
}

/** Names without a project mean the run's. */
async function readInputs(texts: readonly string[], project: string | undefined): Promise<Input[]> {
  const { formatRef, parseRef } = await import('../index.ts')
  return texts.map((text) => {
    const equals = text.indexOf('=')
    const parsed = parseRef(equals < 0 ? text : text.slice(0, equals))
    const isBare = parsed.name !== undefined && parsed.project === undefined
    const ref = formatRef({ ...parsed, ...(isBare && project !== undefined ? { project } : {}) })
    const dir = equals < 0 ? undefined : text.slice(equals + 1)
    if (dir === '') throw new UsageError(`"--in ${text}" names no directory.`)
    return { ref, dir }
  })
}

interface Output {
  readonly type: string | undefined
  readonly name: string
  readonly path: string
}

function readOutput(text: string): Output {
  const [, type, name = '', path = ''] = /^(?:([^/=]*)\/)?([^/=]+)=(.+)$/s.exec(text) ?? []
  if (name === '' || type === '') {
    throw new UsageError(
      `"--out ${text}" is not understood.`,
      'Write it as `--out model/bike=model.pt`: type, name and path.',
    )
  }
  return { type, name, path }
}

/** Puts the inputs where the program finds them; returns the variables that say where. */
async function layOut(
  store: Store,
  inputs: readonly Input[],
  context: Context,
): Promise<Record<string, string>> {
  const variables: Record<string, string> = {}
  // Whoever says where to put one knows where it is.
  for (const { ref, dir } of inputs.toSorted(
    (a, b) => Number(b.dir === undefined) - Number(a.dir === undefined),
  )) {
    const { artifact } = store.version(ref)
    const variable = `ARTIFACTS_IN_${artifact.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
    if (dir !== undefined) {
      const path = context.resolve(dir)
      await store.checkout(ref, path, context.operation)
      variables[variable] ??= path
      continue
    }
    if (variables[variable] !== undefined) {
      throw new UsageError(
        `Two inputs would be in ${variable}.`,
        `Say where to put one of them: \`--in ${ref}=DIR\`.`,
      )
    }
    variables[variable] = (await store.localPath(ref, context.operation)).path
  }
  return variables
}

async function log(
  store: Store,
  run: Run,
  { type, name, path }: Output,
  context: Context,
): Promise<string> {
  // A program that ends well when it is interrupted has made what it was to make.
  const { onProgress } = context.operation
  const { ref } = await store.commit([path], {
    name,
    ...(type === undefined ? {} : { type }),
    run: run.id,
    cwd: context.io.cwd,
    onProgress,
  })
  return ref
}

function tell(
  run: Run,
  inputs: readonly Input[],
  logged: readonly string[],
  context: Context,
): void {
  const facts = run.toJSON()
  const refs = run
    .edges()
    .filter(({ direction }) => direction === 'input')
    .map(({ ref }) => ref)
  if (context.json) {
    const report: ExecReport = { type: 'run', ...facts, inputs: refs, outputs: logged }
    context.io.note(`${JSON.stringify(report)}\n`)
    return
  }
  const { id, name, state, startedAt, endedAt = startedAt, exitCode = 0 } = facts
  const took = lapse(Date.parse(endedAt) - Date.parse(startedAt))
  const end = state === 'failed' ? `failed with ${exitCode}` : 'finished'
  const called = name === undefined ? id : `${name} (${id})`
  const used = inputs.length === 0 ? '' : ` It used ${listed(refs)}.`
  const made = run
    .edges()
    .filter(({ ref }) => logged.includes(ref))
    .map((edge) => `${edge.ref} (${contents({ files: edge.files ?? 0, bytes: edge.bytes ?? 0 })})`)
  const outputs = logged.length === 0 ? '' : ` It logged ${listed([...new Set(made)])}.`
  context.remark(`Run ${called} ${end} after ${took}.${used}${outputs}`)
}
