/**
 * Handing out read-only local copies, bounded in bytes. Whoever asks first notes that the copy is used, then checks it, so
 * that nobody gives it up meanwhile; where there is none, one process builds it and the others wait. A copy that somebody has
 * changed stays as it is, for whoever works with it, and another takes its place.
 */
import { setTimeout } from 'node:timers/promises'
import { ArtifactsError } from '../../errors.ts'
import type { OperationOptions } from '../../types.ts'
import { isBusy } from '../index/connection.ts'
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
  await loadHashes()
  try {
    using ledger = openLedger(store, cache)
    return await handOut(store, cache, ledger, { wanted, options })
  } catch (error) {
    throw refusalOf(error)
  }
}

/** Removes what may go until the cache holds at most `maxBytes`, and what crashes have left. */
export function cleanCache(
  store: OpenedStore,
  { maxBytes, keep, ...cache }: CacheOptions,
): Evicted & { readonly kept: readonly CopyRow[] } {
  try {
    using ledger = openLedger(store, cache)
    const evicted = makeRoom(store, ledger, { most: maxBytes, before: Date.now() - keep })
    return { ...evicted, kept: ledger.copies() }
  } catch (error) {
    throw refusalOf(error)
  }
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

interface Request {
  readonly wanted: Wanted
  readonly options: OperationOptions
}

async function handOut(
  store: OpenedStore,
  cache: CacheOptions,
  ledger: Ledger,
  { wanted, options }: Request,
): Promise<LocalCopy> {
  const { signal } = options
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
      await setTimeout(POLL_MS)
      continue
    }
    cached = false
    await build(store, cache, ledger, { wanted, owner, options })
  }
}

/** SQLite says of a database that others hold for long that it is busy. */
function refusalOf(error: unknown): unknown {
  if (!isBusy(error)) return error
  return new ArtifactsError(
    'ERR_BUSY',
    'Other processes are writing to the cache of local copies.',
    {
      hint: 'Wait until they have finished, then try again.',
      cause: error,
    },
  )
}

interface Build extends Request {
  readonly owner: string
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
