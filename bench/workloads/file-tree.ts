/** Workloads of many files: v2 edits, removes and adds 1 % of them each. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { randomOf, sampleOf } from './random.ts'
import type { Changes, Input } from './workload.ts'

export interface TreeSpec {
  readonly seed: string
  readonly files: number
  /** The path and content of the n-th file; called in ascending order of n, the bytes are used at once. */
  make(n: number): { readonly path: string; readonly bytes: Buffer }
  /** The same file after an edit. */
  edit(bytes: Buffer): Buffer
}

export function writeTree(input: Input, spec: TreeSpec): Changes {
  const share = Math.max(1, Math.round(spec.files / 100))
  const chosen = sampleOf(randomOf(`${spec.seed} changes`), spec.files, 2 * share)
  const edited = new Set(chosen.slice(0, share))
  const dropped = new Set(chosen.slice(share))
  const changed: string[] = []
  const removed: string[] = []
  const added: string[] = []
  const folders = new Set<string>()
  let total = 0
  for (let n = 0; n < spec.files + share; n++) {
    const { path, bytes } = spec.make(n)
    if (n >= spec.files) {
      writeFile(join(input.dir, 'aside', 'v2', path), bytes, folders)
      added.push(path)
      continue
    }
    writeFile(join(input.data, path), bytes, folders)
    total += bytes.length
    if (edited.has(n)) {
      writeFile(join(input.dir, 'aside', 'v2', path), spec.edit(bytes), folders)
      changed.push(path)
    } else if (dropped.has(n)) {
      removed.push(path)
    }
  }
  return { changed, removed, added, files: spec.files, bytes: total }
}

function writeFile(path: string, bytes: Buffer, folders: Set<string>): void {
  const folder = dirname(path)
  if (!folders.has(folder)) {
    mkdirSync(folder, { recursive: true })
    folders.add(folder)
  }
  const fd = openSync(path, 'w')
  writeSync(fd, bytes)
  closeSync(fd)
}
