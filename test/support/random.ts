/** Repeatable chance for tests: the same seed gives the same numbers everywhere. */
export interface Random {
  /** At least 0, below 1. */
  next(): number
  /** A whole number, both bounds included. */
  integer(min: number, max: number): number
  pick<T>(items: readonly T[]): T
  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[]
  bytes(length: number): Buffer
  /** Words and line ends; `length` characters, all ASCII. */
  text(length: number): string
}

/** splitmix32 (Steele, Lea and Flood, OOPSLA 2014; the mixer of MurmurHash3). */
export function seededRandom(seed: number): Random {
  let state = seed | 0

  function word(): number {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }

  const next = (): number => word() / 2 ** 32
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))

  return {
    next,
    integer,
    pick(items) {
      const index = integer(0, items.length - 1)
      if (items.length === 0) throw new Error('nothing to pick from')
      return items[index] as (typeof items)[number]
    },
    shuffle(items) {
      const copy = [...items]
      for (let last = copy.length - 1; last > 0; last--) {
        const other = integer(0, last)
        const moved = copy[last] as (typeof copy)[number]
        copy[last] = copy[other] as (typeof copy)[number]
        copy[other] = moved
      }
      return copy
    },
    bytes(length) {
      const words = new Uint32Array(Math.ceil(length / 4))
      for (let i = 0; i < words.length; i++) words[i] = word()
      return Buffer.from(words.buffer, 0, length)
    },
    text(length) {
      let text = ''
      while (text.length < length) {
        text += WORDS[integer(0, WORDS.length - 1)]
        text += integer(0, 9) === 0 ? '\n' : ' '
      }
      return text.slice(0, length)
    },
  }
}

const WORDS = 'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi'.split(' ')
