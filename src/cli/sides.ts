/** What `diff` compares: two refs, `A..B`, a ref and a directory, or a bound directory and its version. */
import type { DiffSide, Store, StoreReader } from '../index.ts'
import { boundDirectory } from './bound.ts'
import { UsageError } from './usage-error.ts'

export interface Place {
  readonly cwd: string
  readonly resolve: (path: string) => string
}

/** Reads `[A [B|DIR]]`, with the artifacts that `view` has. Throws UsageError where a directory is needed and none is bound. */
export function readSides(
  words: readonly string[],
  store: Store,
  view: StoreReader,
  place: Place,
): readonly [DiffSide, DiffSide] {
  const [a, b] = words.length === 1 ? splitRange(words[0] as string) : words
  if (a === undefined) {
    const { ref, dir } = boundDirectory(store, place.cwd)
    return [{ ref }, { dir }]
  }
  if (b !== undefined) {
    return [side(a, place), side(isDirectory(b) ? b : completed(b, a, store, view), place)]
  }
  if (!isDirectory(a)) return [{ ref: a }, { dir: boundDirectory(store, place.cwd).dir }]
  const dir = place.resolve(a)
  const bound = boundDirectory(store, dir)
  if (bound.dir === dir) return [{ ref: bound.ref }, { dir }]
  throw new UsageError(
    `"${a}" is not bound to an artifact.`,
    `Name the version to compare it with: \`artifacts diff REF ${a}\`.`,
  )
}

function side(word: string, { resolve }: Place): DiffSide {
  return isDirectory(word) ? { dir: resolve(word) } : { ref: word }
}

/** Where both fit, a directory is written so that no ref can look like it. */
function isDirectory(word: string): boolean {
  return word === '.' || word === '..' || /^\.{0,2}\//.test(word)
}

/** Names hold no `..`, so it can only stand between two of them. */
function splitRange(word: string): readonly (string | undefined)[] {
  if (isDirectory(word)) return [word]
  const [a, b, ...more] = word.split('..')
  return a && b && more.length === 0 ? [a, b] : [word]
}

/** The second ref may leave out the name: `v1`, `:best`, `~2`, or an alias that no artifact is named like. */
function completed(ref: string, first: string, store: Store, view: StoreReader): string {
  const name = /^[^:@~]+/.exec(first)?.[0]
  if (isDirectory(first) || name === undefined || /[@/]|.:/.test(ref)) return ref
  if (/^[:~]/.test(ref)) return `${name}${ref}`
  if (/^v\d+(~\d+)?$/.test(ref)) return `${name}:${ref}`
  const home = store.settings.get('project')
  const bare = ref.replace(/~.*/, '')
  const known = view.artifacts().some((it) => it.name === bare && it.project === home)
  return known ? ref : `${name}:${ref}`
}
