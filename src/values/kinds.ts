/**
 * How a path says what kind of value its file holds. The endings of tables and media are W&B's, so that its artifacts
 * are read too. A value is stored under a path that says its kind: its own where it does, else with the ending behind it.
 */
import { ArtifactsError } from '../errors.ts'

export type ValueKind = 'bytes' | 'text' | 'json' | 'npy' | TableKind | MediaKind
export type TableKind = 'table' | 'partitioned-table' | 'joined-table'
export type MediaKind = 'image' | 'audio' | 'video' | 'html' | 'object3d' | 'bokeh'

/** The kind of value that a file at this path holds; bytes where the ending says nothing. */
export function kindOf(path: string): ValueKind {
  const found = ENDINGS.find(([ending]) => path.endsWith(ending))
  return found === undefined ? 'bytes' : found[1]
}

/** Where a value of one of these kinds, the usual one first, is stored when `path` is asked for. */
export function pathFor(path: string, kinds: readonly [ValueKind, ...ValueKind[]]): string {
  return kinds.includes(kindOf(path)) ? path : `${path}${endingOf(kinds[0])}`
}

/** Where a value may be that was stored as `path`: the paths that `pathFor` may have chosen. */
export function pathsOf(path: string): readonly string[] {
  return [path, ...KINDS.map((kind) => `${path}${endingOf(kind)}`)]
}

/** @throws ArtifactsError ERR_AMBIGUOUS that names the paths. */
export function onlyOne(path: string, found: readonly string[]): string | undefined {
  if (found.length < 2) return found[0]
  const names = found.map((each) => `"${each}"`).join(', ')
  throw new ArtifactsError('ERR_AMBIGUOUS', `"${path}" may mean ${names}.`, {
    hint: 'Give the whole path.',
  })
}

/** W&B's names of media in JSON documents and in the paths of those. */
export const MEDIA_TYPES: Readonly<Record<MediaKind, string>> = {
  image: 'image-file',
  audio: 'audio-file',
  video: 'video-file',
  html: 'html-file',
  object3d: 'object3D-file',
  bokeh: 'bokeh-file',
}

const TEXT = ['txt', 'md', 'log', 'csv', 'tsv', 'yaml', 'yml', 'toml', 'xml', 'html']

/** The first ending of a kind is the one that is put behind a path; longer endings stand before those they end in. */
const ENDINGS: readonly (readonly [string, ValueKind])[] = [
  ...(['table', 'partitioned-table', 'joined-table'] as const).map(
    (kind) => [`.${kind}.json`, kind] as const,
  ),
  ...(Object.keys(MEDIA_TYPES) as MediaKind[]).map(
    (kind) => [`.${MEDIA_TYPES[kind]}.json`, kind] as const,
  ),
  ['.json', 'json'],
  ['.npy', 'npy'],
  ['.bin', 'bytes'],
  ...TEXT.map((ending) => [`.${ending}`, 'text'] as const),
]
const KINDS: readonly ValueKind[] = [...new Set(ENDINGS.map(([, kind]) => kind))]

function endingOf(kind: ValueKind): string {
  return ENDINGS.find((each) => each[1] === kind)?.[0] as string
}
