/** What a store consists of, counted: objects by kind, packs, files on disk. */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../errors.ts'
import type { Source } from './index/state.ts'
import type { Layout } from './layout.ts'
import { KIND_NAMES } from './object/id.ts'

export interface ObjectCounts {
  readonly kind: (typeof KIND_NAMES)[number]
  /** Different ones. */
  readonly objects: number
  /** Their bytes before compression. */
  readonly bytes: number
  /** Bytes that they take in packs, further copies of the same object included. */
  readonly storedBytes: number
  /** Further copies. */
  readonly copies: number
}

export interface PackCounts {
  readonly packs: number
  readonly bytes: number
  /** Missing or damaged, as far as was noticed. */
  readonly unreadable: number
}

export interface DiskCounts {
  /** Files and directories: each takes an inode. */
  readonly inodes: number
  readonly bytes: number
  /** What they take on the disk, as `du` counts. */
  readonly diskBytes: number
}

const OBJECTS = `
SELECT type >> 4 AS kind, sum(is_first) AS objects, sum(iif(is_first, raw, 0)) AS bytes,
       sum(stored) AS storedBytes, sum(1 - is_first) AS copies
FROM (
  SELECT type, raw, stored,
         object.pack = (SELECT min(other.pack) FROM object AS other WHERE other.id = object.id) AS is_first
  FROM object JOIN pack ON pack.id = object.pack
  WHERE pack.state = 'present' AND pack.operation IS NOT NULL
)
GROUP BY kind ORDER BY kind`

/** All objects that can be read, by kind. */
export function countObjects(index: Source): ObjectCounts[] {
  type Row = Omit<ObjectCounts, 'kind'> & { readonly kind: number }
  const rows = index.read((connection) => connection.all<Row>(OBJECTS))
  return KIND_NAMES.map((kind, number) => {
    const row = rows.find((each) => each.kind === number)
    return { ...(row ?? { objects: 0, bytes: 0, storedBytes: 0, copies: 0 }), kind }
  })
}

/** The packs that the log names. */
export function countPacks(index: Source): PackCounts {
  const none = { packs: 0, bytes: 0, unreadable: 0 }
  return index.read(
    (connection) =>
      connection.get<PackCounts>(
        `SELECT count(*) AS packs, ifnull(sum(bytes), 0) AS bytes,
                ifnull(sum(state <> 'present'), 0) AS unreadable
         FROM pack WHERE operation IS NOT NULL AND state <> 'dropped'`,
      ) ?? none,
  )
}

/** Everything in the `.artifacts` directory, itself included. */
export function countFiles({ root }: Layout): DiskCounts {
  const counts = { inodes: 0, bytes: 0, diskBytes: 0 }
  /** A file with several names has one inode. */
  const linked = new Set<number>()
  countInto(counts, root, linked)
  return counts
}

type Counting = { -readonly [Name in keyof DiskCounts]: number }

function countInto(counts: Counting, path: string, linked: Set<number>): void {
  // Others may be at work: what goes meanwhile does not count.
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (stat.nlink > 1 && !stat.isDirectory()) {
    if (linked.has(stat.ino)) return
    linked.add(stat.ino)
  }
  counts.inodes++
  counts.diskBytes += stat.blocks * 512
  if (!stat.isDirectory()) {
    counts.bytes += stat.size
    return
  }
  try {
    for (const name of readdirSync(path)) countInto(counts, join(path, name), linked)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}
