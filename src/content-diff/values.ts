/**
 * Values by their place. Equal subtrees get equal numbers first (hash consing), so that comparing two of them is
 * comparing two numbers; then both documents are walked together. Of arrays, the longest common subsequence stays, and
 * what stands in its gaps is paired in order.
 */
import type { Json } from '../types.ts'
import type { ValueChange, ValuesDifference } from './difference.ts'
import { type Gap, gapsOf } from './gaps.ts'
import { MAX_DEPTH, type Mark, unmarked } from './json.ts'

/** Elements added to and removed from an array that are looked for; the work grows with their square. */
const MAX_EDITS = 2_000

export interface ValuesOptions {
  readonly format: ValuesDifference['format']
  readonly mark: Mark
  /** Changes that are listed; all are counted. */
  readonly limit: number
}

export async function compareValues(
  before: Json,
  after: Json,
  { format, mark, limit }: ValuesOptions,
): Promise<ValuesDifference> {
  const { diffArrays } = await import('diff')
  const gaps: FindGaps = (a, b) => {
    const parts = diffArrays(Array.from(a), Array.from(b), { maxEditLength: MAX_EDITS })
    return parts === undefined ? [[0, a.length, 0, b.length]] : gapsOf(parts)
  }
  const walk = new Walk(gaps, mark, limit)
  walk.compare(before, after, '', '')
  const { added, removed, changed } = walk.counts
  const omitted = added + removed + changed - walk.changes.length
  const isSame = added + removed + changed === 0
  const notes = isSame ? ['The same values, written differently.'] : []
  return { kind: 'values', format, added, removed, changed, changes: walk.changes, omitted, notes }
}

type FindGaps = (a: readonly number[], b: readonly number[]) => Gap[]

class Walk {
  readonly changes: ValueChange[] = []
  readonly counts = { added: 0, removed: 0, changed: 0 }
  readonly #gaps: FindGaps
  readonly #mark: Mark
  readonly #limit: number
  readonly #numbers = new Map<string, number>()
  readonly #known = new WeakMap<object, number>()

  constructor(gaps: FindGaps, mark: Mark, limit: number) {
    this.#gaps = gaps
    this.#mark = mark
    this.#limit = limit
  }

  compare(before: Json, after: Json, from: string, path: string): void {
    if (this.#number(before) === this.#number(after)) return
    if (Array.isArray(before) && Array.isArray(after)) {
      this.#compareArrays(before, after, from, path)
    } else if (isRecord(before) && isRecord(after)) {
      for (const key of Object.keys(before)) {
        const step = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
        if (Object.hasOwn(after, key)) {
          this.compare(before[key] as Json, after[key] as Json, from + step, path + step)
        } else {
          this.#removed(from + step, before[key] as Json)
        }
      }
      for (const key of Object.keys(after)) {
        if (Object.hasOwn(before, key)) continue
        const step = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
        this.#added(path + step, after[key] as Json)
      }
    } else {
      this.#changed(from, path, before, after)
    }
  }

  #compareArrays(
    before: readonly Json[],
    after: readonly Json[],
    from: string,
    path: string,
  ): void {
    const a = before.map((item) => this.#number(item))
    const b = after.map((item) => this.#number(item))
    let start = 0
    while (start < a.length && start < b.length && a[start] === b[start]) start++
    let end = 0
    while (
      end < Math.min(a.length, b.length) - start &&
      a[a.length - 1 - end] === b[b.length - 1 - end]
    ) {
      end++
    }
    const gaps = this.#gaps(a.slice(start, a.length - end), b.slice(start, b.length - end))
    for (const [i, iEnd, j, jEnd] of gaps) {
      const pairs = Math.min(iEnd - i, jEnd - j)
      for (let k = 0; k < Math.max(iEnd - i, jEnd - j); k++) {
        const [x, y] = [start + i + k, start + j + k]
        if (k < pairs) {
          this.compare(before[x] as Json, after[y] as Json, `${from}/${x}`, `${path}/${y}`)
        } else if (iEnd - i > pairs) {
          this.#removed(`${from}/${x}`, before[x] as Json)
        } else {
          this.#added(`${path}/${y}`, after[y] as Json)
        }
      }
    }
  }

  #added(path: string, after: Json): void {
    this.counts.added++
    if (this.#hasRoom()) this.changes.push({ kind: 'added', path, after: this.#plain(after) })
  }

  #removed(path: string, before: Json): void {
    this.counts.removed++
    if (this.#hasRoom()) this.changes.push({ kind: 'removed', path, before: this.#plain(before) })
  }

  #changed(from: string, path: string, before: Json, after: Json): void {
    this.counts.changed++
    if (!this.#hasRoom()) return
    this.changes.push({
      kind: 'changed',
      path,
      ...(from === path ? {} : { from }),
      before: this.#plain(before),
      after: this.#plain(after),
    })
  }

  #hasRoom(): boolean {
    return this.changes.length < this.#limit
  }

  #plain(value: Json): Json {
    return unmarked(value, this.#mark)
  }

  /** Equal for equal values, whatever the order of their keys. */
  #number(value: Json, depth = 0): number {
    if (depth > MAX_DEPTH) throw new RangeError('A value has more levels than was checked.')
    if (value === null || typeof value !== 'object') {
      return this.#numberOf(typeof value === 'string' ? `"${value}` : String(value))
    }
    const known = this.#known.get(value)
    if (known !== undefined) return known
    const number = this.#numberOf(
      Array.isArray(value)
        ? `[${value.map((item) => this.#number(item, depth + 1)).join()}`
        : `{${Object.entries(value)
            .map(
              ([key, item]) =>
                `${this.#numberOf(`"${key}`)}:${this.#number(item as Json, depth + 1)}`,
            )
            .sort()
            .join()}`,
    )
    this.#known.set(value, number)
    return number
  }

  #numberOf(key: string): number {
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, this.#numbers.size)
    return this.#numbers.size - 1
  }
}

function isRecord(value: Json): value is { readonly [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
