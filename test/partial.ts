/** Versions that came from another store without all of their bytes, for tests. */
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { copyRecords } from '../src/store/gc/copy.ts'
import { commitOperation } from '../src/store/index/commit-point.ts'
import { namedPacks } from '../src/store/index/pack-rows.ts'
import { packPath } from '../src/store/layout.ts'
import type { Change } from '../src/store/log/change.ts'
import type { JoiningPack } from '../src/store/log/operation.ts'
import { CHUNK } from '../src/store/object/id.ts'
import { kindOf, type PackEntry, tableEntries } from '../src/store/object/pack.ts'
import { readTable } from '../src/store/object/pack-reader.ts'
import { type Opened, openStore } from '../src/store/open.ts'

export type Wants = (entry: PackEntry) => boolean

export const nothing: Wants = () => false
export const everything: Wants = () => true
/** Nodes, recipes and version objects. */
export const metadata: Wants = ({ type }) => kindOf(type) !== CHUNK

/**
 * Takes all artifacts of the store in `from` over into the one in `to`, and of their objects those that are wanted.
 * @param whole artifacts whose versions are said to be whole
 */
export async function takeOver(
  from: string,
  to: string,
  wants: Wants,
  whole: readonly string[] = [],
): Promise<void> {
  await between(from, to, async (there, here) => {
    const { state } = there.index
    const changes: Change[] = [{ kind: 'pull', store: there.id, n: there.index.seen }]
    for (const { id: artifact, project, name, type } of state.artifacts()) {
      changes.push({ kind: 'artifact.create', artifact, project, name, type })
      const versions = state.versions(artifact)
      for (const { id: version, number, object } of versions) {
        const add = { kind: 'version.add', artifact, number, version, object } as const
        changes.push(whole.includes(name) ? add : { ...add, partial: true })
      }
      const version = versions.at(-1)?.id
      if (version === undefined) continue
      changes.push({ kind: 'alias.set', artifact, alias: 'latest', version, old: null })
    }
    await write(here, changes, await copyObjects(there, here, wants))
  })
}

/** Brings objects of partial versions; `whole`: the versions are partial no more. */
export async function fetchObjects(
  from: string,
  to: string,
  wants: Wants,
  whole: boolean,
): Promise<void> {
  await between(from, to, async (there, here) => {
    const changes = here.index.state.partialVersions().map(({ artifact, id }): Change => {
      return { kind: 'version.fetch', artifact, version: id, ...(whole && { whole }) }
    })
    await write(here, changes, await copyObjects(there, here, wants))
  })
}

async function between(
  from: string,
  to: string,
  act: (there: Opened, here: Opened) => Promise<void>,
): Promise<void> {
  const [there, here] = [await open(from), await open(to)]
  try {
    await act(there, here)
  } finally {
    there.close()
    here.close()
  }
}

function open(path: string): Promise<Opened> {
  return openStore({ root: join(path, '.artifacts'), tool: 'test/1' })
}

async function write(
  here: Opened,
  changes: readonly Change[],
  packs: JoiningPack[],
): Promise<void> {
  await commitOperation(here, { packs, plan: () => ({ changes, outcome: undefined }) })
}

async function copyObjects(there: Opened, here: Opened, wants: Wants): Promise<JoiningPack[]> {
  const made: JoiningPack[] = []
  for (const { id } of namedPacks(there.index)) {
    const table = readTable(packPath(there.layout, id))
    const offsets = tableEntries(table).flatMap((entry) => (wants(entry) ? [entry.offset] : []))
    if (offsets.length === 0) continue
    const wanted = new Set(offsets)
    const isHere = here.index.state.isNamed(id)
    copyFileSync(packPath(there.layout, id), packPath(here.layout, id))
    const source = { id, wants: (offset: number) => wanted.has(offset) }
    const pack = await copyRecords(here, [source], (each) =>
      here.index.state.isDropped(each as never),
    )
    if (pack.id !== id && !isHere) rmSync(packPath(here.layout, id))
    made.push(pack)
  }
  return made
}
