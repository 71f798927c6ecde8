import type { Context } from './command.ts'
import { count, listed } from './render.ts'

/** Says which references a directory goes without. */
export function remarkMissing(paths: readonly string[], { remark }: Context): void {
  if (paths.length > 0) remark(`Without ${count(paths.length, 'reference')}: ${listed(paths)}.`)
}
