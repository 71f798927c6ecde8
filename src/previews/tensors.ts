/** The names, types and shapes of tensors, from headers alone. */
import { readArray } from '../content-diff/npy.ts'
import { readContents } from '../content-diff/safetensors.ts'
import { Unfit } from '../content-diff/unfit.ts'
import type { Previewed, PreviewLimits } from './preview.ts'

export interface TensorsPreview {
  readonly kind: 'tensors'
  readonly format: 'safetensors' | 'npy'
  readonly packed?: 'gzip'
  /** Tensors in the file, and elements of all of them. */
  readonly count: number
  readonly elements: number
  /** The first of them, in the order of the file. */
  readonly tensors: readonly PreviewedTensor[]
}

export interface PreviewedTensor {
  /** None in a file of one. */
  readonly name?: string
  readonly dtype: string
  readonly shape: readonly number[]
}

/** The names of some 20,000 tensors. */
const MAX_HEADER = 2 << 20

/** Undefined for what is no such file, and for a header that is too long to be looked at in passing. */
export function safetensorsPreview(
  source: Previewed,
  { lines }: PreviewLimits,
): TensorsPreview | undefined {
  const contents = readContents(source, MAX_HEADER)
  if (contents instanceof Unfit) return undefined
  const all = Array.from(contents.tensors, ([name, { dtype, shape }]) => ({ name, dtype, shape }))
  return {
    kind: 'tensors',
    format: 'safetensors',
    count: all.length,
    elements: all.reduce((sum, { shape }) => sum + elementsOf(shape), 0),
    tensors: all.slice(0, lines),
  }
}

/** Undefined for what is no such file. */
export function npyPreview(source: Previewed): TensorsPreview | undefined {
  const array = readArray(source)
  if (array instanceof Unfit) return undefined
  const { dtype, shape } = array
  return {
    kind: 'tensors',
    format: 'npy',
    count: 1,
    elements: elementsOf(shape),
    tensors: [{ dtype, shape }],
  }
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1)
}
