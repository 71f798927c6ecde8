import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Loss, type ObjectSource, TreeCheck } from '../../../src/store/fsck/tree-check.ts'
import { CHUNK, NODE, objectId, RECIPE } from '../../../src/store/object/id.ts'
import { recordType } from '../../../src/store/object/pack.ts'
import { encodeRecipe, splitRecipe } from '../../../src/store/object/recipe.ts'
import { entrySize } from '../../../src/store/tree/entry.ts'
import type { Entry, EntryPath, ObjectId } from '../../../src/types.ts'
import { encodeNode, findKey, itemOf, nodeId } from '../tree/plain-tree.ts'
import { anyEntries, bigFile, file, Nodes } from '../tree/trees.ts'

const test = suite('tree-check')

/** Has every chunk it is asked for, with the size that is asked for, unless it is lost. */
class Objects implements ObjectSource {
  readonly nodes = new Nodes()
  readonly recipes = new Map<ObjectId, Uint8Array>()
  readonly sizes = new Map<string, number>()
  reads = 0

  read(kind: number, id: ObjectId): Uint8Array | string {
    this.reads++
    const from = kind === NODE ? this.nodes.map : this.recipes
    return from.get(id) ?? `object "${id}" is lost`
  }

  find(id: Buffer): { raw: number; type: number } | undefined {
    const raw = this.sizes.get(id.toString('hex'))
    return raw === undefined ? undefined : { raw, type: recordType(CHUNK, 0) }
  }

  /** Stores entries as a tree, and what they name. */
  build(entries: readonly Entry[]): ObjectId {
    for (const entry of entries) {
      if (entry.kind === 'file' && entry.content.kind === 'chunk')
        this.sizes.set(entry.content.id, entry.size)
    }
    return this.nodes.build(entries).root
  }

  put(bytes: Buffer): ObjectId {
    const id = nodeId(bytes)
    this.nodes.map.set(id, bytes)
    return id
  }

  leaf(...keys: string[]): ObjectId {
    return this.put(
      encodeNode(
        0,
        keys.map((key) => itemOf(file(key))),
      ),
    )
  }

  inner(level: number, ...children: [string, ObjectId][]): ObjectId {
    const items = children.map(([key, id]) => ({ key, content: Buffer.from(id, 'hex') }))
    return this.put(encodeNode(level, items))
  }

  /** A file of three chunks, and its entry. */
  threeChunks(path: string): Entry {
    const lengths = [100_000, 150_000, 50_000]
    const ids = lengths.map((length, i) => objectId(CHUNK, Buffer.from(`${path}${i}${length}`)))
    for (const [i, id] of ids.entries()) this.sizes.set(id, lengths[i] as number)
    const { root } = splitRecipe({
      size: 300_000,
      sha256: Buffer.alloc(32),
      ids: Buffer.from(ids.join(''), 'hex'),
      lengths,
    })
    const bytes = encodeRecipe(root)
    const id = objectId(RECIPE, bytes)
    this.recipes.set(id, bytes)
    return { ...bigFile(path, 300_000), content: { kind: 'recipe', id } } as Entry
  }
}

/** Also without chunks that have two sizes, as no store has them. */
function withoutRecipes(entries: readonly Entry[]): Entry[] {
  const sizes = new Map<ObjectId, number>()
  return entries.filter((entry) => {
    if (entry.kind !== 'file' || entry.content.kind === 'inline') return true
    if (entry.content.kind === 'recipe') return false
    const { id } = entry.content
    if (!sizes.has(id)) sizes.set(id, entry.size)
    return sizes.get(id) === entry.size
  })
}

function lossesIn(check: TreeCheck, root: ObjectId): Loss[] {
  const losses: Loss[] = []
  const totals = check.check(root, (loss) => losses.push(loss))
  assert.is(totals === undefined, losses.length > 0)
  return losses
}

test('counts what is in a tree, and finds every chunk that is gone by its path', () => {
  fc.assert(
    fc.property(anyEntries, fc.nat(), (all, which) => {
      const entries = withoutRecipes(all)
      const objects = new Objects()
      const root = objects.build(entries)
      const totals = new TreeCheck(objects).check(root, ({ reason }) => assert.unreachable(reason))
      assert.equal(totals, {
        files: entries.filter(({ kind }) => kind !== 'directory').length,
        bytes: entries.reduce((sum, entry) => sum + entrySize(entry), 0),
      })
      const ids = [...objects.sizes.keys()]
      const gone = ids[which % ids.length]
      if (gone === undefined) return
      objects.sizes.delete(gone)
      const found = lossesIn(new TreeCheck(objects), root).map(({ path }) => path)
      const wanted = entries.filter(
        (entry) =>
          entry.kind === 'file' && entry.content.kind === 'chunk' && entry.content.id === gone,
      )
      assert.equal(
        found,
        wanted.map(({ path }) => path as string),
      )
    }),
    { numRuns: 40 },
  )
})

test('one check of many trees finds in each what a check of it alone finds', () => {
  fc.assert(
    fc.property(fc.array(anyEntries, { minLength: 2, maxLength: 4 }), fc.nat(), (lists, which) => {
      const objects = new Objects()
      // The later lists add a few entries to the first, so that the trees share nodes.
      const roots = lists.map((list) => objects.build(list))
      const gone = [...objects.nodes.map.keys()][which % objects.nodes.map.size] as ObjectId
      objects.nodes.map.delete(gone)
      const together = new TreeCheck(objects)
      for (const root of [...roots, ...roots]) {
        assert.equal(lossesIn(together, root), lossesIn(new TreeCheck(objects), root))
      }
    }),
    { numRuns: 40 },
  )
})

const firstEnd = findKey('b', [0])
const secondEnd = findKey('d', [0])

test('what was found whole is not read again in the same place', () => {
  const objects = new Objects()
  const shared = objects.leaf('c', secondEnd)
  const last = objects.leaf('e')
  const one = objects.inner(
    1,
    [firstEnd, objects.leaf('a', firstEnd)],
    [secondEnd, shared],
    ['e', last],
  )
  const two = objects.inner(
    1,
    [firstEnd, objects.leaf('aa', firstEnd)],
    [secondEnd, shared],
    ['e', last],
  )
  const check = new TreeCheck(objects)
  assert.equal(
    check.check(one, () => {}),
    { files: 5, bytes: 20 },
  )
  assert.is(objects.reads, 4)
  assert.equal(
    check.check(two, () => {}),
    { files: 5, bytes: 20 },
  )
  assert.is(objects.reads, 6)
})

test('what was not fetched is no loss, and is not looked for again in the same place', () => {
  const objects = new Objects()
  const shared = objects.leaf('c', secondEnd)
  const first = objects.leaf('a', firstEnd)
  const last = objects.leaf('e')
  const tree = (leaf: ObjectId): ObjectId =>
    objects.inner(1, [firstEnd, leaf], [secondEnd, shared], ['e', last])
  const [one, two] = [tree(first), tree(objects.leaf('aa', firstEnd))]
  objects.nodes.map.delete(shared)
  const strict: Loss[] = []
  new TreeCheck(objects).check(one, (loss) => strict.push(loss))
  assert.equal(
    strict.map(({ id }) => id),
    [shared],
  )
  const losses: Loss[] = []
  const check = new TreeCheck(objects, (id) => id.toString('hex') === shared)
  objects.reads = 0
  // There is more than could be counted.
  const lose = (loss: Loss): number => losses.push(loss)
  assert.equal(check.check(one, lose), { files: 3, bytes: 12, isCut: true })
  assert.equal([losses.length, check.excused, objects.reads], [0, 1, 4])
  assert.is(check.check(two, lose)?.isCut, true)
  assert.is(check.check(one, lose)?.isCut, true)
  assert.equal([losses.length, check.excused, objects.reads], [0, 1, 6])
  objects.nodes.map.delete(last)
  check.check(tree(objects.leaf('ab', firstEnd)), lose)
  assert.is(losses.length, 0, 'what was there once is known')
  new TreeCheck(objects, (id) => id.toString('hex') === shared).check(one, lose)
  assert.equal(
    losses.map(({ id }) => id),
    [last],
  )
})

test('a node that is whole in one tree can be wrong in another', () => {
  const objects = new Objects()
  const shared = objects.leaf('c', secondEnd)
  const good = objects.inner(
    1,
    [firstEnd, objects.leaf('a', firstEnd)],
    [secondEnd, shared],
    ['e', objects.leaf('e')],
  )
  const check = new TreeCheck(objects)
  assert.equal(lossesIn(check, good), [])

  // Behind a key that comes after its own first one.
  const late = findKey('cc', [0])
  const bad = objects.inner(
    1,
    [late, objects.leaf('a', late)],
    [secondEnd, shared],
    ['e', objects.leaf('e')],
  )
  assert.match(lossesIn(check, bad)[0]?.reason ?? '', 'do not grow')

  // In the middle of a level, ending where no node ends.
  const early = objects.leaf('e')
  const middle = objects.inner(1, [secondEnd, shared], ['e', early], ['f', objects.leaf('f')])
  assert.match(lossesIn(check, middle)[0]?.reason ?? '', 'ends where it should not')

  // As a root that is not whole by itself it was never seen.
  assert.equal(lossesIn(check, objects.inner(1, [secondEnd, shared], ['f', objects.leaf('f')])), [])
})

test('an entry that lies below one in a node before is found, although that one was stepped over', () => {
  const objects = new Objects()
  const end = findKey('a.', [0])
  const below = objects.leaf('a/b', 'a/c')
  const good = objects.inner(1, [end, objects.leaf('A', end)], ['a/c', below])
  const bad = objects.inner(1, [end, objects.leaf('a', end)], ['a/c', below])
  const check = new TreeCheck(objects)
  assert.equal(lossesIn(check, good), [])
  assert.match(lossesIn(check, bad)[0]?.reason ?? '', 'below another entry')
})

test('a lost node is named by the paths around it, and the rest is examined', () => {
  const objects = new Objects()
  const lost = objects.leaf('c', secondEnd)
  const root = objects.inner(
    1,
    [firstEnd, objects.leaf('a', firstEnd)],
    [secondEnd, lost],
    ['e', objects.build([bigFile('e', 100)])],
  )
  objects.nodes.map.delete(lost)
  objects.sizes.clear()
  const losses = lossesIn(new TreeCheck(objects), root)
  assert.equal(
    losses.map(({ path, kind }) => [path, kind]),
    [
      [`(behind "${firstEnd}" up to "${secondEnd}")`, NODE],
      ['e', CHUNK],
    ],
  )
  assert.equal(
    lossesIn(new TreeCheck(objects), lost).map(({ path }) => path),
    [''],
  )
})

test('a child of another level, or with another last key, is refused', () => {
  const objects = new Objects()
  const leaf = objects.leaf('a', firstEnd)
  const level = objects.inner(2, [firstEnd, leaf], ['c', objects.leaf('c')])
  assert.match(lossesIn(new TreeCheck(objects), level)[0]?.reason ?? '', 'level 0, not 1')
  const key = objects.inner(1, [findKey('bb', [0]), leaf], ['c', objects.leaf('c')])
  assert.match(lossesIn(new TreeCheck(objects), key)[0]?.reason ?? '', 'another key')
})

test('every chunk of a recipe is looked up, with its length', () => {
  const objects = new Objects()
  const [one, two] = [objects.threeChunks('one'), objects.threeChunks('two')]
  const root = objects.build([one, two])
  const check = new TreeCheck(objects)
  assert.equal(
    check.check(root, () => {}),
    { files: 2, bytes: 600_000 },
  )
  assert.is(check.objects, 8)
  const second = objectId(CHUNK, Buffer.from('two1150000'))
  objects.sizes.set(second, 5)
  const [loss, ...others] = lossesIn(new TreeCheck(objects), root)
  assert.equal(others, [])
  assert.is(loss?.path, 'two')
  assert.match(loss?.reason ?? '', 'has 5 bytes, not 150000')
  objects.sizes.clear()
  const all = lossesIn(new TreeCheck(objects), root)
  assert.is(all.length, 6)
  // Two files are affected, however many chunks they miss.
  assert.is(
    all.reduce((sum, { files }) => sum + files, 0),
    2,
  )
  objects.recipes.clear()
  assert.equal(
    lossesIn(new TreeCheck(objects), root).map(({ path, kind }) => [path, kind]),
    [
      ['one', RECIPE],
      ['two', RECIPE],
    ],
  )
})

test('a recipe of another size than the entry says is refused', () => {
  const objects = new Objects()
  const entry = objects.threeChunks('one')
  const root = objects.build([{ ...entry, size: 300_001 } as Entry])
  assert.match(
    lossesIn(new TreeCheck(objects), root)[0]?.reason ?? '',
    'that of 300000 bytes, not 300001',
  )
  const chunk = bigFile('x' as EntryPath, 1000)
  const wrong = objects.build([chunk])
  if (chunk.content.kind !== 'inline') objects.sizes.set(chunk.content.id, 999)
  assert.match(lossesIn(new TreeCheck(objects), wrong)[0]?.reason ?? '', 'has 999 bytes, not 1000')
})

test.run()
