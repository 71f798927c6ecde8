/** Arrays as NumPy writes them, one in a file. */
import { ArtifactsError } from '../errors.ts'
import { NPY_HEAD, npyHeader } from '../values/npy.ts'
import type { CompareOptions } from './compare.ts'
import type { TensorsDifference } from './difference.ts'
import { numbersOf } from './numbers.ts'
import type { Source } from './source.ts'
import { compareTensors, type Tensor } from './tensors.ts'
import { Unfit } from './unfit.ts'

/** @returns Unfit for files that are none, and for arrays of records. */
export async function compareNpy(
  before: Source,
  after: Source,
  options: Pick<CompareOptions, 'limit' | 'signal'>,
): Promise<TensorsDifference | Unfit> {
  const a = readArray(before)
  if (a instanceof Unfit) return a
  const b = readArray(after)
  if (b instanceof Unfit) return b
  const counts = await compareTensors(
    before,
    after,
    new Map([['', a]]),
    new Map([['', b]]),
    options,
  )
  const notes = counts.changed === 0 ? ['The same array, written differently.'] : []
  return { kind: 'tensors', format: 'npy', ...counts, metadata: [], notes }
}

/** What the header says. */
export function readArray(source: Source): Tensor | Unfit {
  try {
    const { descr, isFortran, shape, start } = npyHeader(
      source.read(0, NPY_HEAD),
      source.size,
      source.path,
    )
    const [, endian, kind = '', digits] = /^'([<>|=])([a-zA-Z])(\d{1,9})/.exec(descr) ?? []
    const itemBytes = Number(digits) * (kind === 'U' ? 4 : 1)
    const elements = shape.reduce((product, length) => product * length, 1)
    if (!(itemBytes > 0)) return new Unfit('its elements are records')
    if (elements * itemBytes !== source.size - start) {
      return new Unfit('it has not as many bytes as its header says')
    }
    const encoding = kind === 'b' ? 'u1' : `${kind}${digits}`
    return {
      dtype: `${descr.slice(1, -1)}${isFortran ? ' (Fortran order)' : ''}`,
      shape,
      start,
      end: source.size,
      itemBytes,
      isBigEndian: endian === '>',
      ...(numbersOf(encoding) === undefined ? {} : { encoding }),
    }
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_INVALID_VALUE') {
      return new Unfit('its header is none')
    }
    throw error
  }
}
