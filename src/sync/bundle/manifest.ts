/**
 * The first file of each volume of a bundle (docs/remote.md section 9): what the bundle holds, in which volume each pack
 * lies, and what the receiver must have. It names the end of the bundle's log, which names the packs by their SHA-256: so
 * whoever vouches for the manifest vouches for every byte.
 */
import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { ArtifactsError } from '../../errors.ts'
import { canonicalJson } from '../../store/log/canonical.ts'
import {
  artifactIdSchema,
  countSchema,
  hashSchema,
  nonceSchema,
  objectIdSchema,
} from '../../store/log/schemas.ts'
import type { ArtifactId, ObjectId } from '../../types.ts'
import type { Position } from '../log/remote-log.ts'

/** The format of bundles that this program writes and reads. */
export const BUNDLE_FORMAT = 1

/** A store's log as it was. */
export interface StorePosition extends Position {
  readonly store: string
}

/** An artifact of another store, as it was after an operation there. */
export interface Meeting extends StorePosition {
  readonly artifact: ArtifactId
}

/** What all volumes of a set have in common. */
export interface BundleContents {
  /** The store that it was made from. */
  readonly from: StorePosition
  /** Up to which operation of other stores artifacts, by their ids there, were merged into this one by bundles. */
  readonly met: readonly Meeting[]
  /** Versions that the receiver must have whole, ascending. */
  readonly prerequisites: readonly ObjectId[]
  /** Versions whose objects it holds, but for those of the prerequisites, ascending. */
  readonly versions: readonly ObjectId[]
  /** Artifacts of which the log tells everything: what it does not have of them is gone, or was never there. Ascending. */
  readonly whole: readonly ArtifactId[]
  /** The packs of each volume, in their order there. */
  readonly volumes: readonly (readonly ObjectId[])[]
}

export interface Manifest extends BundleContents {
  /** 32 hex digits, made from the contents. */
  readonly bundle: string
  readonly format: typeof BUNDLE_FORMAT
  /** The end of the bundle's own log. */
  readonly log: Position
  /** Id of the small store that the bundle is; made from the contents. */
  readonly store: string
  readonly tool: string
  readonly volume: { readonly i: number; readonly of: number }
}

/** Some 400,000 versions. */
export const LONGEST_MANIFEST: number = 32 * 1024 * 1024
const MOST_VOLUMES = 100_000

const positive = v.pipe(countSchema, v.minValue(1))
const positionSchema = { n: countSchema, hash: hashSchema }
const schema: v.GenericSchema<unknown, Manifest> = v.pipe(
  v.strictObject({
    bundle: nonceSchema,
    format: v.literal(BUNDLE_FORMAT),
    from: v.strictObject({ ...positionSchema, store: nonceSchema }),
    log: v.strictObject({ n: positive, hash: hashSchema }),
    met: v.array(
      v.strictObject({ ...positionSchema, artifact: artifactIdSchema, store: nonceSchema }),
    ),
    prerequisites: ascending(objectIdSchema),
    store: nonceSchema,
    tool: v.pipe(v.string(), v.maxLength(255)),
    versions: ascending(objectIdSchema),
    volume: v.strictObject({ i: positive, of: positive }),
    volumes: v.pipe(
      v.array(v.array(objectIdSchema)),
      v.minLength(1),
      v.maxLength(MOST_VOLUMES),
      v.check((volumes) => !repeats(volumes.flat()), 'a pack twice'),
    ),
    whole: ascending(artifactIdSchema),
  }),
  v.check(({ volume, volumes }) => volume.of === volumes.length, 'another number of volumes'),
  v.check(({ volume }) => volume.i <= volume.of, 'no such volume'),
  v.check((manifest) => manifest.bundle === bundleId(manifest), 'an id of other contents'),
  v.check((manifest) => manifest.store === bundleStore(manifest), 'a store of other contents'),
)

/** The manifest's file. @throws ArtifactsError ERR_INVALID_VALUE when it would be too long to be read. */
export function encodeManifest(manifest: Manifest): Buffer {
  const bytes = Buffer.from(`${canonicalJson(manifest)}\n`)
  if (bytes.length > LONGEST_MANIFEST) {
    throw new ArtifactsError(
      'ERR_INVALID_VALUE',
      `One bundle can't name ${manifest.versions.length + manifest.prerequisites.length} versions.`,
      { hint: 'Make several bundles, each of some artifacts.' },
    )
  }
  return bytes
}

/**
 * Reads a manifest's file; what is wrong with it as a text.
 * @throws ArtifactsError ERR_UNSUPPORTED for a format of a later program
 */
export function decodeManifest(bytes: Buffer, path: string): Manifest | string {
  const value = parse(bytes)
  if (value === undefined) return 'has a manifest that is not canonical JSON'
  const format = (value as { readonly format?: unknown } | null)?.format
  if (typeof format === 'number' && format > BUNDLE_FORMAT) {
    throw new ArtifactsError(
      'ERR_UNSUPPORTED',
      `The bundle "${path}" is in format ${format}; this program knows formats up to ${BUNDLE_FORMAT}.`,
      { hint: 'Install the version that made it, or a newer one.' },
    )
  }
  const parsed = v.safeParse(schema, value)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  return `has a manifest with the field "${v.getDotPath(issue) ?? ''}" amiss`
}

/** What makes two sets the same set: everything but which volume it stands in. */
export function setOf({ volume: _, ...manifest }: Manifest): string {
  return canonicalJson(manifest)
}

/** The id of a bundle with these contents. */
export function bundleId(contents: BundleContents): string {
  return derive('artifacts.bundle\0', contents)
}

/** The id of the store in it. */
export function bundleStore(contents: BundleContents): string {
  return derive('artifacts.bundle.store\0', contents)
}

function derive(domain: string, contents: BundleContents): string {
  const { from, met, prerequisites, versions, volumes, whole } = contents
  const text = canonicalJson({ from, met, prerequisites, versions, volumes, whole })
  return createHash('sha256')
    .update(domain + text)
    .digest('hex')
    .slice(0, 32)
}

function ascending<T extends string>(
  id: v.GenericSchema<unknown, T>,
): v.GenericSchema<unknown, readonly T[]> {
  return v.pipe(
    v.array(id),
    v.check((ids) => ids.every((id, i) => i === 0 || (ids[i - 1] as T) < id), 'out of order'),
  )
}

function repeats(ids: readonly ObjectId[]): boolean {
  return new Set(ids).size !== ids.length
}

/** Undefined for anything but canonical JSON and a line end. */
function parse(bytes: Buffer): unknown {
  const text = bytes.toString('utf8')
  try {
    const value: unknown = JSON.parse(text)
    return Buffer.from(`${canonicalJson(value)}\n`).equals(bytes) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}
