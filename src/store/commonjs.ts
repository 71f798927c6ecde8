/**
 * CommonJS packages, required and not imported: an import makes Node look through their sources for exports, which costs
 * 45 ms for `ignore` and 10 ms for `better-sqlite3` at every start; requiring them costs 1 and 2 ms.
 */
import { createRequire } from 'node:module'
import type DatabaseConstructor from 'better-sqlite3'
import type ignoreFunction from 'ignore'

const load = createRequire(import.meta.url)

/** Makes a list of gitignore patterns. */
export function ignore(options?: ignoreFunction.Options): ignoreFunction.Ignore {
  return (load('ignore') as typeof ignoreFunction)(options)
}

export const Database: typeof DatabaseConstructor = load('better-sqlite3')
