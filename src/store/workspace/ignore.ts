/**
 * Which paths a walk leaves out: the `.artifactsignore` of every directory on the way down, in gitignore grammar, and
 * the patterns of `--exclude` and `--include`. As in git, the deepest file with something to say about a path decides,
 * within a file the last pattern that matches does, and what lies in an excluded directory is not looked at.
 *
 * The grammar is that of the `ignore` package. It also calls everything below an excluded directory excluded, which
 * one list alone cannot know here: a deeper file may have brought the directory back. See `PatternList.reopened`.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import type { Ignore } from 'ignore'
import { ArtifactsError } from '../../errors.ts'
import { ignore } from '../commonjs.ts'

/** The file with a directory's patterns; it is stored like any other file. */
export const IGNORE_FILE = '.artifactsignore'

/** Pattern lists that apply in a directory; the first one that has something to say about a path decides. */
export interface Rules {
  /** From `--exclude`. */
  readonly first: PatternList | undefined
  /** From the files, the deepest first. */
  readonly lists: readonly PatternList[]
}

/** Rules of the walk's root, before any file is read. Patterns are relative to the root. */
export function rulesOf(exclude: readonly string[]): Rules | undefined {
  if (exclude.length === 0) return undefined
  return { first: new PatternList(compile(exclude), ''), lists: [] }
}

/** Rules in `directory`, whose ignore file says `text`. */
export function withPatterns(rules: Rules | undefined, directory: string, text: string): Rules {
  const list = new PatternList(compile(text), directory === '' ? '' : `${directory}/`)
  return { first: rules?.first, lists: [list, ...(rules?.lists ?? [])] }
}

/**
 * Returns the text of a file of patterns.
 * @throws ArtifactsError `ERR_CONFIG` when it is larger than 4 MiB, which no hand writes.
 */
export function readPatterns(location: string): string {
  const fd = openSync(location, OPEN_FLAGS)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) return ''
    if (stat.size <= LARGEST_IGNORE_FILE) return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
  throw new ArtifactsError('ERR_CONFIG', `"${location}" is too large for a list of patterns`, {
    hint: `An ${IGNORE_FILE} has at most 4 MiB.`,
  })
}

/** True if `path` is left out. The path of a directory ends with `/`; its parents are not left out. */
export function isExcluded(rules: Rules, path: string): boolean {
  const verdict = rules.first?.test(path)
  if (verdict !== undefined) return verdict
  for (const list of rules.lists) {
    const found = list.test(path)
    if (found !== undefined) return found
  }
  return false
}

/** Rules for what is in `directory` (with its `/`), which is not left out. Mostly the same object. */
export function rulesInside(rules: Rules, directory: string): Rules {
  const hides = (list: PatternList): boolean => list.test(directory) === true
  if (!rules.lists.some(hides)) return rules
  return {
    first: rules.first,
    lists: rules.lists.map((list) => (hides(list) ? list.reopened(directory) : list)),
  }
}

/** The patterns of one file, or of the command line. */
export class PatternList {
  readonly #patterns: Ignore
  readonly #prefix: string
  #matcher: Ignore
  #tests = 0

  /** @param prefix of the paths that the patterns are about: empty, or a directory with its `/`. */
  constructor(patterns: Ignore, prefix: string) {
    this.#patterns = patterns
    this.#prefix = prefix
    this.#matcher = patterns
  }

  /** True: left out. False: brought back by a pattern with `!`. Undefined: no pattern matches. */
  test(path: string): boolean | undefined {
    if (++this.#tests > RENEW_TESTS) {
      this.#tests = 0
      this.#matcher = compile(this.#patterns)
    }
    const { ignored, unignored } = this.#matcher.test(path.slice(this.#prefix.length))
    return ignored ? true : unignored ? false : undefined
  }

  /** The same patterns where something else has brought `directory` back: they no longer hide all that is in it. */
  reopened(directory: string): PatternList {
    const literal = directory.slice(this.#prefix.length).replace(/[\\*?[\]! ]/g, '\\$&')
    return new PatternList(compile(this.#patterns).add([`!/${literal}`]), this.#prefix)
  }
}

/** Patterns as `--include` takes them: `test` says true for what is wanted, and for everything below it. */
export function wanted(include: readonly string[]): PatternList | undefined {
  return include.length === 0 ? undefined : new PatternList(compile(include), '')
}

const LARGEST_IGNORE_FILE = 4 << 20
/** Neither follows a link nor waits for a FIFO that came in the file's place. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** A matcher remembers every path it has seen; after so many it is replaced by a fresh one with the same patterns. */
const RENEW_TESTS = 10_000

function compile(patterns: string | readonly string[] | Ignore): Ignore {
  return ignore({ ignorecase: false }).add(patterns)
}
