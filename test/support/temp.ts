import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TemporaryDirectory extends AsyncDisposable {
  /** Absolute, without symlinks. */
  readonly path: string
}

/** A new empty directory, removed with all that is in it: `await using dir = await temporaryDirectory()`. */
export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'artifacts-')))
  return {
    path,
    async [Symbol.asyncDispose]() {
      try {
        rmSync(path, { recursive: true, force: true, maxRetries: 3 })
      } catch {
        // Local copies are read-only, directories too.
        spawnSync('chmod', ['-R', 'u+rwX', path])
        rmSync(path, { recursive: true, force: true, maxRetries: 3 })
      }
    },
  }
}
