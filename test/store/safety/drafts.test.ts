/** Writers and finishers at once: what is added is in one version, and in one only. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Artifact, ArtifactsError } from '../../../src/index.ts'
import { isFull, newWorkspace } from './workspace.ts'

const test = suite('drafts of many processes')

const WRITERS = isFull ? 12 : 5
const PARTS = isFull ? 20 : 4
const CHILD = fileURLToPath(new URL('./draft-child.js', import.meta.url))

test(`${WRITERS} processes add ${PARTS} parts each while others finish`, async () => {
  await using workspace = await newWorkspace()
  let running = WRITERS
  const writers = Array.from({ length: WRITERS }, async (_, self) => {
    const args = [CHILD, workspace.path, String(self), String(PARTS)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    assert.equal((await once(child, 'close'))[0], 0)
    running--
  })
  await workspace.run(async (store) => {
    const run = await store.startRun({ group: 'all' })
    while (running > 0) {
      await finish(run)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await Promise.all(writers)
    await finish(run)
  })
  // The index is made anew, from the log alone.
  rmSync(join(workspace.root, 'index'))
  await workspace.run(async (store) => {
    assert.equal(store.drafts(), [])
    const found: string[] = []
    const versions: string[] = []
    for await (const version of store.artifacts({ name: 'sweep' })) {
      versions.push(version.ref)
      for await (const { path } of version.files()) found.push(path)
    }
    const expected = Array.from({ length: WRITERS }, (_, self) =>
      Array.from({ length: PARTS }, (_, part) => `${self}/${part}`),
    )
    assert.equal(found.sort(), expected.flat().sort())
    // On a busy machine the writers may all be done before the first version.
    process.stdout.write(`\nnote: ${versions.length} versions while others wrote\n`)
    assert.ok(versions.length > 0)
    assert.ok((await store.verify('sweep')).ok)
  })
})

/** Makes a version of what there is, if there is anything. */
async function finish(run: {
  finishArtifact(artifact: Artifact): Promise<unknown>
}): Promise<void> {
  try {
    await run.finishArtifact(new Artifact('sweep', { type: 'dataset' }))
  } catch (error) {
    if (!(error instanceof ArtifactsError) || error.code !== 'ERR_NOT_FOUND') throw error
  }
}

test.run()
