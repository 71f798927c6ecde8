/**
 * Finds out whether a remote keeps the promise that everything rests on: of all who make one file where there is none,
 * one is told so (docs/remote.md section 3). Nobody's word counts, because servers that ignore the condition are silent,
 * and some that know it check first and write then.
 */
import { randomBytes } from 'node:crypto'
import { ArtifactsError } from '../errors.ts'
import { type Backend, type RequestOptions, readAll } from './backend.ts'
import { bytesSource } from './source.ts'

export type Verdict = 'atomic' | 'refuses' | 'ignores' | 'racy'

export interface Probe {
  readonly verdict: Verdict
  /** Names that the remote did not let go. */
  readonly left: readonly string[]
}

const ROUNDS = 4
const AT_ONCE = 8
const SMALL = 64
const LARGE = 64 * 1024

/**
 * @param backend one that tries again what passes, and lets eight requests run at once
 * @throws ArtifactsError ERR_READ_ONLY, ERR_REMOTE_DENIED, ERR_REMOTE_UNREACHABLE: then there is no verdict
 */
export async function probe(backend: Backend, options: RequestOptions = {}): Promise<Probe> {
  const names: string[] = []
  const newName = (): string => {
    const name = `probe/${randomBytes(16).toString('hex')}`
    names.push(name)
    return name
  }
  let verdict: Verdict
  try {
    verdict = await judge(backend, newName, options)
  } catch (error) {
    await clear(backend, names)
    throw error
  }
  return { verdict, left: await clear(backend, names) }
}

async function judge(
  backend: Backend,
  newName: () => string,
  options: RequestOptions,
): Promise<Verdict> {
  const name = newName()
  const [first, second] = [randomBytes(SMALL), randomBytes(SMALL)]
  const answer = await make(backend, name, first, options)
  if (answer === 'refused') {
    // Or does it take no files at all?
    await backend.put(name, bytesSource(first), options)
    return 'refuses'
  }
  if (answer === 'exists') throw haunted(backend, name)
  const again = await make(backend, name, second, options)
  if (again === 'refused') return 'refuses'
  if (again === 'created') return 'ignores'
  if (!(await holds(backend, name, first, options))) return 'ignores'
  for (let round = 0; round < ROUNDS; round++) {
    if (!(await race(backend, newName(), options))) return 'racy'
  }
  return 'atomic'
}

/** True when one of all who try at once is told that it won, and its bytes are there. */
async function race(backend: Backend, name: string, options: RequestOptions): Promise<boolean> {
  const bodies = Array.from({ length: AT_ONCE }, () => randomBytes(LARGE))
  const answers = await Promise.all(bodies.map((body) => make(backend, name, body, options)))
  const winners = bodies.filter((_, i) => answers[i] === 'created')
  const [winner] = winners
  if (winner === undefined || winners.length > 1 || answers.includes('refused')) return false
  return holds(backend, name, winner, options)
}

async function make(
  backend: Backend,
  name: string,
  body: Buffer,
  options: RequestOptions,
): Promise<'created' | 'exists' | 'refused'> {
  try {
    return await backend.putIfAbsent(name, bytesSource(body), options)
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_UNSUPPORTED') return 'refused'
    throw error
  }
}

async function holds(
  backend: Backend,
  name: string,
  bytes: Buffer,
  options: RequestOptions,
): Promise<boolean> {
  return bytes.equals(await readAll(backend, name, { most: LARGE, ...options }))
}

/** Removes what the probe made, as far as the remote lets it; returns the rest. */
async function clear(backend: Backend, names: readonly string[]): Promise<string[]> {
  const left: string[] = []
  for (const name of names) {
    try {
      await backend.delete(name)
    } catch (error) {
      if (!(error instanceof ArtifactsError)) throw error
      left.push(name)
    }
  }
  return left
}

function haunted(backend: Backend, name: string): ArtifactsError {
  return new ArtifactsError(
    'ERR_REMOTE_DENIED',
    `"${backend.address}" says that "${name}" exists, which nobody has made.`,
    { hint: 'Check the address: this is no remote, or it takes no files.' },
  )
}
