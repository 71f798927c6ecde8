/** Files of which every other one is text and the rest noise, spread over folders: a source tree with its data. */

import type { TreeSpec } from './file-tree.ts'
import { noiseOf, randomOf } from './random.ts'
import { DOCUMENT_KINDS, EXTENSIONS, LINE_LIMIT, sentence, writeDocument } from './text.ts'
import { TextWriter } from './text-writer.ts'

export interface MixedFiles {
  readonly seed: string
  readonly files: number
  readonly smallest: number
  readonly largest: number
  folderOf(n: number): string
}

export function mixedFiles(shape: MixedFiles): TreeSpec {
  const random = randomOf(shape.seed)
  const noise = noiseOf(shape.seed)
  const out = new TextWriter(shape.largest + LINE_LIMIT)
  return {
    seed: shape.seed,
    files: shape.files,
    make: (n) => {
      const size = shape.smallest + random(shape.largest - shape.smallest + 1)
      const name = `${shape.folderOf(n)}/${String(n).padStart(7, '0')}`
      if (n % 2 === 1) return { path: `${name}.bin`, bytes: noise(size) }
      const kind = DOCUMENT_KINDS[random(DOCUMENT_KINDS.length)] ?? 'prose'
      return {
        path: `${name}${EXTENSIONS[kind]}`,
        bytes: writeDocument(out, kind, size, random),
      }
    },
    edit: (bytes) => {
      const at = random(bytes.length)
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(sentence(random)),
        bytes.subarray(at),
      ])
    },
  }
}
