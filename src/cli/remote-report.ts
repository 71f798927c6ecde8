/** What was found out about a remote, in lines and as a record. */
import type { RemoteCheck, Verdict } from '../index.ts'
import { count, lapse, type Style, thousands } from './render.ts'

/** One line each: what lies there, how far it is, what may be done with it. */
export function remoteLines(check: RemoteCheck, style: Style): string {
  const lines = [
    ...(check.problem === undefined ? found(check) : failed(check.problem, style)),
    ...(check.exposed ? [['token', EXPOSED] as const] : []),
  ]
  const width = Math.max(...lines.map(([label]) => label.length))
  return lines.map(([label, text]) => `  ${label.padEnd(width)}  ${text}\n`).join('')
}

/** As JSON has it: a problem like any error, times in whole microseconds at most. */
export function remoteRecord({ problem, latencyMs, ...facts }: RemoteCheck): object {
  return {
    ...facts,
    ...(latencyMs === undefined ? {} : { latencyMs: Math.round(latencyMs * 1000) / 1000 }),
    ...(problem === undefined ? {} : { problem: problem.toJSON() }),
  }
}

const EXPOSED =
  'goes there unencrypted: whoever is on the way can read it, and use it; a server with https keeps it'

type Line = readonly [string, string]

function failed(
  { message, hint }: Error & { readonly hint?: string | undefined },
  { name }: Style,
): Line[] {
  return [
    ['problem', name(message)],
    ...(hint === undefined ? [] : [['hint', name(hint)] as const]),
  ]
}

function found(check: RemoteCheck): Line[] {
  const { store, format, operations = 0, latencyMs = 0 } = check
  const there =
    store === undefined
      ? 'none yet; the first push makes one'
      : `${store}, format ${format}, ${count(operations, 'operation')}`
  return [
    ['store', there],
    ['answers in', latencyMs < 1 ? 'less than 1 ms' : `${thousands(Math.round(latencyMs))} ms`],
    ['pushing', pushing(check)],
    ...(check.deletes === undefined ? [] : [['deleting', deleting(check.deletes)] as const]),
    ...(check.clockMs === undefined ? [] : [['clock', clock(check.clockMs)] as const]),
  ]
}

const BROKEN: Readonly<Record<Exclude<Verdict, 'atomic'>, string>> = {
  refuses: 'it refuses to make a file only where there is none (refuses)',
  ignores:
    'it overwrites a file although it was told to make it only where there is none (ignores)',
  racy: 'of two who make one file at once, it tells both that they won (racy)',
}

/** What the verdict means for who wants to push. */
function pushing({ name, obstacle, verdict, singleWriter }: RemoteCheck): string {
  if (obstacle === 'read-only') return 'no: it can only be read'
  if (obstacle === 'denied') return 'no: with these credentials it can only be read'
  if (obstacle === 'store') return 'no: it is a store that somebody works in, and can only be read'
  if (verdict === undefined) return 'the first push finds out'
  if (verdict === 'atomic') return 'any number of machines at a time (atomic)'
  return singleWriter
    ? `one machine at a time, as was promised; ${BROKEN[verdict]}`
    : `refused: ${BROKEN[verdict]}, so two pushes at once could lose one; where one machine alone pushes: \`artifacts config set remote.${name}.single-writer true\``
}

function deleting(isAllowed: boolean): string {
  return isAllowed ? 'allowed' : 'not allowed: gc can free nothing there, and files of probes stay'
}

function clock(ahead: number): string {
  if (Math.abs(ahead) < 1500) return 'as here'
  const by = lapse(Math.abs(ahead))
  return ahead > 0 ? `${by} ahead of this one` : `${by} behind this one`
}
