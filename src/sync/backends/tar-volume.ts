/**
 * One tar of a bundle (docs/remote.md section 9), open for reading. A tar that was cut between two files looks whole to
 * every program; the end record tells. What the files hold is for others to check.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as v from 'valibot'
import { ArtifactsError } from '../../errors.ts'
import type { Range } from '../backend.ts'
import { indexTar, readExactly, wrong } from './tar-index.ts'

export const MANIFEST_NAME = 'manifest.json'
export const SUMS_NAME = 'SHA256SUMS'
export const END_NAME = 'end.json'

export interface Volume extends Disposable {
  readonly path: string
  readonly fd: number
  /** Of the whole tar. */
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly modified: number
  /** In their order. */
  readonly files: ReadonlyMap<string, Range>
  readonly end: EndRecord
}

export interface EndRecord {
  readonly bundle: string
  /** How many files stand before it. */
  readonly entries: number
  /** SHA-256 of `SHA256SUMS`. */
  readonly sums: string
  /** Which volume of its set it ends, from 1. */
  readonly volume: number
}

const PIECE = 256 * 1024
const LONGEST_END_RECORD = 4096
const countSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const endSchema: v.GenericSchema<unknown, EndRecord> = v.strictObject({
  bundle: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  entries: countSchema,
  sums: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  volume: countSchema,
})

/** @throws ArtifactsError ERR_DAMAGED for a tar that is no whole volume, or the system's error */
export function openVolume(path: string): Volume {
  // Opening a pipe would wait for somebody to write to it.
  if (!statSync(path).isFile()) throw wrong(path, 'is no file')
  const fd = openSync(path, 'r')
  try {
    const { size, mtimeMs } = fstatSync(fd)
    const open = { path, fd, bytes: size, modified: mtimeMs, files: indexTar(fd, path) }
    const close = (): void => closeSync(fd)
    return { ...open, end: readEnd(open), [Symbol.dispose]: close }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/**
 * The volumes of a set that lie in one folder: `out.001.tar` stands for all of its set that are called so. The one that is
 * named comes first.
 */
export function volumesBeside(path: string): readonly [string, ...string[]] {
  const [, stem] = /^(.+\.)\d{3,}\.tar$/.exec(basename(path)) ?? []
  if (stem === undefined || !existsSync(path)) return [path]
  const bundle = bundleOf(path)
  const others = readdirSync(dirname(path))
    .filter((name) => name.startsWith(stem) && /^\d{3,}\.tar$/.test(name.slice(stem.length)))
    .map((name) => join(dirname(path), name))
  return [path, ...others.filter((other) => other !== path && bundleOf(other) === bundle).sort()]
}

/** Undefined for what is no whole volume. */
function bundleOf(path: string): string | undefined {
  try {
    using volume = openVolume(path)
    return volume.end.bundle
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_DAMAGED') return undefined
    throw error
  }
}

type Open = Pick<Volume, 'path' | 'fd' | 'files'>

/** All bytes of a file, of which there may be at most `most`. @throws ArtifactsError ERR_DAMAGED */
export function readVolumeFile(volume: Open, name: string, most: number): Buffer {
  const at = volume.files.get(name)
  if (at === undefined) throw wrong(volume.path, `has no "${name}"`)
  if (at.end - at.start > most) throw wrong(volume.path, `has a "${name}" that is too long`)
  const bytes = Buffer.alloc(at.end - at.start)
  readExactly(volume.fd, bytes, at.start, volume.path)
  return bytes
}

/** What lies in a range of the tar, in pieces that are overwritten when the next one is asked for. */
export function* readPieces(
  { fd, path }: Pick<Volume, 'fd' | 'path'>,
  { start, end }: Range,
): Iterable<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(PIECE, Math.max(1, end - start)))
  for (let at = start; at < end; ) {
    const got = readSync(fd, buffer, 0, Math.min(buffer.length, end - at), at)
    if (got === 0) throw wrong(path, 'became shorter while it was read')
    at += got
    yield buffer.subarray(0, got)
  }
}

/** SHA-256 of a file, as hex. */
export function hashOfFile(volume: Open, name: string): string {
  const hash = createHash('sha256')
  const at = volume.files.get(name)
  if (at !== undefined) for (const piece of readPieces(volume, at)) hash.update(piece)
  return hash.digest('hex')
}

/** Reads the end record, and holds the rest of the volume to it. */
function readEnd(volume: Open): EndRecord {
  const { path, files } = volume
  const names = [...files.keys()]
  if (names[0] !== MANIFEST_NAME) throw wrong(path, 'does not begin with its manifest')
  if (names.at(-1) !== END_NAME) throw wrong(path, 'was cut: its end record is missing')
  const record = v.safeParse(
    endSchema,
    parse(readVolumeFile(volume, END_NAME, LONGEST_END_RECORD).toString('utf8')),
  )
  if (!record.success) throw wrong(path, 'has an end record that says nothing')
  const { entries, sums } = record.output
  if (entries !== names.length - 1) {
    throw wrong(path, `has ${names.length - 1} files where its end record counts ${entries}`)
  }
  if (hashOfFile(volume, SUMS_NAME) !== sums) {
    throw wrong(path, 'has other checksums than were written')
  }
  return record.output
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
