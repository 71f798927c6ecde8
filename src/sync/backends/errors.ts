/** The errors that all backends have in common; what is worth another attempt says so. */
import { ArtifactsError } from '../../errors.ts'
import type { Range } from '../backend.ts'

/** True for an error that may be gone when the same is asked again. */
export function isPassing(error: unknown): error is ArtifactsError {
  return error instanceof ArtifactsError && error.data['passing'] === true
}

/** Milliseconds that the remote asked to wait before another attempt. */
export function askedPause(error: ArtifactsError): number {
  const { retryAfter } = error.data
  return typeof retryAfter === 'number' ? retryAfter : 0
}

export function absent(url: string): ArtifactsError {
  return new ArtifactsError('ERR_NOT_FOUND', `There is nothing at "${url}".`, {
    hint: 'Check the address; what was there may be gone.',
    data: { url },
  })
}

/** A range that the file does not have; undefined: it has it. A server may refuse a range without telling the size. */
export function outside(
  url: string,
  size: number | undefined,
  range: Range,
): ArtifactsError | undefined {
  if (size !== undefined && range.end <= size) return undefined
  const has = size === undefined ? 'fewer bytes' : `${size} bytes`
  return new ArtifactsError(
    'ERR_INVALID_VALUE',
    `"${url}" has ${has}; it was asked for ${range.start} to ${range.end}.`,
    { hint: 'What lies there was cut or changed.', data: { url } },
  )
}

export function takesNoFiles(url: string): ArtifactsError {
  return new ArtifactsError('ERR_READ_ONLY', `"${url}" can only be read.`, {
    hint: 'Push to a folder, a bucket or `artifacts serve`.',
    data: { url },
  })
}

export function knowsNoCondition(url: string, said: string): ArtifactsError {
  return new ArtifactsError(
    'ERR_UNSUPPORTED',
    `"${url}" can't make a file only where there is none (${said}).`,
    {
      hint: 'Where one machine alone writes to it, add it with `--single-writer`.',
      data: { url },
    },
  )
}

export function givesNoList(url: string): ArtifactsError {
  return new ArtifactsError('ERR_UNSUPPORTED', `"${url}" does not tell what lies there.`, {
    hint: 'Do it where the files are.',
    data: { url },
  })
}
