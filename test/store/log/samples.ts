/** Operations, version objects and ids for tests, made from small numbers. */
import { createHash } from 'node:crypto'
import type { Change, VersionAdd } from '../../../src/store/log/change.ts'
import type { JoiningPack, Operation } from '../../../src/store/log/operation.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import type { ArtifactId, ObjectId, VersionObject } from '../../../src/types.ts'

export function sampleId(seed: string | number): ObjectId {
  return createHash('sha256').update(`id ${seed}`).digest('hex') as ObjectId
}

export function sampleArtifact(seed: string | number): ArtifactId {
  return sampleId(seed).slice(0, 32) as ArtifactId
}

/** Version objects with the same `root` have the same content; `at` (milliseconds) makes them different versions. */
export function sampleObject(root: string | number, at = 0): VersionObject {
  return {
    bytes: 1000,
    createdAt: new Date(Date.UTC(2026, 10, 20) + at).toISOString(),
    files: 3,
    parents: [],
    root: sampleId(`root ${root}`),
  }
}

export function sampleVersion(
  artifact: ArtifactId,
  number: number,
  object: VersionObject,
): VersionAdd {
  return { kind: 'version.add', artifact, number, version: versionId(object), object }
}

export function samplePack(seed: string | number): JoiningPack {
  return { id: sampleId(`pack ${seed}`), bytes: 200, kind: 'mixed', toc: [100, 76] }
}

export function sampleOperation(
  n: number,
  prev: string,
  changes: readonly Change[],
  packs: readonly JoiningPack[] = [],
): Operation {
  return {
    n,
    prev,
    at: new Date(Date.UTC(2026, 10, 20, 12) + n * 1000).toISOString(),
    by: { user: 'ann', host: 'laptop' },
    tool: 'artifacts/0.1.0',
    nonce: sampleId(`nonce ${n}`).slice(0, 32),
    packs,
    changes,
  }
}
