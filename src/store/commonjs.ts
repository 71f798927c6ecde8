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

if (Number(process.versions.node.split('.')[0]) >= 24) keepNatives()

type Method = (this: object, ...given: unknown[]) => unknown

/**
 * Under Node 24 the process aborts when a statement, an iterator or a database of better-sqlite3 12 is collected as garbage
 * (its destructor looks for an environment that is not there), so none ever is: some kilobytes for each store that is opened.
 */
function keepNatives(): void {
  const database = new Database(':memory:')
  const native = Object.getOwnPropertySymbols(database)
    .map((symbol) => Reflect.get(database, symbol) as object | undefined)
    .find((value) => typeof Reflect.get(value ?? {}, 'prepare') === 'function')
  if (native === undefined) return
  const prototype = Object.getPrototypeOf(native) as Record<string, Method>
  const kept = new Set<unknown>([native])
  for (const name of ['prepare', 'exec', 'close']) {
    const method = prototype[name]
    if (method === undefined) continue
    prototype[name] = function keep(...given) {
      kept.add(this)
      const made = method.apply(this, given)
      if (name === 'prepare') kept.add(made)
      return made
    }
  }
  const statements = Object.getPrototypeOf(database.prepare('SELECT 1')) as Record<string, Method>
  const { iterate } = statements
  if (iterate !== undefined) {
    statements['iterate'] = function keep(...given) {
      const made = iterate.apply(this, given)
      kept.add(made)
      return made
    }
  }
  database.close()
}
