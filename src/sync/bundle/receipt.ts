/** What a receiver gives back (docs/remote.md section 9), so that the next bundle holds only what it lacks. */
import { closeSync, fstatSync, openSync } from 'node:fs'
import * as v from 'valibot'
import { ArtifactsError } from '../../errors.ts'
import { canonicalJson } from '../../store/log/canonical.ts'
import {
  countSchema,
  hashSchema,
  list,
  nonceSchema,
  objectIdSchema,
} from '../../store/log/schemas.ts'
import type { ObjectId } from '../../types.ts'
import { readExactly } from '../backends/tar-index.ts'
import type { StorePosition } from './manifest.ts'

export interface Receipt extends StorePosition {
  /** The versions that the receiver has whole. */
  readonly complete: readonly ObjectId[]
}

/** A million versions. */
const LONGEST_RECEIPT = 70_000_000

const schema: v.GenericSchema<unknown, Receipt> = v.strictObject({
  complete: list(objectIdSchema),
  hash: hashSchema,
  n: countSchema,
  store: nonceSchema,
})

export function encodeReceipt({ complete, hash, n, store }: Receipt): Buffer {
  return Buffer.from(`${canonicalJson({ complete: complete.toSorted(), hash, n, store })}\n`)
}

/** @throws ArtifactsError ERR_INVALID_VALUE for a file that is no receipt, or the system's error. */
export function readReceipt(path: string): Receipt {
  const fd = openSync(path, 'r')
  try {
    const { size } = fstatSync(fd)
    if (size > LONGEST_RECEIPT) throw noReceipt(path)
    const bytes = Buffer.alloc(size)
    readExactly(fd, bytes, 0, path)
    const parsed = v.safeParse(schema, parse(bytes.toString('utf8')))
    if (!parsed.success) throw noReceipt(path)
    return parsed.output
  } finally {
    closeSync(fd)
  }
}

function noReceipt(path: string): ArtifactsError {
  return new ArtifactsError('ERR_INVALID_VALUE', `"${path}" is no receipt.`, {
    hint: 'A receipt is what `artifacts bundle apply FILE... --receipt F` writes.',
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
