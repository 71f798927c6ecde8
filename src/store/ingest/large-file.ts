/**
 * A large file is spread over all readers: each scans a part for candidate cuts (which depend on 32 bytes only), the cuts
 * are chosen here in order, and the chunks between them are hashed and stored wherever a reader is free. So the result
 * does not depend on the number of readers. Scanning runs a little ahead of storing, so that the second reading of a part
 * finds it in the page cache.
 */
import type { ObjectId } from '../../types.ts'
import { CutSelector, chunkSizesFor } from '../object/chunker.ts'
import { objectId, RECIPE } from '../object/id.ts'
import { encodeRecipe, splitRecipe } from '../object/recipe.ts'
import type { ContentOptions, FileContent, SourceFile } from './contents.ts'
import type { Pool } from './pool.ts'
import { type ChunksResult, type ReadFailure, SLOT_BYTES } from './protocol.ts'

const SCAN_BYTES = 16 << 20
const CHUNK_JOB_BYTES = SLOT_BYTES
/** Chunk jobs of one file under way: enough to keep four readers busy. */
const WINDOW_JOBS = 16

/** Reads the file once; a failure says that it changed, or why it can't be read. */
export async function readParts(
  pool: Pool,
  source: SourceFile,
  options: ContentOptions,
): Promise<FileContent | { readonly failure: ReadFailure }> {
  const { file: path, stat } = source
  const digest = pool.run({ kind: 'digest', path, stat })
  // Handled where it is awaited; until then a failing pool must not end the process.
  digest.catch(() => {})
  const scans: ReturnType<typeof scan>[] = []
  const scan = (from: number) =>
    pool.run({ kind: 'scan', path, stat, from, to: Math.min(from + SCAN_BYTES, stat.size) })
  const selector = new CutSelector(chunkSizesFor(stat.size), stat.size)
  const lengths: number[] = []
  const ids: Uint8Array[] = []
  const jobs: Promise<ChunksResult>[] = []
  let pending = [0]
  const take = async (): Promise<ReadFailure | undefined> => {
    const result = await (jobs.shift() as Promise<ChunksResult>)
    if (result.failure !== undefined) return result.failure
    ids.push(result.ids)
    options.onRead(0, 0)
    return undefined
  }
  const chunks = (): void => {
    const job = pool.run({
      kind: 'chunks',
      path,
      stat,
      cuts: Float64Array.from(pending),
      store: options.store,
    })
    job.catch(() => {})
    jobs.push(job)
    options.onRead(0, (pending.at(-1) as number) - (pending[0] as number))
    pending = [pending.at(-1) as number]
  }
  let scanned = 0
  for (let from = 0; from < stat.size; from += SCAN_BYTES) {
    options.signal?.throwIfAborted()
    while (scans.length < 4 && scanned < stat.size) {
      const job = scan(scanned)
      job.catch(() => {})
      scans.push(job)
      scanned += SCAN_BYTES
    }
    const result = await (scans.shift() as ReturnType<typeof scan>)
    if (result.failure !== undefined) return { failure: result.failure }
    for (const cut of selector.add(result.candidates, Math.min(from + SCAN_BYTES, stat.size))) {
      if (cut - (pending[0] as number) > CHUNK_JOB_BYTES) chunks()
      lengths.push(cut - (pending.at(-1) as number))
      pending.push(cut)
    }
    while (jobs.length >= WINDOW_JOBS) {
      const failure = await take()
      if (failure !== undefined) return { failure }
    }
  }
  if (pending.length > 1) chunks()
  while (jobs.length > 0) {
    const failure = await take()
    if (failure !== undefined) return { failure }
  }
  const { sha256, fingerprint, isPrivateKey, failure } = await digest
  if (failure !== undefined) return { failure }
  options.onRead(1, 0)
  const id = keepRecipe(Buffer.concat(ids), lengths, stat.size, sha256, options)
  return {
    size: stat.size,
    content: { kind: 'recipe', id },
    fingerprint,
    stat,
    isExecutable: source.isExecutable,
    isPrivateKey,
  }
}

/** Makes the recipe of a file's chunks and hands it, and its parts, to be kept. */
export function keepRecipe(
  ids: Buffer,
  lengths: readonly number[],
  size: number,
  sha256: Uint8Array,
  options: Pick<ContentOptions, 'store' | 'keepRecipe'>,
): ObjectId {
  const { root, parts } = splitRecipe({ size, sha256, ids, lengths })
  for (const bytes of parts) {
    if (options.store) options.keepRecipe(objectId(RECIPE, bytes), bytes)
  }
  const bytes = encodeRecipe(root)
  const id = objectId(RECIPE, bytes)
  if (options.store) options.keepRecipe(id, bytes)
  return id
}
