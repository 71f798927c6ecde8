/** A bare store's directories and a folder for files: what readers, pools and packs need, and no more. */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { IdSet } from '../../../src/store/ingest/id-set.ts'
import type { PoolOptions } from '../../../src/store/ingest/pool.ts'
import type { FileStat, FilesJob, WrittenPack } from '../../../src/store/ingest/protocol.ts'
import { type Layout, layoutOf, packPath } from '../../../src/store/layout.ts'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { cutBuffer } from '../../../src/store/object/chunker.ts'
import { tableEntries } from '../../../src/store/object/pack.ts'
import { readTable } from '../../../src/store/object/pack-reader.ts'
import { temporaryDirectory } from '../../support/temp.ts'

export interface Room extends AsyncDisposable {
  readonly layout: Layout
  /** For a pool that stores each chunk once. */
  readonly options: PoolOptions
  /** Writes a file and returns its path. */
  write(name: string, content: string | Uint8Array): string
}

export async function ingestRoom(): Promise<Room> {
  await loadHashes()
  const directory = await temporaryDirectory()
  const layout = layoutOf(join(directory.path, '.artifacts'))
  for (const path of [layout.packs, layout.tmp]) fs.mkdirSync(path, { recursive: true })
  const seen = new IdSet()
  return {
    layout,
    options: {
      root: layout.root,
      durability: 'process',
      decide: (ids, lengths) =>
        Uint8Array.from(lengths, (_, index) => (seen.add(ids, index * 32) ? 1 : 0)),
    },
    write(name, content) {
      const path = join(directory.path, name)
      fs.writeFileSync(path, content)
      return path
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

export function statOf(path: string): FileStat {
  const { size, mtimeMs, ctimeMs, ino } = fs.statSync(path)
  return { size, mtimeMs, ctimeMs, ino }
}

/** A job that reads these files as they are now. */
export function filesJob(paths: readonly string[], store = true): FilesJob {
  const stats = paths
    .map(statOf)
    .flatMap(({ size, mtimeMs, ctimeMs, ino }) => [size, mtimeMs, ctimeMs, ino])
  return { kind: 'files', paths, stats: Float64Array.from(stats), notBefore: 0, store }
}

/** Ids of what lies in packs, in ascending order. */
export function storedIds(layout: Layout, packs: readonly WrittenPack[]): string[] {
  const entries = packs.flatMap(({ id }) => tableEntries(readTable(packPath(layout, id))))
  return entries.map(({ id }) => id.toString('hex')).sort()
}

/** Ids of the chunks of a file with these bytes. */
export function chunkIds(bytes: Uint8Array): string[] {
  let start = 0
  return cutBuffer(bytes).map((end) => {
    const chunk = bytes.subarray(start, end)
    start = end
    return sha256(chunk)
  })
}

export function hexIds(ids: Uint8Array): string[] {
  const hex = Buffer.from(ids).toString('hex')
  return hex.match(/.{64}/g) ?? []
}

export function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
