/** Lists of what is in a folder, a thousand names at a time (docs/remote.md section 2). */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { OpenedStore } from '../../store/opened.ts'
import type { Probes } from './probes.ts'
import type { ServedLog } from './served-log.ts'

export interface Folders {
  readonly store: OpenedStore
  readonly log: ServedLog
  readonly probes: Probes
}

interface Listed {
  readonly name: string
  readonly size: number
  readonly modified: string
}

const AT_ONCE = 1000

export function listFolder(
  { store, log, probes }: Folders,
  folder: 'packs/' | 'log/' | 'probe/',
  after: string,
): { readonly files: readonly Listed[]; readonly more: boolean } {
  const { layout } = store
  const all = folder === 'probe/' ? probes.names() : namesIn(store, log, folder)
  const names = all.filter((name) => name > after).sort()
  const files: Listed[] = []
  for (const name of names.slice(0, AT_ONCE)) {
    if (folder === 'probe/') {
      const probe = probes.get(name)
      if (probe !== undefined) files.push(listed(name, probe.bytes.length, probe.modified))
      continue
    }
    // gc removes packs.
    const stat = statSync(join(layout.root, name), { throwIfNoEntry: false })
    if (stat === undefined) continue
    const size = stat.size === 0 && folder === 'log/' ? foldedSize(log, name) : stat.size
    files.push(listed(name, size, stat.mtimeMs))
  }
  return { files, more: names.length > AT_ONCE }
}

function namesIn({ layout }: OpenedStore, log: ServedLog, folder: 'packs/' | 'log/'): string[] {
  const names =
    folder === 'log/'
      ? log.names()
      : readdirSync(layout.packs).filter((name) => /^[0-9a-f]{64}\.pack$/.test(name))
  return names.map((name) => folder + name)
}

function foldedSize(log: ServedLog, name: string): number {
  const body = log.operation(Number(name.slice('log/'.length, -'.json'.length)))
  body?.close?.()
  return body?.size ?? 0
}

function listed(name: string, size: number, modified: number): Listed {
  return { name, size, modified: new Date(modified).toISOString() }
}
