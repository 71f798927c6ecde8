/** Versions that no program of ours writes: nodes and recipes made byte by byte, in packs and operations that are sound. */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createIo } from '../../../src/store/io/io.ts'
import { layoutOf, packPath, temporaryName } from '../../../src/store/layout.ts'
import { appendOperation } from '../../../src/store/log/append.ts'
import type { Change } from '../../../src/store/log/change.ts'
import { encodeVersionObject, versionId } from '../../../src/store/log/version-object.ts'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { Codec } from '../../../src/store/object/compression.ts'
import { NODE, type ObjectKind, objectId, VERSION } from '../../../src/store/object/id.ts'
import { PackWriter, publish } from '../../../src/store/object/pack-writer.ts'
import type { ArtifactId, ObjectId } from '../../../src/types.ts'

/** An entry as it is written: any bytes as its key, and what follows it. */
export interface RawEntry {
  readonly key: string | Buffer
  readonly content: Buffer
}

export interface RawObject {
  readonly kind: ObjectKind
  readonly bytes: Buffer
}

export function inline(text: string): Buffer {
  return Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)])
}

export function symlink(target: string): Buffer {
  return Buffer.concat([Buffer.from([3]), varint(target.length), Buffer.from(target)])
}

export function chunk(size: number, id: ObjectId): Buffer {
  return Buffer.concat([Buffer.from([1]), varint(size), Buffer.from(id, 'hex')])
}

export function recipe(size: number, id: ObjectId): Buffer {
  return Buffer.concat([Buffer.from([2]), varint(size), Buffer.from(id, 'hex')])
}

export const directory: Buffer = Buffer.from([4])

/** A node, in the order given: nothing is checked. */
export function node(entries: readonly RawEntry[], level = 0): RawObject {
  const parts: Buffer[] = [Buffer.from([level]), varint(entries.length)]
  let before = Buffer.alloc(0)
  for (const [index, { key, content }] of entries.entries()) {
    const bytes = Buffer.from(key)
    let shared = 0
    while (index > 0 && shared < Math.min(before.length, bytes.length)) {
      if (before[shared] !== bytes[shared]) break
      shared++
    }
    parts.push(varint(shared), varint(bytes.length - shared), bytes.subarray(shared), content)
    before = bytes
  }
  return { kind: NODE, bytes: Buffer.concat(parts) }
}

export function idOf({ kind, bytes }: RawObject): ObjectId {
  return objectId(kind, bytes)
}

/** Adds v0 of a new artifact whose tree has `root` for its root, with all objects in one pack. */
export async function addVersion(
  storeRoot: string,
  name: string,
  root: RawObject,
  others: readonly RawObject[] = [],
): Promise<void> {
  await loadHashes()
  const layout = layoutOf(storeRoot)
  const io = createIo({ durability: 'power' })
  const object = {
    bytes: 1,
    createdAt: new Date().toISOString(),
    files: 1,
    parents: [],
    root: idOf(root),
  }
  const temporary = join(layout.tmp, temporaryName())
  const writer = new PackWriter(io, temporary)
  for (const { kind, bytes } of [
    ...others,
    root,
    { kind: VERSION, bytes: encodeVersionObject(object) } as const,
  ]) {
    const id = Buffer.from(objectId(kind, bytes), 'hex')
    writer.append({ kind, id, codec: Codec.none, stored: bytes, rawLength: bytes.length })
  }
  const { id, bytes, kind, toc } = await writer.finish()
  publish(io, temporary, packPath(layout, id))
  const artifact = randomBytes(16).toString('hex') as ArtifactId
  const version = versionId(object)
  const changes: Change[] = [
    { kind: 'artifact.create', artifact, project: 'default', name, type: 'dataset' },
    { kind: 'version.add', artifact, number: 0, version, object },
    { kind: 'alias.set', artifact, alias: 'latest', version, old: null },
  ]
  const names = readdirSync(layout.log).sort()
  const last = names.length === 0 ? layout.format : join(layout.log, names.at(-1) as string)
  const [, prev = ''] = readFileSync(last, 'utf8').split('\n')
  const operation = {
    n: names.length + 1,
    prev,
    at: new Date().toISOString(),
    by: { user: 'eve', host: 'elsewhere' },
    tool: 'artifacts/0.1.0',
    nonce: randomBytes(16).toString('hex'),
    packs: [{ id: id as ObjectId, bytes, kind, toc }],
    changes,
  }
  appendOperation(operation, { io, layout, previousIsDurable: false })
}

function varint(number: number): Buffer {
  const bytes: number[] = []
  let rest = number
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return Buffer.from([...bytes, rest])
}
