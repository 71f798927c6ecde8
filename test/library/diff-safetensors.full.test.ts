/** Of 1 GiB of tensors with three changed ones, what changed is read and nothing else. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../src/index.ts'
import { seededRandom } from '../support/random.ts'
import { temporaryDirectory } from '../support/temp.ts'
import type { LargeDiff } from './large-diff.ts'

const test = suite('a large model')

const TENSORS = 256
const ELEMENTS = 1 << 20
const BYTES = ELEMENTS * 4

/** Tensor `changed` has a number more in each element of its second half. */
function write(file: string, base: Float32Array, changed: readonly number[]): void {
  const header: Record<string, unknown> = { __metadata__: { changed: changed.join() } }
  for (let i = 0; i < TENSORS; i++) {
    header[`layer.${i}`] = {
      dtype: 'F32',
      shape: [ELEMENTS],
      data_offsets: [i * BYTES, (i + 1) * BYTES],
    }
  }
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  const fd = openSync(file, 'w')
  writeSync(fd, Buffer.concat([length, text]))
  for (let i = 0; i < TENSORS; i++) {
    const values = base.map((value) => value * (i + 1))
    if (changed.includes(i)) for (let k = ELEMENTS / 2; k < ELEMENTS; k++) values[k] = (k % 7) + 0.5
    writeSync(fd, new Uint8Array(values.buffer))
  }
  closeSync(fd)
}

test('three changed tensors of 1 GiB are read, the others are not', async () => {
  await using directory = await temporaryDirectory()
  const { path } = directory
  const random = seededRandom(3)
  const base = Float32Array.from({ length: ELEMENTS }, () => random.next())
  const { store } = await Store.init(path)
  mkdirSync(join(path, 'data'))
  const file = join(path, 'data/m.safetensors')
  write(file, base, [])
  await store.commit([join(path, 'data')], { name: 'x' })
  const changed = [9, 100, 250]
  write(file, base, changed)
  await store.commit([join(path, 'data')], { name: 'x' })
  store.close()
  const script = join(import.meta.dirname, 'large-diff.js')
  const child = spawnSync(process.execPath, [script, store.root, 'm.safetensors', 'no'], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  assert.is(child.status, 0, child.stderr)
  const { comparing, bytesRead, memory, contents } = JSON.parse(child.stdout) as LargeDiff
  process.stdout.write(
    `note: compared in ${Math.round(comparing)} ms, ${Math.round(bytesRead / 1e6)} MB read, ${Math.round(memory / 1e6)} MB\n`,
  )
  if (contents?.kind !== 'tensors') throw new Error(contents?.kind)
  assert.equal([contents.changed, contents.unchanged], [3, TENSORS - 3])
  for (const { name, values } of contents.tensors) {
    const layer = Number(name.slice('layer.'.length))
    assert.ok(changed.includes(layer), name)
    const scale = Math.fround(layer + 1)
    let [count, max, sum] = [0, 0, 0]
    for (let k = ELEMENTS / 2; k < ELEMENTS; k++) {
      const gap = Math.abs((k % 7) + 0.5 - Math.fround((base[k] as number) * scale))
      if (gap > 0) count++
      max = Math.max(max, gap)
      sum += gap
    }
    assert.is(values?.changed, count)
    assert.is(values?.max, max)
    assert.ok(Math.abs((values?.mean ?? 0) - sum / ELEMENTS) < 1e-9 * sum)
  }
  // Half of three tensors on both sides, whole chunks of up to 2 MiB at their ends, the headers, the recipes and the index.
  assert.ok(bytesRead < 3 * BYTES + 24e6, `${bytesRead} bytes read`)
})

test.run()
