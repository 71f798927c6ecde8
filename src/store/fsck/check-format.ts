/** Checks `format.json`. Where it is damaged, the rest is examined with what other files tell of it. */
import { existsSync } from 'node:fs'
import { ArtifactsError } from '../../errors.ts'
import { decodeFormat, readFormat } from '../format.ts'
import type { Counts, Examination } from './examination.ts'
import { recoverFormat, storeIdOfIndex } from './mend-format.ts'

/** @throws ArtifactsError ERR_NO_STORE, ERR_UNSUPPORTED: then there is nothing to examine. */
export function checkFormat(examination: Examination): Counts {
  const { layout, problems } = examination
  try {
    examination.identity = readFormat(layout.format)
    examination.isIdentityKnown = true
  } catch (error) {
    if (!(error instanceof ArtifactsError)) throw error
    const isMissing = error.code === 'ERR_NO_STORE' && existsSync(layout.log)
    if (error.code !== 'ERR_DAMAGED' && !isMissing) throw error
    const what = isMissing ? 'is missing' : 'is not as it was written'
    problems.add('format', layout.format, what)
    const recovered = recoverFormat(layout)
    examination.isIdentityKnown = recovered !== undefined
    examination.identity =
      recovered === undefined
        ? { id: storeIdOfIndex(layout) ?? '0'.repeat(32), hash: '' }
        : decodeFormat(recovered.toString(), layout.format)
  }
  return { files: 1 }
}
