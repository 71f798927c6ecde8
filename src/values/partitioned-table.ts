/** A folder of tables that is read as one: what parallel writers leave behind. */
import * as v from 'valibot'
import { ArtifactsError } from '../errors.ts'
import type { Cell } from './cells.ts'
import { jsonText } from './json-text.ts'
import { decodeTable, type Table } from './table.ts'
import { readJson, type ValueSource } from './value-files.ts'

export class PartitionedTable {
  /** The folder, in the same artifact. */
  readonly partsPath: string
  readonly #files: ValueSource | undefined

  /** @param files absent until it is read from a version or draft, which has the tables. */
  constructor(partsPath: string, files?: ValueSource) {
    this.partsPath = partsPath.replace(/\/+$/, '')
    this.#files = files
  }

  /** The tables below the folder in the order of their paths, each read when its turn comes. */
  async *parts(): AsyncGenerator<{ readonly path: string; readonly table: Table }> {
    const files = this.#files
    if (files === undefined) throw notRead(`parts of "${this.partsPath}"`)
    for await (const path of files.paths(this.partsPath === '' ? '' : `${this.partsPath}/`)) {
      if (path.endsWith('.table.json')) yield { path, table: await decodeTable(files, path) }
    }
  }

  /** The rows of all tables. @throws ArtifactsError ERR_INVALID_VALUE for a table of other columns than the first. */
  async *rows(): AsyncGenerator<readonly Cell[]> {
    let first: { readonly path: string; readonly columns: string } | undefined
    for await (const { path, table } of this.parts()) {
      const columns = JSON.stringify(table.columns)
      first ??= { path, columns }
      if (columns !== first.columns) {
        throw new ArtifactsError(
          'ERR_INVALID_VALUE',
          `"${path}" has the columns ${columns}, "${first.path}" has ${first.columns}.`,
          { hint: 'Read the parts one by one: `parts()`.' },
        )
      }
      yield* table.data
    }
  }
}

export function encodePartitionedTable({ partsPath }: PartitionedTable, path: string): Uint8Array {
  return Buffer.from(`${jsonText({ _type: 'partitioned-table', parts_path: partsPath }, path)}\n`)
}

/** @throws ArtifactsError ERR_INVALID_VALUE. */
export async function decodePartitionedTable(
  source: ValueSource,
  path: string,
): Promise<PartitionedTable> {
  const json = await readJson(source, path)
  if (v.is(DOCUMENT, json)) return new PartitionedTable(json.parts_path, source)
  throw new ArtifactsError('ERR_INVALID_VALUE', `"${path}" names no folder of tables.`)
}

/** A value that has no files yet. */
export function notRead(what: string): ArtifactsError {
  return new ArtifactsError(
    'ERR_USAGE',
    `The ${what} can't be read before the artifact is known.`,
    {
      hint: 'Add the value to an artifact, and get it from there.',
    },
  )
}

const DOCUMENT = v.object({
  _type: v.literal('partitioned-table'),
  parts_path: v.string(),
})
