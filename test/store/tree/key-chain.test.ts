import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BELOW_ENTRY, KeyChain, NOT_AFTER } from '../../../src/store/tree/key-chain.ts'

const test = suite('key chain')

function take(chain: KeyChain, key: string): number {
  const bytes = Buffer.from(`##${key}`)
  return chain.next(bytes, 2, bytes.length - 2, 0)
}

test('it returns the bytes that a key shares with the one before', () => {
  const chain = new KeyChain()
  assert.is(take(chain, 'data/a'), 0)
  assert.is(take(chain, 'data/ab'), 6)
  assert.is(take(chain, 'data/b'), 5)
  assert.is(take(chain, 'é'), 0)
  assert.is(take(chain, 'ê'), 1)
  assert.is(chain.key.toString('utf8', 0, chain.length), 'ê')
})

test('a key can be given as what it shares and the rest', () => {
  const chain = new KeyChain()
  take(chain, 'data/a1')
  assert.is(chain.next(Buffer.from('b'), 0, 1, 5), 5)
  assert.is(chain.key.toString('utf8', 0, chain.length), 'data/b')
  assert.is(chain.next(Buffer.from('/b1'), 0, 3, 4), 6)
  assert.is(chain.key.toString('utf8', 0, chain.length), 'data/b1')
})

test('a key that does not come after the one before is refused and changes nothing', () => {
  const chain = new KeyChain()
  take(chain, 'b/c')
  for (const key of ['b/c', 'b/b', 'b/', 'b', 'a', 'a/z'])
    assert.is(take(chain, key), NOT_AFTER, key)
  assert.is(take(chain, 'b/d'), 2)
})

test('a key below an entry is refused, also when others stand between them', () => {
  for (const keys of [
    ['a', 'a/b'],
    ['a', 'a.b', 'a/b'],
    ['a', 'a!', 'a.b', 'a.b.c', 'a.c/d', 'a/b/c'],
    ['a/b', 'a/b c', 'a/b/c'],
    ['a', 'ab', 'ab.c', 'ab/c'],
    ['é', 'é.x', 'é/x'],
  ]) {
    const chain = new KeyChain()
    const results = keys.map((key) => take(chain, key))
    assert.is(results.pop(), BELOW_ENTRY, keys.join(' '))
    assert.ok(results.every((result) => result >= 0))
    const above = chain.key.toString('utf8', 0, chain.entryLength)
    assert.ok(keys.at(-1)?.startsWith(`${above}/`) && keys.includes(above), above)
  }
})

test('it finds a clash exactly where a sorted set has one', () => {
  const unit = fc.constantFrom('a', 'b', '.', '/', '0')
  const key = fc.string({ unit, minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 30 }), (keys) => {
      keys.sort()
      const chain = new KeyChain()
      const results = keys.map((each) => take(chain, each))
      const first = keys.findIndex((each) => keys.some((other) => each.startsWith(`${other}/`)))
      assert.is(results.indexOf(BELOW_ENTRY), first)
    }),
    { numRuns: 2000 },
  )
})

test('what was saved is come back to, with all that it stands below', () => {
  const chain = new KeyChain()
  take(chain, 'a')
  take(chain, 'a.b')
  const saved = chain.save()
  take(chain, 'z')
  chain.restore(saved)
  assert.is(chain.save(), saved)
  assert.is(take(chain, 'a/b'), BELOW_ENTRY)
  chain.restore(saved)
  assert.is(take(chain, 'a.c'), 2)
  assert.is.not(chain.save(), saved)
  const empty = new KeyChain()
  chain.restore(empty.save())
  assert.is(take(chain, 'a/b'), 0)
  assert.is(chain.save(), '3 a/b')
})

test('keys in any script are saved whole', () => {
  const chain = new KeyChain()
  take(chain, 'é')
  take(chain, 'é\u{10000} 1,2')
  const other = new KeyChain()
  other.restore(chain.save())
  assert.is(other.save(), chain.save())
  assert.is(take(other, 'é\u{10000} 1,2/x'), BELOW_ENTRY)
})

test('a copy goes its own way', () => {
  const chain = new KeyChain()
  take(chain, 'a')
  const copy = chain.copy()
  assert.is(take(copy, 'a/b'), BELOW_ENTRY)
  assert.is(take(copy, 'c'), 0)
  assert.is(take(chain, 'b'), 0)
  assert.ok(chain.equals(Buffer.from('b'), 1))
  assert.not(chain.equals(Buffer.from('c'), 1))
})

test.run()
