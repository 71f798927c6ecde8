import fc from 'fast-check'
import jsonPatch from 'fast-json-patch'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { stringify } from 'yaml'
import { compareContents } from '../../src/content-diff/compare.ts'
import type { ValueChange, ValuesDifference } from '../../src/content-diff/difference.ts'
import type { Json } from '../../src/types.ts'
import { OPTIONS, sourceOf } from './sources.ts'

const test = suite('differences of values')

async function differ(before: string, after: string, path = 'a.json'): Promise<ValuesDifference> {
  const found = await compareContents(sourceOf(before, path), sourceOf(after, path), OPTIONS)
  if (found.kind !== 'values') throw new Error(`Compared as ${found.kind}: ${found.notes}`)
  return found
}

type Operation = jsonPatch.Operation

/** RFC 6902, in the order that the type promises: replaced, removed from the last, added from the first. */
function patchOf(changes: readonly ValueChange[]): Operation[] {
  const operations: Operation[] = []
  for (const change of changes) {
    if (change.kind !== 'changed') continue
    operations.push({ op: 'replace', path: change.from ?? change.path, value: change.after })
  }
  for (const { kind, path } of changes.toReversed()) {
    if (kind === 'removed') operations.push({ op: 'remove', path })
  }
  for (const change of changes) {
    if (change.kind === 'added')
      operations.push({ op: 'add', path: change.path, value: change.after })
  }
  return operations
}

function applied(before: Json, changes: readonly ValueChange[]): unknown {
  const holder = { document: structuredClone(before) }
  for (const operation of patchOf(changes)) {
    // The library applies "replace" at the root to a copy only.
    const path = `/document${operation.path}`
    jsonPatch.applyOperation(holder, structuredClone({ ...operation, path }), true, true, false)
  }
  return holder.document
}

const key = fc.constantFrom('a', 'b', 'c/d', 'e~f', '', '0', 'längs', 'valueOf')
const leaf = fc.oneof(
  fc.constantFrom(null, true, false, 0, 1, -1.5, 'x', 'y', ''),
  fc.integer(),
  fc.string({ maxLength: 3 }),
)
const { value: document } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))

/** The document with a few values in it replaced, removed or added. */
function edited(value: Json, edits: readonly [number, number, Json][]): Json {
  const copy = { root: structuredClone(value) as Json }
  for (const [where, what, given] of edits) {
    const containers: (Json[] | Record<string, Json>)[] = [copy]
    for (let at = 0; at < containers.length; at++) {
      for (const item of Object.values(containers[at] as object)) {
        if (item !== null && typeof item === 'object') containers.push(item)
      }
    }
    const container = containers[where % containers.length] as Json[] | Record<string, Json>
    if (Array.isArray(container)) {
      container.splice(where % (container.length + 1), what % 2, ...(what % 3 === 0 ? [] : [given]))
    } else {
      const keys = Object.keys(container)
      const name = keys[where % keys.length] ?? 'new'
      if (what % 3 === 0 && container !== (copy as object)) delete container[name]
      else container[what % 3 === 1 || container === (copy as object) ? name : 'added'] = given
    }
  }
  return copy.root
}

const edits = fc.array(fc.tuple(fc.nat(50), fc.nat(5), document), { maxLength: 4 })

test('a kept library makes the new document of the old one', async () => {
  await fc.assert(
    fc.asyncProperty(
      document,
      edits,
      document,
      fc.boolean(),
      async (before, list, other, isOther) => {
        const after = isOther ? other : edited(before, list)
        const found = await differ(JSON.stringify(before), JSON.stringify(after, null, 1))
        assert.equal(applied(before, found.changes), after)
        const counts = { added: 0, removed: 0, changed: 0 }
        for (const { kind } of found.changes) counts[kind]++
        const { added, removed, changed } = found
        assert.equal({ added, removed, changed }, counts)
      },
    ),
    { numRuns: 400 },
  )
})

test('the same in YAML', async () => {
  await fc.assert(
    fc.asyncProperty(document, edits, async (before, list) => {
      const after = edited(before, list)
      const found = await differ(stringify(before), stringify(after), 'a.yaml')
      assert.equal(applied(before, found.changes), after)
    }),
    { numRuns: 100 },
  )
})

test('an element put in front moves the others, and nothing else changes', async () => {
  const found = await differ('[{"a":1},{"b":2},[3]]', '["new",{"a":1},{"b":5},[3]]')
  assert.equal(found.changes, [
    { kind: 'added', path: '/0', after: 'new' },
    { kind: 'changed', path: '/2/b', from: '/1/b', before: 2, after: 5 },
  ])
})

test('numbers that JavaScript rounds are compared as they are written', async () => {
  const found = await differ(
    '{"id": 12345678901234567890, "same": 1e400, "x": 0.1, "y": 1.0, "s": "12345678901234567890"}',
    '{"id": 12345678901234567891, "same": 1e400, "x": 0.10000000000000000001, "y": 1.00, "s": "12345678901234567890"}',
  )
  assert.equal(found.changes, [
    { kind: 'changed', path: '/id', before: '12345678901234567890', after: '12345678901234567891' },
    { kind: 'changed', path: '/x', before: 0.1, after: '0.10000000000000000001' },
  ])
  const python = await differ('{"loss": NaN, "max": -Infinity}', '{"loss": 1, "max": -Infinity}')
  assert.equal(python.changes, [{ kind: 'changed', path: '/loss', before: 'NaN', after: 1 }])
  const yaml = await differ('a: 12345678901234567890\n', 'a: 12345678901234567891\n', 'a.yml')
  assert.is(yaml.changed, 1)
})

test('one value written in two ways has no changes, and that is said', async () => {
  const found = await differ('{"a":1,"b":[1.0]}', '{ "b": [1], "a": 1 }')
  assert.equal(found.changes, [])
  assert.equal(found.notes, ['The same values, written differently.'])
})

test('names that JavaScript objects have are only names', async () => {
  const found = await differ('{"__proto__":{"a":1}}', '{"__proto__":{"a":2},"toString":1}')
  assert.equal(
    found.changes.map(({ path }) => path),
    ['/__proto__/a', '/toString'],
  )
})

test('more changes than are listed are counted', async () => {
  const numbers = JSON.stringify(Array.from({ length: 50 }, (_, i) => i))
  const others = JSON.stringify(Array.from({ length: 50 }, (_, i) => -1 - i))
  const found = await compareContents(sourceOf(numbers, 'a.json'), sourceOf(others, 'a.json'), {
    ...OPTIONS,
    limit: 10,
  })
  if (found.kind !== 'values') throw new Error(found.kind)
  assert.equal([found.changed, found.changes.length, found.omitted], [50, 10, 40])
})

test('documents beyond a bound are compared as text', async () => {
  const yaml = '- a\n'.repeat(300_000)
  const path = 'a.yaml'
  const found = await compareContents(
    sourceOf(yaml, path, 9999),
    sourceOf(`${yaml}- b\n`, path, 9999),
    OPTIONS,
  )
  assert.equal(
    [found.kind, found.notes],
    ['text', ['Not compared as YAML: it is larger than 1 MiB.']],
  )
})

const HOSTILE: Readonly<Record<string, [path: string, text: string, note: RegExp]>> = {
  'deep arrays': ['a.json', `${'['.repeat(1e6)}${']'.repeat(1e6)}`, /more than 500 levels/],
  'an end in a string': ['a.json', '{"a": "b', /not JSON/],
  'a number that is none': ['a.json', '{"a": N}', /not JSON/],
  'a thousand digits': ['a.json', `[${'9'.repeat(1000)}]`, /not JSON/],
  'deep YAML': ['a.yaml', `${'['.repeat(1e5)}${']'.repeat(1e5)}`, /more than 500 levels/],
  'YAML that is none': ['a.yaml', 'a: [1, 2\nb: }', /not YAML/],
  'an alias of itself': ['a.yaml', 'a: &a [*a]\n', /levels|too much/],
  'aliases of aliases': [
    'a.yaml',
    `a0: &a0 [x, x]\n${Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}*a${i}]\n`).join('')}`,
    /too much/,
  ],
}

for (const [what, [path, text, note]] of Object.entries(HOSTILE)) {
  test(`${what}: compared as text, and why`, async () => {
    const found = await compareContents(sourceOf(text, path), sourceOf(`${text} `, path), OPTIONS)
    assert.is(found.kind, 'text')
    assert.match(found.notes.join(), note)
  })
}

test.run()
