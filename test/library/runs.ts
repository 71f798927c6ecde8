export interface Runs {
  readonly numRuns: number
  readonly includeErrorInReport: true
  readonly endOnFailure: true
}

/** How a property is run: ten times as often with `npm run test:full`. A failure names the seed and what was wrong. */
export function runs(numRuns: number): Runs {
  const factor = process.env['ARTIFACTS_TEST_FULL'] === '1' ? 10 : 1
  return { numRuns: numRuns * factor, includeErrorInReport: true, endOnFailure: true }
}
