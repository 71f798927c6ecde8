import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WORKLOADS } from '../../bench/workloads/list.ts'
import { randomOf, sampleOf } from '../../bench/workloads/random.ts'
import { DOCUMENT_KINDS, LINE_LIMIT, writeDocument } from '../../bench/workloads/text.ts'
import { TextWriter } from '../../bench/workloads/text-writer.ts'
import { inputAt, prepare, switchTo } from '../../bench/workloads/workload.ts'

const test = suite('bench/workloads')
const MEMORY = '/dev/shm'
const SCALES: Readonly<Record<string, number>> = {
  small: 0.005,
  model: 0.001,
  table: 0.001,
  images: 0.0005,
  many: 0.0001,
  'many-slice': 0.01,
  sparse: 0.001,
}

for (const workload of WORKLOADS) {
  const scale = SCALES[workload.name] ?? 0.001

  test(`${workload.name} is the same bytes whenever it is made`, () => {
    inFolder((dir) => {
      const digests = ['one', 'two'].map((name) => {
        const input = inputAt(join(dir, name))
        prepare(workload, input, scale)
        return contentOf(input.dir)
      })
      assert.is(digests[0], digests[1])
    })
  })

  test(`${workload.name} goes from v1 to v2 and back, and v2 differs as its changes say`, () => {
    inFolder((dir) => {
      const input = inputAt(dir)
      const changes = prepare(workload, input, scale)
      const v1 = filesOf(input.data)
      switchTo(input, changes, 'v2')
      const v2 = filesOf(input.data)
      assert.equal(differences(v1, v2), {
        changed: [...changes.changed].sort(),
        removed: [...changes.removed].sort(),
        added: [...changes.added].sort(),
      })
      assert.is(v1.size, changes.files)
      switchTo(input, changes, 'v2')
      assert.equal(filesOf(input.data), v2)
      switchTo(input, changes, 'v1')
      assert.equal(filesOf(input.data), v1)
    })
  })
}

test('what an unchanged file is known by stays when the state changes', () => {
  inFolder((dir) => {
    const workload = WORKLOADS.find(({ name }) => name === 'small')
    if (workload === undefined) throw new Error('no workload "small"')
    const input = inputAt(dir)
    const changes = prepare(workload, input, 0.005)
    const touched = new Set([...changes.changed, ...changes.removed])
    const path = [...filesOf(input.data).keys()].find((name) => !touched.has(name)) ?? ''
    const facts = (): unknown[] => {
      const { ino, mtimeNs, ctimeNs } = lstatSync(join(input.data, path), { bigint: true })
      return [ino, mtimeNs, ctimeNs]
    }
    const before = facts()
    switchTo(input, changes, 'v2')
    assert.equal(facts(), before)
  })
})

test('documents of every kind have the size asked for and compress as text does', () => {
  const random = randomOf('documents')
  const out = new TextWriter(64 * 1024 + LINE_LIMIT)
  for (const kind of DOCUMENT_KINDS) {
    for (const size of [100, 4096, 16_384]) {
      assert.is(writeDocument(out, kind, size, random).length, size)
    }
    const ratio = 16_384 / gzipSync(writeDocument(out, kind, 16_384, random)).length
    assert.ok(ratio > 1.6 && ratio < 4.5, `${kind} compresses ${ratio.toFixed(2)} times`)
  }
})

test('numbers are written with all their digits', () => {
  const out = new TextWriter(64)
  out.integer(0)
  out.text(' ')
  out.integer(1_234_567_890_123)
  out.text(' ')
  out.digits(42, 5)
  assert.is(out.view().toString(), '0 1234567890123 00042')
})

test('a sample holds distinct numbers below its limit', () => {
  const sample = sampleOf(randomOf('sample'), 100, 100)
  assert.equal(
    [...sample].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, index) => index),
  )
  assert.is.not(sample.join(), [...sample].sort((a, b) => a - b).join())
})

test('different seeds give different streams', () => {
  const one = randomOf('one')
  const two = randomOf('two')
  assert.is.not(
    Array.from({ length: 8 }, () => one(1e9)).join(),
    Array.from({ length: 8 }, () => two(1e9)).join(),
  )
})

test.run()

/** In memory where there is such a folder: a thousand small files come and go. */
function inFolder(use: (dir: string) => void): void {
  const dir = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'artifacts-test-'))
  try {
    use(dir)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

function contentOf(dir: string): string {
  const hash = createHash('sha256')
  for (const [path, digest] of filesOf(dir)) hash.update(`${path} ${digest}\n`)
  return hash.digest('hex')
}

/** Path → SHA-256 of every file, in path order. */
function filesOf(dir: string): Map<string, string> {
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()
  return new Map(
    paths
      .filter((path) => lstatSync(join(dir, path)).isFile())
      .map((path) => [
        path,
        createHash('sha256')
          .update(readFileSync(join(dir, path)))
          .digest('hex'),
      ]),
  )
}

interface Differences {
  readonly changed: string[]
  readonly removed: string[]
  readonly added: string[]
}

function differences(v1: Map<string, string>, v2: Map<string, string>): Differences {
  return {
    changed: [...v1.keys()].filter((path) => v2.has(path) && v2.get(path) !== v1.get(path)),
    removed: [...v1.keys()].filter((path) => !v2.has(path)),
    added: [...v2.keys()].filter((path) => !v1.has(path)).sort(),
  }
}
