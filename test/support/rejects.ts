import * as assert from 'uvu/assert'
import { ArtifactsError, type ErrorCode } from '../../src/errors.ts'

/** Asserts that the promise fails with this code; returns the error, for a look at its message. */
export async function rejects(promise: Promise<unknown>, code: ErrorCode): Promise<ArtifactsError> {
  try {
    await promise
  } catch (error) {
    return withCode(error, code)
  }
  assert.unreachable(`should have failed with ${code}`)
  throw new Error('unreachable')
}

/** Asserts that the function throws this code; returns the error. */
export function throwsCode(run: () => unknown, code: ErrorCode): ArtifactsError {
  try {
    run()
  } catch (error) {
    return withCode(error, code)
  }
  assert.unreachable(`should have thrown ${code}`)
  throw new Error('unreachable')
}

function withCode(error: unknown, code: ErrorCode): ArtifactsError {
  if (!(error instanceof ArtifactsError)) throw error
  assert.is(error.code, code, error.message)
  return error
}
