import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface Options {
  readonly dir: string
  readonly only: readonly string[] | undefined
  readonly tools: readonly string[] | undefined
  readonly rounds: number
  readonly scale: number
  readonly json: string | undefined
  readonly keep: boolean
}

export const USAGE = `npm run bench -- [options]
  --only small,table     these workloads and probes
  --tools ours,git       these tools (borg-zstd runs only when named)
  --rounds N             rounds of each workload (5)
  --scale X              a part of every workload, such as 0.01, to try the bench itself
  --dir DIR              everything is made in DIR/artifacts-bench (the system's temporary folder)
  --json FILE            every sample, for other programs
  --keep                 leave workloads, stores and restored trees where they are`

/** @throws Error that says which argument it does not understand */
export function optionsOf(args: readonly string[], known: KnownNames): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      tools: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      scale: { type: 'string', default: '1' },
      dir: { type: 'string', default: tmpdir() },
      json: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  })
  return {
    dir: resolve(values.dir),
    only: listOf('only', values.only, known.parts),
    tools: listOf('tools', values.tools, known.tools),
    rounds: positive('rounds', values.rounds),
    scale: positive('scale', values.scale),
    json: values.json === undefined ? undefined : resolve(values.json),
    keep: values.keep,
  }
}

export interface KnownNames {
  readonly parts: readonly string[]
  readonly tools: readonly string[]
}

function listOf(
  option: string,
  value: string | undefined,
  known: readonly string[],
): readonly string[] | undefined {
  const names = value?.split(',')
  for (const name of names ?? []) {
    if (!known.includes(name))
      throw new Error(`--${option} "${name}" is none of ${known.join(' ')}`)
  }
  return names
}

function positive(option: string, value: string): number {
  const number = Number(value)
  if (number > 0 && Number.isFinite(number)) return number
  throw new Error(`--${option} "${value}" is not a number above 0`)
}
