import fs from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import * as assert from 'uvu/assert'
import { createIo } from '../../../src/store/io/io.ts'
import { type Layout, layoutOf } from '../../../src/store/layout.ts'
import { fingerprint } from '../../../src/store/object/checksum.ts'
import { chunkId } from '../../../src/store/object/id.ts'
import { pathAt, WalkKind } from '../../../src/store/workspace/batch.ts'
import { readClock } from '../../../src/store/workspace/clock.ts'
import { RowState } from '../../../src/store/workspace/matched-batch.ts'
import { StatCache } from '../../../src/store/workspace/stat-cache.ts'
import { type WalkOptions, walk } from '../../../src/store/workspace/walk.ts'
import type { Content } from '../../../src/types.ts'
import { type Tree, writeTree } from '../../support/files.ts'

export const io = createIo({ durability: 'process' })
export const STORE = 'ab'.repeat(16)

export interface ScanOptions extends WalkOptions {
  readonly store?: string
  /** Called when a file has been read. */
  readonly afterReading?: () => void
}

/** A workspace with a store and files, and its stat cache, which is opened anew for each scan. */
export class Workspace {
  readonly directory: string
  readonly layout: Layout

  constructor(directory: string, tree: Tree) {
    this.directory = directory
    this.layout = layoutOf(join(directory, '.artifacts'))
    fs.mkdirSync(this.layout.tmp, { recursive: true })
    writeTree(directory, tree)
  }

  open(store: string = STORE): StatCache {
    const { directory, layout } = this
    return new StatCache({ io, path: layout.stat, store, workspace: directory })
  }

  at(path: string): string {
    return join(this.directory, path)
  }

  /** Reads what the cache is not sure of, as a commit does, and returns how it found each file. */
  scan(options: ScanOptions = {}): Record<string, number> {
    const { store = STORE, afterReading, ...selection } = options
    const clock = readClock(io, this.layout)
    const cache = this.open(store)
    const states: Record<string, number> = {}
    const partial = selection.include !== undefined
    const scan = cache.scan('', clock, { partial })
    for (const batch of walk(this.directory, selection)) {
      const matched = scan.match(batch)
      for (let index = 0; index < batch.length; index++) {
        if (batch.kinds[index] !== WalkKind.file) continue
        const path = pathAt(batch, index)
        const bytes = fs.readFileSync(this.at(path))
        afterReading?.()
        const state = matched.states[index] as number
        states[path] = state
        if (state === RowState.clean) assert.equal(matched.content(index), contentOf(bytes), path)
        else if (state === RowState.unsure && matched.hasFingerprint(index, hashOf(bytes))) {
          assert.equal(matched.content(index), contentOf(bytes), path)
          matched.confirm(index)
        } else matched.set(index, contentOf(bytes), hashOf(bytes))
      }
      scan.record(matched)
    }
    scan.finish()
    cache.close()
    return states
  }

  /** Waits until files that were just written are not racy any more. */
  settle(): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  }

  query<T>(use: (database: Database.Database) => T): T {
    const database = new Database(this.layout.stat)
    try {
      return use(database)
    } finally {
      database.close()
    }
  }
}

export function contentOf(bytes: Buffer): Content {
  if (bytes.length <= 64) return { kind: 'inline', bytes: new Uint8Array(bytes) }
  return { kind: bytes.length > 1000 ? 'recipe' : 'chunk', id: chunkId(bytes) }
}

export function hashOf(bytes: Uint8Array): Uint8Array {
  const hash = new Uint8Array(8)
  fingerprint(bytes, hash, 0)
  return hash
}
