/**
 * What the shell offers behind the words of an unfinished line: commands, flags, the choices of a flag, artifacts, and
 * behind a colon an artifact's versions and aliases. Offering nothing leaves the shell to offer files.
 */
import { splitCommand } from './arguments.ts'
import { type Command, type Flag, type Flags, GLOBAL_FLAGS } from './command.ts'
import { openContext } from './context.ts'
import type { Io } from './io.ts'
import { COMMANDS } from './table.ts'

/** `words`: those after the program's name; the last is the unfinished one and may be empty. */
export async function complete(words: readonly string[], io: Io): Promise<readonly string[]> {
  const current = words.at(-1) ?? ''
  const { name, words: before } = splitCommand(words.slice(0, -1))
  const command = await COMMANDS.find((entry) => entry.name === name)?.load()
  const flags: Flags = { ...command?.flags, ...GLOBAL_FLAGS }
  const candidates = await offers(name, command, flags, before, current, io)
  return candidates.filter((candidate) => candidate.startsWith(current))
}

async function offers(
  name: string | undefined,
  command: Command | undefined,
  flags: Flags,
  before: readonly string[],
  current: string,
  io: Io,
): Promise<readonly string[]> {
  const flag = flagNamed(before.at(-1), flags)
  if (flag !== undefined && flag.kind !== 'yes') return flag.choices ?? []
  if (before.includes('--')) return []
  if (current.startsWith('-')) return Object.keys(flags).map((key) => `--${key}`)
  if (name === undefined) return COMMANDS.map((entry) => entry.name)
  if (command === undefined) return []

  const { completes } = command
  const first = !before.some((word, i) => !word.startsWith('-') && !takesNext(before[i - 1], flags))
  if (typeof completes === 'object') return first ? completes : []
  if (completes === 'files' || (completes === 'first-ref' && !first)) return []
  return refs(current, io)
}

function flagNamed(word: string | undefined, flags: Flags): Flag | undefined {
  return Object.entries(flags).find(
    ([name, { letter }]) => word === `--${name}` || (letter !== undefined && word === `-${letter}`),
  )?.[1]
}

function takesNext(word: string | undefined, flags: Flags): boolean {
  const flag = flagNamed(word, flags)
  return flag !== undefined && flag.kind !== 'yes'
}

/** Without a store, or with one that cannot be read, there is nothing to offer and nobody to tell. */
async function refs(current: string, io: Io): Promise<readonly string[]> {
  const quiet = { store: undefined, json: false, quiet: true, verbose: false }
  const context = openContext(
    { ...quiet, 'no-color': true, help: false, version: false },
    io,
    false,
  )
  try {
    const store = await context.store()
    const colon = current.indexOf(':')
    if (colon >= 0) {
      const name = current.slice(0, colon)
      return store
        .versions(name)
        .flatMap(({ version, aliases }) => [...aliases, version])
        .map((selector) => `${name}:${selector}`)
    }
    const home = store.settings.get('project')
    return store
      .artifacts()
      .map(({ name, project }) => (project === home ? name : `${project}/${name}`))
  } catch {
    return []
  } finally {
    await context.close()
  }
}
