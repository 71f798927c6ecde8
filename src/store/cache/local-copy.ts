/**
 * Handing out read-only local copies, bounded in bytes. Whoever asks first notes that the copy is used, then checks it, so
 * that nobody gives it up meanwhile; where there is none, one process builds it and the others wait. A copy that somebody has
 * changed stays as it is, for whoever works with it, and another takes its place.
 */
import { setTimeout } from 'node:timers/promises'
import type { OperationOptions } from '../../types.ts'
import { temporaryName } from '../layout.ts'
import { loadHashes } from '../object/checksum.ts'
import type { OpenedStore } from '../opened.ts'
import { buildCopy, bytesMissing, copyPath, isWhole, type Wanted } from './copy.ts'
import { adopt, type Evicted, makeRoom } from './evict.ts'
import { type CopyRow, cacheLayout, Ledger } from './ledger.ts'

export interface CacheOptions {
  /** The cache's directory, absolute; made where there is none. */
  readonly directory: string
  /** Bytes that it should hold at most. */
  readonly maxBytes: number
  /** How long what was handed out stays, in milliseconds. */
  readonly keep: number
}

export interface LocalCopy {
  /** The directory, absolute. */
  readonly path: string
  readonly files: number
  readonly bytes: number
  /** It was there already. */
  readonly cached: boolean
  /** All that the cache holds; more than `maxBytes` where what must stay is so much. */
  readonly cacheBytes: number
}

/** How long what was handed out stays. */
export const KEEP_MS: number = 7 * 24 * 3600 * 1000
const POLL_MS = 50
const HEARTBEAT_MS = 5000

/** @throws ArtifactsError ERR_DAMAGED for stored bytes that can't be read back. */
export async function localCopy(
  store: OpenedStore,
  cache: CacheOptions,
  wanted: Wanted,
  options: OperationOptions = {},
): Promise<LocalCopy> {
  const { signal } = options
  await loadHashes()
  using ledger = openLedger(store, cache)
  for (let cached = true; ; ) {
    signal?.throwIfAborted()
    const found = ledger.use(wanted, Date.now())
    if (found !== undefined) {
      if (isWhole(store, ledger, found.name, wanted, options)) {
        const { files, bytes, name } = found
        const cacheBytes = ledger.bytes()
        return { path: copyPath(ledger, name), files, bytes, cached, cacheBytes }
      }
      ledger.setAltered(found.name)
      continue
    }
    const owner = temporaryName()
    if (!ledger.claim(wanted.key, owner, Date.now())) {
      await setTimeout(POLL_MS, undefined, { signal })
      continue
    }
    cached = false
    await build(store, cache, ledger, { wanted, owner, options })
  }
}

/** Removes what may go until the cache holds at most `maxBytes`, and what crashes have left. */
export function cleanCache(
  store: OpenedStore,
  { maxBytes, keep, ...cache }: CacheOptions,
): Evicted & { readonly kept: readonly CopyRow[] } {
  using ledger = openLedger(store, cache)
  const evicted = makeRoom(store, ledger, { most: maxBytes, before: Date.now() - keep })
  return { ...evicted, kept: ledger.copies() }
}

/** What the cache holds; the copy used last comes first. */
export function listCache(
  store: OpenedStore,
  cache: Pick<CacheOptions, 'directory'>,
): { readonly bytes: number; readonly copies: readonly (CopyRow & { readonly path: string })[] } {
  using ledger = openLedger(store, cache)
  const copies = ledger.copies().map((row) => ({ ...row, path: copyPath(ledger, row.name) }))
  return { bytes: ledger.bytes(), copies }
}

/** To be closed. */
export function openLedger(
  { io }: OpenedStore,
  { directory }: Pick<CacheOptions, 'directory'>,
): Ledger {
  io.mkdir(directory, { recursive: true })
  return Ledger.open(io, cacheLayout(directory), adopt)
}

interface Build {
  readonly wanted: Wanted
  readonly owner: string
  readonly options: OperationOptions
}

async function build(
  store: OpenedStore,
  { maxBytes, keep }: CacheOptions,
  ledger: Ledger,
  { wanted, owner, options }: Build,
): Promise<void> {
  const heartbeat = setInterval(() => ledger.keepClaim(owner, Date.now()), HEARTBEAT_MS)
  try {
    const most = maxBytes - bytesMissing(ledger, wanted)
    makeRoom(store, ledger, { most, before: Date.now() - keep })
    await buildCopy(store, ledger, wanted, options)
  } finally {
    clearInterval(heartbeat)
    ledger.dropClaim(owner)
  }
}
