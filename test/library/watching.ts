/** A watch that runs beside a test, and what it has told. */
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import type { Store, WatchEvent, WatchOptions } from '../../src/index.ts'
import type { Workspace } from './workspace.ts'

export class Watching implements AsyncDisposable {
  readonly events: WatchEvent[] = []
  readonly #stop = new AbortController()
  readonly #done: Promise<void>

  constructor(store: Store, dir: string, options: WatchOptions = {}) {
    const { signal } = this.#stop
    const follow = async (): Promise<void> => {
      for await (const event of store.watch(dir, { settle: 200, jobs: 0, ...options, signal })) {
        this.events.push(event)
      }
    }
    this.#done = follow()
    this.#done.catch(() => {})
  }

  get versions(): string[] {
    return this.events.flatMap((event) => (event.type === 'version' ? [event.report.ref] : []))
  }

  has(type: WatchEvent['type']): boolean {
    return this.events.some((event) => event.type === type)
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    for (let waited = 0; !condition(); waited += 20) {
      if (waited > 15_000) throw new Error(`${what} did not happen: ${JSON.stringify(this.events)}`)
      await Promise.race([sleep(20), this.#done.then(() => assert.unreachable('The watch ended.'))])
    }
  }

  /** Waits for a version with this number. */
  version(number: number): Promise<void> {
    return this.until(() => this.versions.some((ref) => ref.endsWith(`:v${number}`)), `v${number}`)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** A file of a version. */
export async function textOf({ store }: Workspace, ref: string, path: string): Promise<string> {
  return Buffer.concat([...store.read(ref, path)]).toString()
}
