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

if (Number(process.versions.node.split('.')[0]) >= 24) keepStatements()

/**
 * Under Node 24 the process aborts when a statement or database of better-sqlite3 12 is collected as garbage (its
 * destructor looks for an environment that is not there), so none ever is: some kilobytes for each store that is opened.
 */
function keepStatements(): void {
  const kept = new Set<object>()
  const database = new Database(':memory:')
  const native = Object.getOwnPropertySymbols(database)
    .map((symbol) => Reflect.get(database, symbol) as { prepare?: unknown } | undefined)
    .find((value) => typeof value?.prepare === 'function')
  if (native === undefined) return
  kept.add(native)
  const prototype = Object.getPrototypeOf(native) as { prepare: (...given: unknown[]) => object }
  const { prepare } = prototype
  prototype.prepare = function keep(this: object, ...given) {
    const statement = prepare.apply(this, given)
    kept.add(statement).add(this)
    return statement
  }
  database.close()
}
