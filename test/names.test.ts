import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError } from '../src/errors.ts'
import {
  checkAlias,
  checkName,
  checkTag,
  checkType,
  formatRef,
  isAlias,
  isName,
  parseDuration,
  parseRef,
  parseSelector,
  parseSize,
  type Ref,
} from '../src/names.ts'

const test = suite('names')

const LETTERS = 'ABCXYZabcxyz0123789._-'
const name = fc
  .string({ unit: fc.constantFrom(...LETTERS), minLength: 1, maxLength: 128 })
  .map((text) => text.replace(/\.{2,}/g, '.'))
const alias = name.filter((text) => !/^v\d+$/.test(text))
const prefix = fc.string({
  unit: fc.constantFrom(...'0123456789abcdef'),
  minLength: 6,
  maxLength: 64,
})
const plain = { noNullPrototype: true }
const byId = fc.record({ kind: fc.constant('id' as const), prefix }, plain)
const selector = fc.oneof(
  fc.record({ kind: fc.constant('number' as const), number: fc.maxSafeNat() }, plain),
  fc.record({ kind: fc.constant('alias' as const), alias }, plain),
  byId,
)
const back = fc.oneof(fc.constant(0), fc.maxSafeNat())
const named = fc
  .record({
    path: fc.array(name, { minLength: 1, maxLength: 3 }),
    selector: fc.option(selector),
    back,
  })
  .map(({ path, selector, back }): Ref => {
    const [artifact, project, entity] = path
    return {
      ...(entity === undefined ? {} : { entity }),
      ...(project === undefined ? {} : { project }),
      ...(artifact === undefined ? {} : { name: artifact }),
      ...(selector === null ? {} : { selector }),
      back,
    }
  })
const ref = fc.oneof(named, fc.record({ selector: byId, back }, plain))

test('reads every ref that it writes', () => {
  fc.assert(fc.property(ref, (value) => assert.equal(parseRef(formatRef(value)), value)))
})

test('refuses any other text by ERR_INVALID_NAME with a hint, or writes what it read', () => {
  const text = fc.string({ unit: fc.constantFrom(...'aZ0v1._-:@~/ é\n\0'), maxLength: 12 })
  fc.assert(
    fc.property(text, (given) => {
      try {
        const read = parseRef(given)
        assert.equal(parseRef(formatRef(read)), read)
      } catch (error) {
        assert.is(codeOf(error), 'ERR_INVALID_NAME')
        assert.ok((error as ArtifactsError).hint)
      }
    }),
    { numRuns: 500 },
  )
})

test('reads the forms of the grammar', () => {
  assert.equal(parseRef('bike'), { name: 'bike', back: 0 })
  assert.equal(parseRef('vision/bike:v3'), {
    project: 'vision',
    name: 'bike',
    selector: { kind: 'number', number: 3 },
    back: 0,
  })
  assert.equal(parseRef('ann/vision/bike:best~1'), {
    entity: 'ann',
    project: 'vision',
    name: 'bike',
    selector: { kind: 'alias', alias: 'best' },
    back: 1,
  })
  assert.equal(parseRef('bike@12AB34').selector, { kind: 'id', prefix: '12ab34' })
  assert.equal(parseRef('@123456~2'), { selector: { kind: 'id', prefix: '123456' }, back: 2 })
  assert.equal(parseRef('bike:').selector, { kind: 'alias', alias: 'latest' })
})

test('takes names as they are typed', () => {
  for (const text of ['1e-3', '0x10', '007', '123456', '.hidden', '-x', '_', 'a'.repeat(128)]) {
    assert.is(checkName(text), text)
    assert.equal(parseRef(text), { name: text, back: 0 })
  }
})

test('refuses what is no ref', () => {
  const wrong = [
    ...['', '/', 'a/', '/a', 'a//b', 'a/b/c/d', ':v1', '~1', 'a b', 'a..b', '..', 'é', 'a\n'],
    ...[
      'bike:v01',
      'bike:v9007199254740993',
      'bike:a:b',
      'bike:..',
      'bike:v1@123456',
      'bike@123456:v1',
    ],
    ...[
      '@',
      '@12345',
      '@12345g',
      `@${'0'.repeat(65)}`,
      'a/@123456',
      'bike@',
      'bike~',
      'bike~-1',
      'bike~1~1',
    ],
    ...['bike~1.5', 'bike~9007199254740993', 'a'.repeat(129)],
  ]
  for (const text of wrong)
    assert.throws(() => parseRef(text), isInvalidName, `"${text}" was taken`)
})

test('keeps v and digits for numbers', () => {
  assert.equal(parseSelector('v12'), { kind: 'number', number: 12 })
  assert.equal(parseSelector('v12a'), { kind: 'alias', alias: 'v12a' })
  assert.equal(parseSelector('V12'), { kind: 'alias', alias: 'V12' })
  assert.throws(() => checkAlias('v0'), isInvalidName)
  assert.not.ok(isAlias('v0'))
  assert.is(checkName('v0'), 'v0')
})

test('suggests a name that would do', () => {
  const hint = (text: string): string | undefined => {
    try {
      checkName(text)
    } catch (error) {
      return (error as ArtifactsError).hint
    }
    return undefined
  }
  assert.match(hint('my model (final)') ?? '', '"my-model-final" would do')
  assert.match(hint('a..b') ?? '', '"a.b" would do')
  assert.not.match(hint('你好') ?? '', 'would do')
})

test('names the thing and the kind of thing in the message', () => {
  assert.throws(() => checkType('a b'), /"a b" is not a valid artifact type/)
  assert.throws(() => checkAlias('a/b'), /"a\/b" is not a valid alias/)
})

test('takes tags of several words in any script', () => {
  for (const tag of ['prod', 'needs review', 'größe', 'v1.0', '数据 集'])
    assert.is(checkTag(tag), tag)
  for (const tag of ['', ' a', 'a ', 'a\tb', 'a,b', 'a\u0000', 'x'.repeat(129)]) {
    assert.throws(() => checkTag(tag), isInvalidName)
  }
})

test('agrees with itself on what a name is', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'aZ0._-/ é'), maxLength: 6 }), (text) => {
      let taken = true
      try {
        checkName(text)
      } catch {
        taken = false
      }
      assert.is(isName(text), taken)
    }),
  )
})

test('reads durations', () => {
  const durations = { '90s': 90_000, '30m': 1_800_000, '2h': 7_200_000, '14d': 1_209_600_000 }
  for (const [text, length] of Object.entries(durations)) assert.is(parseDuration(text), length)
  for (const text of ['0', '0s', '0d']) assert.is(parseDuration(text), 0)
  for (const text of ['', '14', 'd', '-1d', '1.5h', '1 d', '1w', '14D', '1d2h', '9999999999s']) {
    assert.throws(
      () => parseDuration(text),
      (error: unknown) => codeOf(error) === 'ERR_USAGE',
    )
  }
})

function isInvalidName(error: unknown): boolean {
  return codeOf(error) === 'ERR_INVALID_NAME'
}

function codeOf(error: unknown): string | undefined {
  return error instanceof ArtifactsError ? error.code : undefined
}

test('sizes are bytes, decimal or binary', () => {
  const sizes = {
    0: 0,
    1000: 1000,
    '12B': 12,
    '4GB': 4e9,
    '4GiB': 2 ** 32,
    '1.5kB': 1500,
    '2M': 2e6,
  }
  for (const [text, bytes] of Object.entries(sizes)) assert.is(parseSize(text), bytes, text)
  for (const text of ['', 'GB', '-1', '1e3', '4 gb', '4Gb', '1.5.2MB', '9999999PB', '4GBi']) {
    assert.throws(
      () => parseSize(text),
      (error: unknown) => codeOf(error) === 'ERR_USAGE',
    )
  }
})

test.run()
