/**
 * Values and the files they are kept in. A value becomes one file whose path says its kind, and the files that belong to
 * it; reading it takes those files and runs nothing.
 */
import { ArtifactsError } from '../errors.ts'
import type { Json } from '../types.ts'
import { decodeJoinedTable, encodeJoinedTable, JoinedTable } from './joined-table.ts'
import { jsonText } from './json-text.ts'
import { kindOf, onlyOne, pathFor, pathsOf, type ValueKind } from './kinds.ts'
import { Media } from './media.ts'
import { mediaDocument, mediaFrom } from './media-document.ts'
import type { Attachments } from './media-file.ts'
import { decodeNpy, encodeNpy, isTypedArray, NdArray, type TypedArray } from './npy.ts'
import {
  decodePartitionedTable,
  encodePartitionedTable,
  PartitionedTable,
} from './partitioned-table.ts'
import { decodeTable, encodeTable, Table } from './table.ts'
import { readAll, readJson, readText, type ValueFile, type ValueSource } from './value-files.ts'

export type TypedValue =
  | Table
  | PartitionedTable
  | JoinedTable
  | Media
  | NdArray
  | TypedArray
  | Json

/**
 * The files that a value consists of, the one that stands for it first. Text is stored as text, or as JSON where the
 * path asks for that; a `Uint8Array` as its bytes, or as an array where the path ends in `.npy`.
 * @param find where the artifact has a local file of media already.
 * @throws ArtifactsError ERR_INVALID_VALUE for what can't be stored; errors of the system for local files.
 */
export async function encodeValue(
  path: string,
  value: TypedValue,
  find: Attachments['find'] = async () => undefined,
): Promise<readonly [ValueFile, ...ValueFile[]]> {
  const target = pathFor(path, kindsOf(value))
  const files = new Map<string, ValueFile>()
  const add = (file: ValueFile): void => void files.set(file.path, file)
  const bytes = await encode(value, target, { add, find })
  files.delete(target)
  return [{ path: target, bytes }, ...files.values()]
}

/**
 * The value that was stored as `path`; undefined where there is none. A file at exactly this path comes before one with
 * an ending behind it.
 * @throws ArtifactsError ERR_AMBIGUOUS, ERR_INVALID_VALUE for a file that is not what its path says, ERR_UNSUPPORTED.
 */
export async function decodeValue(
  path: string,
  source: ValueSource,
): Promise<TypedValue | undefined> {
  const found = await findValue(path, source)
  return found === undefined ? undefined : decode(kindOf(found), found, source)
}

/** The path of the file that the value `path` is in. @throws ArtifactsError ERR_AMBIGUOUS. */
export async function findValue(path: string, source: ValueSource): Promise<string | undefined> {
  const [exact = path, ...longer] = pathsOf(path)
  if ((await source.entry(exact)) !== undefined) return exact
  const found: string[] = []
  for (const each of longer) if ((await source.entry(each)) !== undefined) found.push(each)
  return onlyOne(path, found)
}

/** The kinds of file that can hold a value, the usual one first. */
function kindsOf(value: TypedValue): readonly [ValueKind, ...ValueKind[]] {
  if (typeof value === 'string') return ['text', 'json']
  if (value instanceof Uint8Array) return ['bytes', 'npy']
  if (value instanceof Table) return ['table']
  if (value instanceof PartitionedTable) return ['partitioned-table']
  if (value instanceof JoinedTable) return ['joined-table']
  if (value instanceof Media) return [value.kind]
  return value instanceof NdArray || isTypedArray(value) ? ['npy'] : ['json']
}

async function encode(value: TypedValue, path: string, to: Attachments): Promise<Uint8Array> {
  if (value instanceof Table) return encodeTable(value, path, to)
  if (value instanceof PartitionedTable) return encodePartitionedTable(value, path)
  if (value instanceof JoinedTable) return encodeJoinedTable(value, path, to)
  if (value instanceof Media) {
    return Buffer.from(`${jsonText(await mediaDocument(value, to), path)}\n`)
  }
  const kind = kindOf(path)
  if (value instanceof Uint8Array && kind === 'bytes') return value
  if (value instanceof NdArray || isTypedArray(value)) return encodeNpy(value)
  if (typeof value === 'string' && kind === 'text') return encodeText(value, path)
  return Buffer.from(`${jsonText(value, path)}\n`)
}

function encodeText(text: string, path: string): Uint8Array {
  if (!/\p{Surrogate}/u.test(text)) return Buffer.from(text)
  throw new ArtifactsError(
    'ERR_INVALID_VALUE',
    `"${path}" can't be stored: half a character is in it.`,
    {
      hint: 'Store it as JSON, under a path that ends in ".json".',
    },
  )
}

async function decode(
  kind: ValueKind,
  path: string,
  source: ValueSource,
): Promise<TypedValue | undefined> {
  switch (kind) {
    case 'bytes':
      return readAll(source, path)
    case 'text':
      return readText(source, path)
    case 'json':
      return readJson(source, path)
    case 'npy':
      return decodeNpy(await readAll(source, path), path)
    case 'table':
      return decodeTable(source, path)
    case 'partitioned-table':
      return decodePartitionedTable(source, path)
    case 'joined-table':
      return decodeJoinedTable(source, path)
    default:
      return mediaFrom(await readJson(source, path), source, path)
  }
}
