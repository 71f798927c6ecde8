/** The parts of small bundles, made without a store: real packs, one version for each, and a log. */
import { join } from 'node:path'
import type { Io } from '../../../src/store/io/io.ts'
import { createIo } from '../../../src/store/io/io.ts'
import type { Change } from '../../../src/store/log/change.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { compress } from '../../../src/store/object/compression.ts'
import { CHUNK, chunkHash } from '../../../src/store/object/id.ts'
import { PackWriter } from '../../../src/store/object/pack-writer.ts'
import type { BundlePack, BundleParts } from '../../../src/sync/bundle/write-bundle.ts'
import { fileSource } from '../../../src/sync/source.ts'
import type { ArtifactId, ObjectId } from '../../../src/types.ts'
import { seededRandom } from '../../support/random.ts'

export const IO: Io = createIo({ durability: 'process' })

export interface Sizes {
  /** The sizes of the chunks of each pack. */
  readonly packs: readonly (readonly number[])[]
  readonly seed?: number
}

/** Packs with these chunks, every second one of text, in files of `directory`. */
export async function madeParts(
  directory: string,
  { packs, seed = 1 }: Sizes,
): Promise<BundleParts> {
  await loadHashes()
  const random = seededRandom(seed)
  const made: BundlePack[] = []
  for (const [index, sizes] of packs.entries()) {
    const path = join(directory, `${seed}-${index}`)
    const writer = new PackWriter(IO, path)
    for (const [i, size] of sizes.entries()) {
      const raw = i % 2 === 0 ? random.bytes(size) : Buffer.from(random.text(size))
      const { codec, bytes } = compress(raw, CHUNK)
      writer.append({ kind: CHUNK, id: chunkHash(raw), codec, stored: bytes, rawLength: size })
    }
    const { id, bytes, kind, toc } = await writer.finish()
    const source = fileSource(path)
    made.push({ id: id as ObjectId, bytes, kind, toc, sha256: source.sha256, source })
  }
  const artifact = random.bytes(16).toString('hex') as ArtifactId
  const versions = made.map(({ id }, number) => addVersion(artifact, number, id))
  const changes: Change[] = [
    { kind: 'artifact.create', artifact, project: 'default', name: 'bike', type: 'dataset' },
    ...versions,
  ]
  return {
    from: {
      store: random.bytes(16).toString('hex'),
      n: 7,
      hash: random.bytes(32).toString('hex'),
    },
    met: [],
    prerequisites: [],
    versions: versions.map(({ version }) => version),
    whole: [artifact],
    changes,
    packs: made,
    at: '2026-11-20T10:00:00.000Z',
    tool: 'artifacts/0.1.0',
  }
}

function addVersion(artifact: ArtifactId, number: number, root: ObjectId): VersionAdd {
  const object = {
    bytes: 1,
    createdAt: '2026-11-20T10:00:00.000Z',
    files: 1,
    parents: [],
    root,
  }
  const closure = { packs: [root] }
  return { kind: 'version.add', artifact, number, version: versionId(object), object, closure }
}

type VersionAdd = Extract<Change, { readonly kind: 'version.add' }>
