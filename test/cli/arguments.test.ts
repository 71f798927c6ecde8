import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mentions, readArguments, splitCommand } from '../../src/cli/arguments.ts'
import { choice, type Flags, optional, text, texts, yes } from '../../src/cli/command.ts'
import { UsageError } from '../../src/cli/usage-error.ts'

const test = suite('arguments')

const FLAGS = {
  name: text('NAME', 'a name', 'n'),
  message: text('TEXT', 'a text', 'm'),
  alias: texts('ALIAS', 'an alias', 'a'),
  meta: texts('K=V', 'metadata'),
  reuse: choice('WHICH', ['latest', 'never'], 'which'),
  data: optional('SHARE', '100%', 'read'),
  'dry-run': yes('only say'),
  'no-renames': yes('no renames'),
} satisfies Flags

function read(words: readonly string[], rest = false): ReturnType<typeof readArguments> {
  return readArguments(
    'try',
    '[PATH]...',
    { flags: FLAGS, takes: [0, Number.POSITIVE_INFINITY], rest },
    words,
  )
}

function complaint(words: readonly string[]): UsageError {
  try {
    read(words)
  } catch (error) {
    if (error instanceof UsageError) return error
    throw error
  }
  throw new Error(`${words.join(' ')} was understood`)
}

test('arguments stay as typed', () => {
  const words = ['1e-3', '0x10', '007', '123456', '1e999', 'true', 'false', 'null', '', ' ', 'a=b']
  assert.equal(read(words).args.positionals, words)
  for (const word of words) {
    assert.is(read(['--message', word]).args.values['message'], word)
    assert.is(read([`--message=${word}`]).args.values['message'], word)
    assert.is(read(['-m', word]).args.values['message'], word)
    assert.equal(read(['-a', word, '--alias', word]).args.values['alias'], [word, word])
  }
})

test('quotes in a value are kept', () => {
  assert.equal(read(['--meta', 'a="b"', '--meta="b"']).args.values['meta'], ['a="b"', '"b"'])
})

test('a flag takes one value, so the path behind it is a path', () => {
  const { values, positionals } = read(['-a', 'best', 'data', '-a', 'good', 'more']).args
  assert.equal(values['alias'], ['best', 'good'])
  assert.equal(positionals, ['data', 'more'])
})

test('a flag without value does not swallow the word behind it', () => {
  const { args, globals } = read(['-q', 'true', '--dry-run', 'false'])
  assert.equal(args.positionals, ['true', 'false'])
  assert.ok(globals.quiet)
  assert.ok(args.values['dry-run'])
})

test('a value that may be left out is joined, and never the word behind', () => {
  const { args } = read(['--data', '5%'])
  assert.is(args.values['data'], '100%')
  assert.equal(args.positionals, ['5%'])
  assert.is(read(['--data=5%']).args.values['data'], '5%')
  assert.is(read(['--data=']).args.values['data'], '')
  assert.is(read([]).args.values['data'], undefined)
})

test('a value may begin with a dash', () => {
  assert.is(read(['-m', '-1 was wrong']).args.values['message'], '-1 was wrong')
  assert.is(read(['-m', '--- 3']).args.values['message'], '--- 3')
  assert.is(read(['-m=-q']).args.values['message'], '-q')
})

test('a flag in place of a value is a value forgotten', () => {
  assert.is(complaint(['-a', '--json']).message, '"-a" needs a value.')
  assert.is(complaint(['--message', '-a', 'best']).message, '"--message" needs a value.')
  assert.is(complaint(['--message', '--', 'x']).message, '"--message" needs a value.')
  assert.is(complaint(['--message']).message, '"--message" needs a value.')
})

test('letters can be joined, the last with its value', () => {
  const { args, globals } = read(['-qvmfix it', '-nbike', '-a=best'])
  assert.ok(globals.quiet && globals.verbose)
  assert.is(args.values['message'], 'fix it')
  assert.is(args.values['name'], 'bike')
  assert.equal(args.values['alias'], ['best'])
})

test('an unknown flag is named as it was typed', () => {
  assert.is(complaint(['--dryrun']).message, '"artifacts try" has no flag "--dryrun".')
  assert.is(complaint(['--dryrun']).hint, 'Did you mean `--dry-run`?')
  assert.match(complaint(['-x']).message, '"-x"')
  assert.match(complaint(['-5']).message, '"-5"')
  for (const word of [
    '--_',
    '--$0=1',
    '--__proto__=1',
    '--constructor',
    '--no-json',
    '--no-dry-run',
  ]) {
    assert.match(complaint([word]).message, 'has no flag')
  }
})

test('no- at the start of a flag is part of its name', () => {
  assert.is(read(['--no-renames']).args.values['no-renames'], true)
  assert.is(read([]).args.values['no-renames'], false)
})

test('a flag that is not meant to repeat is refused twice', () => {
  assert.is(complaint(['-n', 'a', '--name', 'b']).message, '"--name" is given 2 times.')
})

test('a flag without value refuses one', () => {
  assert.is(complaint(['--dry-run=yes']).message, '"--dry-run" takes no value.')
  assert.is(complaint(['-q=1']).message, '"-q" takes no value.')
})

test('a choice takes only its words', () => {
  assert.is(read(['--reuse', 'never']).args.values['reuse'], 'never')
  assert.is(complaint(['--reuse', 'no']).hint, 'Choose one of: latest, never.')
})

test('what stands behind -- is never a flag', () => {
  assert.equal(read(['a', '--', '-q', '--json']).args.positionals, ['a', '-q', '--json'])
  const { args } = read(['a', '--', '-q', '--', '7'], true)
  assert.equal(args.positionals, ['a'])
  assert.equal(args.rest, ['-q', '--', '7'])
})

test('a dash alone is an argument', () => {
  assert.equal(read(['-', '--name', '-']).args.positionals, ['-'])
  assert.is(read(['-', '--name', '-']).args.values['name'], '-')
})

test('too few and too many arguments are refused with the usage', () => {
  const takes = (words: readonly string[]) => () =>
    readArguments('cat', 'REF PATH', { flags: {}, takes: [2, 2], rest: false }, words)
  assert.throws(takes(['a']), /After "a" an argument is missing/)
  assert.throws(takes(['a', 'b', 'c']), /"c" is one argument too many/)
  assert.not.throws(takes(['--help']))
})

test('the command is the first word that is no flag and no value of --store', () => {
  assert.equal(splitCommand(['--store', 'ls', '-q', 'log', 'x', '--json']), {
    name: 'log',
    words: ['--store', 'ls', '-q', 'x', '--json'],
  })
  assert.equal(splitCommand(['--store=ls', 'log']).name, 'log')
  assert.is(splitCommand(['--json', '--', 'ls']).name, undefined)
})

test('a global flag behind -- is not mentioned', () => {
  assert.ok(mentions(['ls', '--json'], '--json'))
  assert.not(mentions(['ls', '--', '--json'], '--json'))
})

test('any words behind -- come back as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      assert.equal(read(['--', ...words]).args.positionals, words)
    }),
    { numRuns: 100 },
  )
})

test('any text is a value as it is behind an equals sign', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (values) => {
      const words = values.map((value) => `--alias=${value}`)
      assert.equal(read(words).args.values['alias'], values)
    }),
    { numRuns: 100 },
  )
})

test.run()
