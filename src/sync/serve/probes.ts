/**
 * What a probe puts (docs/remote.md section 3): small files that mean nothing, kept in memory for a few minutes. Nothing that
 * arrives there touches the disk.
 */
export interface Probe {
  readonly bytes: Buffer
  /** Milliseconds since 1970. */
  readonly modified: number
}

export const MOST_PROBE_BYTES = 65_536
const MOST_PROBES = 256
const KEPT_MS = 10 * 60_000

export class Probes {
  readonly #files = new Map<string, Probe>()

  get(name: string): Probe | undefined {
    this.#expire()
    return this.#files.get(name)
  }

  put(name: string, bytes: Buffer): void {
    this.#expire()
    this.#files.delete(name)
    if (this.#files.size === MOST_PROBES) this.delete(this.#oldest() as string)
    this.#files.set(name, { bytes, modified: Date.now() })
  }

  delete(name: string): void {
    this.#files.delete(name)
  }

  names(): string[] {
    this.#expire()
    return [...this.#files.keys()]
  }

  /** They stand in the order in which they came. */
  #oldest(): string | undefined {
    return this.#files.keys().next().value
  }

  #expire(): void {
    const before = Date.now() - KEPT_MS
    for (const [name, { modified }] of this.#files) {
      if (modified >= before) return
      this.#files.delete(name)
    }
  }
}
