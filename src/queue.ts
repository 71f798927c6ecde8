/** Steps that run one after the other, in the order of their calls; a step that fails holds up none. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(step: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(step)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Resolves when all that was called before is done. */
  async idle(): Promise<void> {
    await this.#last
  }
}
