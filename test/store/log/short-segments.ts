/** A store whose segments are short, and ways to bring its log into any of the forms it may have. */
import { linkSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Committed, commitOperation } from '../../../src/store/index/commit-point.ts'
import type { StoreIndex } from '../../../src/store/index/store-index.ts'
import { type OperationRange, operationPath, segmentPath } from '../../../src/store/layout.ts'
import type { FoldContext } from '../../../src/store/log/folding.ts'
import { encodeOperation } from '../../../src/store/log/operation.ts'
import type { Store } from '../index/temporary-store.ts'
import { sampleArtifact, sampleOperation } from './samples.ts'

export const SIZES = { small: 4, large: 16 }

/** Commits one operation after another, as a program would; each makes an artifact of its own. */
export async function commitMany(store: Store, index: StoreIndex, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await commitOne(store, index)
}

export function commitOne(store: Store, index: StoreIndex): Promise<Committed<string>> {
  const by = { user: 'ann', host: 'laptop' }
  return commitOperation(
    { ...folding(store, index), index, by, tool: 'artifacts/0.1.0' },
    {
      packs: [],
      plan: (_, { applied }) => {
        const name = `a${applied + 1}`
        const artifact = sampleArtifact(name)
        const change = { kind: 'artifact.create' as const, artifact, project: 'p', name, type: 't' }
        return { changes: [change], outcome: name }
      },
    },
  )
}

export function folding({ io, layout }: Store, index: StoreIndex): FoldContext {
  return { io, layout, index, segmentSizes: SIZES }
}

/** Writes operations as files of their own; returns the hash of each, the first at 1, and of `format.json` at 0. */
export function writeOperations(store: Store, count: number): string[] {
  const hashes = [store.identity.hash]
  for (let n = 1; n <= count; n++) hashes.push(writeOperation(store, n, hashes[n - 1] ?? ''))
  return hashes
}

/** Writes operation `n`; `name` makes another one of it. Returns its hash. */
export function writeOperation(store: Store, n: number, prev: string, name = `a${n}`): string {
  const artifact = sampleArtifact(name)
  const change = { kind: 'artifact.create' as const, artifact, project: 'p', name, type: 't' }
  const { bytes, hash } = encodeOperation(sampleOperation(n, prev, [change]))
  writeFileSync(operationPath(store.layout, n), bytes)
  return hash
}

/** Makes a segment of operations that are files; returns its path. */
export function makeSegment({ layout }: Store, range: OperationRange): string {
  const path = segmentPath(layout, range)
  writeFileSync(path, Buffer.concat(filesOf(layout, range)))
  return path
}

function filesOf(layout: Store['layout'], { first, last }: OperationRange): Buffer[] {
  return Array.from({ length: last - first + 1 }, (_, i) =>
    readFileSync(operationPath(layout, first + i)),
  )
}

/** Replaces operations by links of one empty file. */
export function emptyOperations({ layout }: Store, numbers: readonly number[]): void {
  const source = join(layout.log, '.empty')
  writeFileSync(source, '')
  for (const n of numbers) {
    linkSync(source, `${source}-${n}`)
    renameSync(`${source}-${n}`, operationPath(layout, n))
  }
  renameSync(source, `${layout.tmp}/empty`)
}

/** The segments there are, by name. */
export function segmentNames({ layout }: Store): string[] {
  return readdirSync(layout.log)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
}

/** The operations whose own files are empty. */
export function emptyNumbers({ layout }: Store): number[] {
  return readdirSync(layout.log)
    .filter((name) => /^\d{12}\.json$/.test(name))
    .filter((name) => readFileSync(join(layout.log, name)).length === 0)
    .map((name) => Number.parseInt(name, 10))
}

/** Files in `log/` that are neither operations nor segments. */
export function strayNames({ layout }: Store): string[] {
  return readdirSync(layout.log).filter((name) => !/^[\d-]+\.jsonl?$/.test(name))
}

/** How a segment is called. */
export function nameOf(first: number, last: number): string {
  return segmentPath({ log: '' } as Store['layout'], { first, last })
}
