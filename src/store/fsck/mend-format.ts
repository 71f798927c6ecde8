/**
 * Finds out what `format.json` was: its own second line, the hash that operation 1 follows, and the id in the index all
 * tell something of it, and a hash proves the answer.
 */
import { readFileSync } from 'node:fs'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import { encodeFormat } from '../format.ts'
import { Connection } from '../index/connection.ts'
import { readPointer } from '../index/file.ts'
import type { Layout } from '../layout.ts'
import { LogReader } from '../log/log-reader.ts'
import type { Operation } from '../log/operation.ts'
import { mendLines } from './mend-lines.ts'

/** The file as it was written; undefined where that can't be known. */
export function recoverFormat(layout: Layout): Buffer | undefined {
  const first = firstOperation(layout)
  const mended = mendLines(contentOf(layout.format), first?.prev)
  if (mended !== undefined || first === undefined) return mended
  // Perhaps nothing of it is left, but the program that wrote operation 1 wrote it too.
  const id = storeIdOfIndex(layout)
  const told = id === undefined ? undefined : encodeFormat({ id, tool: first.tool })
  return told?.toString('latin1').endsWith(`\n${first.prev}\n`) === true ? told : undefined
}

/** The store's id, as its index has noted it. */
export function storeIdOfIndex(layout: Layout): string | undefined {
  const name = readPointer(layout.root)
  if (name === undefined) return undefined
  try {
    const connection = new Connection(`${layout.root}/${name}`)
    try {
      const id = connection.value<string>('SELECT id FROM store')
      return id !== undefined && /^[0-9a-f]{32}$/.test(id) ? id : undefined
    } finally {
      connection.close()
    }
  } catch {
    // Whatever is wrong with it: it is asked because the file that should know is damaged, and need not answer.
    return undefined
  }
}

function firstOperation(layout: Layout): Operation | undefined {
  using reader = new LogReader(layout)
  try {
    const entry = reader.read(1, undefined)
    return entry?.kind === 'operation' ? entry.operation : undefined
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_DAMAGED') return undefined
    throw error
  }
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EIO')) return Buffer.alloc(0)
    throw error
  }
}
