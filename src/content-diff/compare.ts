/**
 * What differs inside two files, by kind. The name says what a file is; what turns out not to be that is compared as
 * text, and what is no text by its bytes, of which the lists of chunks say how many differ.
 */
import { compareCsv, type TableOptions } from './csv.ts'
import type { BytesDifference, ContentDifference } from './difference.ts'
import { compareDocuments } from './documents.ts'
import { ownBytes } from './shared.ts'
import type { Source } from './source.ts'
import { compareTexts } from './text.ts'
import { Unfit } from './unfit.ts'

export interface CompareOptions extends TableOptions {
  /** Milliseconds until the reader of a file that says nothing is given up. */
  readonly patience?: number
}

/** @throws ArtifactsError of the sources, and the signal's reason when it is aborted. */
export async function compareContents(
  before: Source,
  after: Source,
  options: CompareOptions,
): Promise<ContentDifference> {
  const notes: string[] = []
  const kind = kindOf(after.path)
  if (kind !== undefined) {
    const found = await compareAs(kind, before, after, options)
    if (!(found instanceof Unfit)) return found
    notes.push(`Not compared as ${NAMES[kind]}: ${found.reason}.`)
  }
  options.signal?.throwIfAborted()
  const found = await compareTexts(before, after)
  if (!(found instanceof Unfit)) return { ...found, notes: [...notes, ...found.notes] }
  return compareBytes(before, after, notes)
}

type Kind = 'json' | 'yaml' | 'csv' | 'tsv' | 'parquet' | 'safetensors' | 'npy' | 'image'

const NAMES: Readonly<Record<Kind, string>> = {
  json: 'JSON',
  yaml: 'YAML',
  csv: 'CSV',
  tsv: 'TSV',
  parquet: 'Parquet',
  safetensors: 'safetensors',
  npy: 'an array of NumPy',
  image: 'an image',
}

const ENDINGS: Readonly<Record<string, Kind>> = {
  json: 'json',
  geojson: 'json',
  ipynb: 'json',
  yaml: 'yaml',
  yml: 'yaml',
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  parquet: 'parquet',
  pq: 'parquet',
  safetensors: 'safetensors',
  npy: 'npy',
  png: 'image',
  jpg: 'image',
  jpeg: 'image',
  gif: 'image',
  webp: 'image',
}

function kindOf(path: string): Kind | undefined {
  const ending = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined
}

async function compareAs(
  kind: Kind,
  before: Source,
  after: Source,
  options: CompareOptions,
): Promise<ContentDifference | Unfit> {
  switch (kind) {
    case 'json':
    case 'yaml':
      return compareDocuments(before, after, kind, options.limit)
    case 'csv':
    case 'tsv':
      return compareCsv(before, after, kind, options)
    case 'parquet':
      return (await import('./parquet.ts')).compareParquet(before, after, options)
    case 'safetensors':
      return (await import('./safetensors.ts')).compareSafetensors(before, after, options)
    case 'image':
      return (await import('./images.ts')).compareImages(before, after)
    case 'npy':
      return (await import('./npy.ts')).compareNpy(before, after, options)
  }
}

function compareBytes(before: Source, after: Source, notes: readonly string[]): BytesDifference {
  const own = ownBytes(before.chunks(), after.chunks())
  return {
    kind: 'bytes',
    before: { size: before.size, own: own.before },
    after: { size: after.size, own: own.after },
    notes,
  }
}
