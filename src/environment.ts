/** The one place of the library that looks at the process: what `Store.open` takes where it is told nothing. */
import type { Variables } from './sync/net/network.ts'

/** The variables of the process, as they are now. */
export function processVariables(): Variables {
  return process.env
}
