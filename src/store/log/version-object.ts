/** The frozen part of a version as bytes: canonical JSON, whose hash is the version's identity (docs/format.md section 5). */
import { damaged } from '../../errors.ts'
import type { ObjectId, VersionObject } from '../../types.ts'
import { objectId, VERSION } from '../object/id.ts'
import { canonicalJson } from './canonical.ts'
import { readVersionObject } from './change.ts'

/** Returns the bytes that are stored as an object of kind 3. */
export function encodeVersionObject(object: VersionObject): Buffer {
  return Buffer.from(canonicalJson(object))
}

/** Reads a version object; throws ERR_DAMAGED for bytes that `encodeVersionObject` does not make. */
export function decodeVersionObject(bytes: Uint8Array): VersionObject {
  const text = Buffer.from(bytes).toString()
  const object = readVersionObject(parse(text))
  if (object === undefined || canonicalJson(object) !== text)
    throw damaged('A version object is malformed.')
  return object
}

/** Returns a version's identity. */
export function versionId(object: VersionObject): ObjectId {
  return objectId(VERSION, encodeVersionObject(object))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
