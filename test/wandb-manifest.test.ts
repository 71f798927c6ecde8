/** Digests that W&B's own program (0.30.0) gives to these entries; most of them stand in its tests. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { comparePaths } from '../src/store/tree/paths.ts'
import { manifestDigest, manifestJson, type WandbEntry } from '../src/wandb-manifest.ts'

const test = suite('wandb-manifest')

interface Golden {
  readonly name: string
  readonly entries: Readonly<Record<string, string>>
  readonly digest: string
}

const GOLDEN: readonly Golden[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../test/golden/wandb/digests.json'), 'utf8'),
)

for (const { name, entries, digest } of GOLDEN) {
  test(`the digest is W&B's own: ${name}`, async () => {
    assert.is(await manifestDigest(sorted(entries)), digest)
  })
}

test('the digest depends on paths and digests alone', async () => {
  const plain = [{ path: 'a', digest: 'x' }]
  const full = [{ path: 'a', digest: 'x', size: 9, ref: 's3://b/a', extra: { etag: 'x' } }]
  assert.is(await manifestDigest(plain), await manifestDigest(full))
  assert.is.not(await manifestDigest(plain), await manifestDigest([{ path: 'b', digest: 'x' }]))
  assert.is.not(await manifestDigest(plain), await manifestDigest([{ path: 'a', digest: 'y' }]))
})

test('the JSON holds every entry, whatever its path, and nothing that is not known', async () => {
  const entry = fc.record(
    {
      digest: fc.string(),
      size: fc.nat(),
      ref: fc.string(),
      extra: fc.record({ etag: fc.string() }),
    },
    { requiredKeys: ['digest'] },
  )
  const paths = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', '7', '"'))
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(paths, entry), { selector: ([path]) => path }),
      async (all) => {
        const entries = all.map(([path, facts]) => ({ path, ...facts })) as WandbEntry[]
        const manifest = JSON.parse(await text(manifestJson(entries)))
        assert.equal(Object.keys(manifest), [
          'version',
          'storagePolicy',
          'storagePolicyConfig',
          'contents',
        ])
        assert.is(manifest.version, 1)
        assert.is(manifest.storagePolicy, 'wandb-storage-policy-v1')
        assert.equal(manifest.storagePolicyConfig, { storageLayout: 'V2' })
        const plain = new Map(
          all.map(([path, facts]) => [
            path,
            { ...facts, ...(facts.extra && { extra: { ...facts.extra } }) },
          ]),
        )
        assert.equal(new Map(Object.entries(manifest.contents)), plain)
      },
    ),
    { numRuns: 100 },
  )
})

test('an empty manifest is JSON too', async () => {
  assert.equal(JSON.parse(await text(manifestJson([]))).contents, {})
})

test('a hundred thousand entries go through without being held', async () => {
  const count = 100_000
  function* entries(): Generator<WandbEntry> {
    for (let i = 0; i < count; i++) yield { path: String(i).padStart(6, '0'), digest: 'd', size: i }
  }
  const expected = createHash('md5').update('wandb-artifact-manifest-v1\n')
  for (let i = 0; i < count; i++) expected.update(`${String(i).padStart(6, '0')}:d\n`)
  assert.is(await manifestDigest(entries()), expected.digest('hex'))
  let longest = 0
  for await (const piece of manifestJson(entries())) longest = Math.max(longest, piece.length)
  assert.ok(longest < 200)
})

test.run()

function sorted(entries: Golden['entries']): WandbEntry[] {
  return Object.entries(entries)
    .map(([path, digest]) => ({ path, digest }))
    .sort((a, b) => comparePaths(a.path, b.path))
}

async function text(pieces: AsyncIterable<string>): Promise<string> {
  let all = ''
  for await (const piece of pieces) all += piece
  return all
}
