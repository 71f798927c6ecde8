/** Whether single paths are left out by the `.artifactsignore` files above them, as a walk from the root would find. */
import { isSystemError } from '../../errors.ts'
import {
  IGNORE_FILE,
  isExcluded,
  type Rules,
  readPatterns,
  rulesInside,
  withPatterns,
} from './ignore.ts'

export class IgnoredPaths {
  readonly #root: string
  readonly #rules = new Map<string, Rules | undefined>()

  /** @param root absolute */
  constructor(root: string) {
    this.#root = root
  }

  /** @param path relative to the root, with `/`; of a directory with one at its end */
  test(path: string): boolean {
    for (let end = path.indexOf('/'); end >= 0 && end < path.length - 1; ) {
      if (this.#isExcluded(path.slice(0, end + 1))) return true
      end = path.indexOf('/', end + 1)
    }
    return this.#isExcluded(path)
  }

  /** Reads the files anew when they are asked for next. */
  forget(): void {
    this.#rules.clear()
  }

  #isExcluded(path: string): boolean {
    const end = path.lastIndexOf('/', path.length - 2)
    const rules = this.#rulesIn(end < 0 ? '' : path.slice(0, end))
    return rules !== undefined && isExcluded(rules, path)
  }

  #rulesIn(directory: string): Rules | undefined {
    if (this.#rules.has(directory)) return this.#rules.get(directory)
    const end = directory.lastIndexOf('/')
    let rules: Rules | undefined
    if (directory !== '') {
      rules = this.#rulesIn(end < 0 ? '' : directory.slice(0, end))
      if (rules !== undefined) rules = rulesInside(rules, `${directory}/`)
    }
    const patterns = this.#patternsIn(directory)
    if (patterns !== undefined) rules = withPatterns(rules, directory, patterns)
    this.#rules.set(directory, rules)
    return rules
  }

  #patternsIn(directory: string): string | undefined {
    const prefix = directory === '' ? '' : `${directory}/`
    try {
      return readPatterns(`${this.#root}/${prefix}${IGNORE_FILE}`)
    } catch (error) {
      // What can't be read is told of by the walk.
      if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENXIO')) return undefined
      throw error
    }
  }
}
