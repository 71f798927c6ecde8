/**
 * Takes a pack: it is written under `tmp/`, hashed on the way, looked over record by record, and then gets its name, which
 * fails where that is taken. Who is told that it is there can rely on that, also after the power is gone.
 */
import { createHash, type Hash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import { packPath, temporaryName } from '../../store/layout.ts'
import { MAX_PACK_BYTES } from '../../store/object/pack.ts'
import type { OpenedStore } from '../../store/opened.ts'
import type { ObjectId } from '../../types.ts'
import { announced, receive } from './bodies.ts'
import type { Limits } from './limits.ts'
import { type PackChecker, rememberHash } from './pack-checker.ts'
import { Refusal } from './refusal.ts'

export interface PackTaker {
  readonly store: OpenedStore
  readonly checker: PackChecker
  readonly limits: Limits
  /** SHA-256 of packs that were looked over by this server. */
  readonly hashes: Map<ObjectId, string>
}

/** @throws Refusal */
export async function takePack(
  taker: PackTaker,
  id: ObjectId,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<'created' | 'exists'> {
  const { store, checker, hashes } = taker
  const { io, layout, index } = store
  const { length, sha256 } = announced(request, MAX_PACK_BYTES)
  const path = packPath(layout, id)
  if (isThere(path, length, request)) {
    // Who made it may have died before its name was durable.
    io.fsyncDirectory(layout.packs)
    return 'exists'
  }
  index.refresh()
  if (index.state.isDropped(id)) {
    throw new Refusal(403, 'This pack was dropped here, and never joins again: take the next salt.')
  }
  io.mkdir(layout.tmp, { recursive: true })
  const temporary = join(layout.tmp, temporaryName())
  const hash = createHash('sha256')
  try {
    await writeBody(taker, temporary, hash, request, response)
    if (statSync(temporary).size !== length || hash.digest('hex') !== sha256) {
      throw new Refusal(400, 'The body is not what X-Content-SHA256 says.')
    }
    const found = await checker.check(temporary, id)
    if ('fault' in found) throw new Refusal(400, `The pack is refused: ${found.fault}.`)
    const isNew = name(store, temporary, path, isConditional(request))
    io.fsyncDirectory(layout.packs)
    if (isNew) rememberHash(hashes, id, sha256)
    return isNew ? 'created' : 'exists'
  } finally {
    discard(taker, temporary)
  }
}

/** `If-None-Match: *`, the only condition there is. @throws Refusal 400 */
export function isConditional({ headers }: IncomingMessage): boolean {
  const condition = headers['if-none-match']
  if (condition !== undefined && condition !== '*') {
    throw new Refusal(400, 'The only condition that is known here is "If-None-Match: *".')
  }
  return condition === '*'
}

/** Without a condition a pack of another length is a leftover, and gives way; one of the same is the same. */
function isThere(path: string, length: number, request: IncomingMessage): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat !== undefined && (isConditional(request) || stat.size === length)
}

async function writeBody(
  { store: { io }, limits }: PackTaker,
  path: string,
  hash: Hash,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const fd = io.open(path, 'wx')
  try {
    await receive(request, response, limits, (piece) => {
      hash.update(piece)
      io.writeAll(fd, piece)
    })
    await io.fdatasyncAsync(fd)
  } finally {
    io.close(fd)
  }
}

/** Gives a finished pack its name; false where it is taken. */
function name({ io }: OpenedStore, temporary: string, path: string, isExclusive: boolean): boolean {
  if (!isExclusive) {
    io.rename(temporary, path)
    return true
  }
  try {
    return io.linkExclusive(temporary, path)
  } catch (error) {
    if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error
    // No hard links. One that comes between is the same pack, and has lost nothing when it is replaced.
    if (existsSync(path)) return false
    io.rename(temporary, path)
    return true
  }
}

/** Removes the temporary name, where it still is one. gc removes what stays behind. */
function discard({ store: { io } }: PackTaker, temporary: string): void {
  if (!existsSync(dirname(temporary))) return
  try {
    io.unlink(temporary)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'EIO', 'EROFS')) throw error
  }
}
