/** Files that change while they are committed: what is stored is a state that the file was in, or the file is named. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError, Store } from '../../../src/index.ts'
import { isFull, newWorkspace, readAll } from './workspace.ts'
import { APPENDED_BYTES, type Manner } from './writer-child.ts'

const test = suite('moving files')

const SCRIPT = join(import.meta.dirname, 'writer-child.js')
const SECONDS_EACH = isFull ? 20 : 1

/** A write that was interrupted for longer than a clock tick leaves a mixture that no time tells of. */
const LONG_WRITE_MS = 10

async function startWriter(file: string, manner: Manner, size: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [SCRIPT, file, manner, String(size), '1'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  return child
}

/** Ends it; returns how long its longest write took, ms. */
async function endWriter(child: ChildProcess): Promise<number> {
  let text = ''
  child.stdout?.on('data', (piece) => {
    text += piece
  })
  child.stdin?.end()
  await once(child, 'close')
  return Number(text)
}

function isOneGeneration(bytes: Buffer): boolean {
  return bytes.equals(Buffer.alloc(bytes.length, bytes[0]))
}

/** Appended whole: pieces of 1,000 bytes, each of them one generation, each the one after the one before. */
function isAppended(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += APPENDED_BYTES) {
    const piece = bytes.subarray(at, at + APPENDED_BYTES)
    if (piece.length !== APPENDED_BYTES || !isOneGeneration(piece)) return false
    if (at > 0 && piece[0] !== ((bytes[at - 1] as number) + 1) % 256) return false
  }
  return true
}

const CASES: readonly (readonly [Manner, number])[] = [
  ['rewrite', 60],
  ['rewrite', 50_000],
  ['rewrite', 1 << 20],
  ['rewrite', 6 << 20],
  ['replace', 60],
  ['replace', 50_000],
  ['replace', 6 << 20],
  ['append', 0],
]

for (const [manner, size] of CASES) {
  test(`one that another process goes on to ${manner}${size > 0 ? ` with ${size} bytes` : ' to'}`, async () => {
    await using workspace = await newWorkspace()
    const dir = join(workspace.path, 'd')
    const file = join(dir, 'moving')
    mkdirSync(dir)
    writeFileSync(join(dir, 'still'), 'still'.repeat(100))
    writeFileSync(file, Buffer.alloc(size))
    using store = await Store.open({ store: workspace.root })
    const writer = await startWriter(file, manner, size)
    const stored = new Set<string>()
    let changed = 0
    for (const end = Date.now() + SECONDS_EACH * 1000; Date.now() < end; ) {
      try {
        stored.add((await store.commit([dir], { exclude: ['*.next'] })).ref)
      } catch (error) {
        if (!(error instanceof ArtifactsError)) throw error
        assert.is(error.code, 'ERR_FILE_CHANGED', error.message)
        assert.match(error.message, `"${file}"`)
        changed++
      }
    }
    const longest = await endWriter(writer)
    const isWhole = manner === 'append' ? isAppended : isOneGeneration
    for (const ref of stored) {
      const bytes = readAll(store, ref, 'moving')
      if (manner !== 'append') assert.is(bytes.length, size)
      assert.ok(isWhole(bytes) || longest > LONG_WRITE_MS, `${ref} is torn`)
    }
    assert.ok(stored.size + changed > 0)
  })
}

test.run()
