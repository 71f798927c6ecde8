/** One bit is another: what is handed out is what was stored, or the damage is told, and the rest stays readable. */
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError } from '../../../src/index.ts'
import { loadHashes } from '../../../src/store/object/checksum.ts'
import { CHUNK, VERSION } from '../../../src/store/object/id.ts'
import { tableEntries } from '../../../src/store/object/pack.ts'
import { readTable } from '../../../src/store/object/pack-reader.ts'
import { seededRandom } from '../../support/random.ts'
import { isDamage, lookAtAll, smallStore, VERSIONS, withFlip, withoutIndex } from './flipped.ts'
import { isFull, readAll } from './workspace.ts'

const test = suite('flipped bytes')

const SAMPLE = isFull ? 400 : 5
const random = seededRandom(Number(process.env['SEED'] ?? 4))

/** Where to flip in a pack: all that is short, and some of what is long. */
function placesIn(pack: string): Readonly<Record<string, readonly number[]>> {
  const table = readTable(pack)
  const { size } = statSync(pack)
  const some = (from: number, to: number, most = SAMPLE): number[] =>
    Array.from({ length: Math.min(most, to - from) }, () => random.integer(from, to - 1))
  const heads = tableEntries(table).flatMap(({ offset }) => some(offset, offset + 10, 1))
  return {
    magic: some(0, 8, 2),
    'record heads': isFull ? heads : random.shuffle(heads).slice(0, SAMPLE),
    // The log holds version objects too, and is where they are read.
    payloads: tableEntries(table)
      .filter(({ type }) => type >> 4 !== VERSION)
      .slice(0, SAMPLE)
      .flatMap(({ offset, stored }) => some(offset + 10, offset + 10 + stored, 1)),
    table: [...some(table.offset, table.offset + 8, 2), ...some(table.offset + 8, size - 24)],
    end: some(size - 24, size, isFull ? 24 : 4),
  }
}

for (const region of ['magic', 'record heads', 'payloads', 'table', 'end']) {
  test(`in a pack: ${region}`, async () => {
    await loadHashes()
    await using workspace = await smallStore()
    let noticed = 0
    let flips = 0
    for (const name of readdirSync(join(workspace.root, 'packs'))) {
      const pack = join(workspace.root, 'packs', name)
      for (const at of placesIn(pack)[region] ?? []) {
        flips++
        await withFlip(pack, at, async () => {
          const context = `byte ${at} of ${name}`
          const failures = await lookAtAll(workspace, context)
          if (failures > 0) noticed++
          // Table and end are read when an index is built: then the whole pack may be lost, the other one is not.
          if (region === 'payloads') return
          await withoutIndex(workspace, async () => {
            await lookAtAll(workspace, `${context}, without an index`)
          })
        })
      }
    }
    if (region === 'payloads') assert.is(noticed, flips, 'every byte of a payload counts')
    workspace.takeNotices()
    assert.is(await lookAtAll(workspace, 'in the end'), 0)
  })
}

test('one damaged file leaves the others of its pack readable', async () => {
  await loadHashes()
  await using workspace = await smallStore()
  for (const name of readdirSync(join(workspace.root, 'packs'))) {
    const pack = join(workspace.root, 'packs', name)
    for (const { offset, stored, type } of tableEntries(readTable(pack))) {
      // A chunk: nodes and recipes are above more than one file.
      if (type >> 4 !== CHUNK) continue
      await withFlip(pack, offset + 10 + random.integer(0, stored - 1), async () => {
        let bad = 0
        await workspace.run((store) => {
          for (const [ref, tree] of Object.entries(VERSIONS)) {
            for (const [path, item] of Object.entries(tree)) {
              if (!Buffer.isBuffer(item) && typeof item !== 'string') continue
              try {
                assert.ok(readAll(store, ref, path).equals(Buffer.from(item)))
              } catch (error) {
                if (!isDamage(error)) throw error
                bad++
              }
            }
          }
        })
        // A piece of the large file is in both versions.
        assert.ok(bad === 1 || bad === 2, `${bad} files are damaged`)
      })
    }
  }
})

test('what is damaged in one pack is read from another that has it', async () => {
  await loadHashes()
  await using workspace = await smallStore()
  const packs = join(workspace.root, 'packs')
  const first = readdirSync(packs)
  const aside = join(workspace.path, 'aside')
  cpSync(packs, aside, { recursive: true })
  for (const name of first) rmSync(join(packs, name))
  for (const ref of ['a:v0', 'a:v1']) {
    const out = join(workspace.path, ref)
    // Restored from the copy, committed while the packs are away, so that all is stored once more.
    for (const name of first) cpSync(join(aside, name), join(packs, name))
    await workspace.run((store) => store.checkout(ref, out))
    for (const name of first) rmSync(join(packs, name))
    await workspace.run((store) => store.commit([out], { name: `again-${ref.slice(2)}` }))
  }
  for (const name of first) renameSync(join(aside, name), join(packs, name))
  const copies = readdirSync(packs).filter((name) => !first.includes(name))
  assert.ok(copies.length >= 2)
  for (const name of [...first, ...copies]) {
    const pack = join(packs, name)
    const { size } = statSync(pack)
    for (let i = 0; i < SAMPLE; i++) {
      const at = random.integer(8, size - 1)
      await withFlip(pack, at, async () => {
        assert.is(await lookAtAll(workspace, `byte ${at} of ${name}`), 0)
      })
    }
    renameSync(pack, `${pack}.away`)
    assert.is(await lookAtAll(workspace, `without ${name}`), 0)
    renameSync(`${pack}.away`, pack)
  }
})

test('in the log: nothing other is told, and without an index the operation is named', async () => {
  await using workspace = await smallStore()
  for (const name of readdirSync(join(workspace.root, 'log'))) {
    const path = join(workspace.root, 'log', name)
    const { size } = statSync(path)
    for (let i = 0; i < SAMPLE; i++) {
      await withFlip(path, random.integer(0, size - 1), async () => {
        await lookAtAll(workspace, name)
        await withoutIndex(workspace, async () => {
          try {
            await workspace.run((store) => store.history())
            assert.unreachable('a damaged log was taken')
          } catch (error) {
            if (!(error instanceof ArtifactsError)) throw error
            assert.is(error.code, 'ERR_DAMAGED')
            assert.match(error.message, name)
          }
        })
      })
    }
  }
  assert.is(await lookAtAll(workspace, 'in the end'), 0)
})

test('in format.json: that is said, whether what it said can be found out or not', async () => {
  await using workspace = await smallStore()
  const path = join(workspace.root, 'format.json')
  for (let at = 0; at < readFileSync(path).length; at++) {
    await withFlip(path, at, async () => {
      try {
        await workspace.run((store) => store.history())
        assert.match(workspace.takeNotices().join('\n'), path, `byte ${at}`)
      } catch (error) {
        if (!(error instanceof ArtifactsError)) throw error
        assert.is(error.code, 'ERR_DAMAGED', `byte ${at}`)
        assert.match(error.message, path)
      }
    })
  }
  assert.is(await lookAtAll(workspace, 'in the end'), 0)
})

test.run()
