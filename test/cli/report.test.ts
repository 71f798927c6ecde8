import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Io } from '../../src/cli/io.ts'
import { report } from '../../src/cli/report.ts'
import { UsageError } from '../../src/cli/usage-error.ts'
import { ArtifactsError, type ErrorCode, EXIT_CODES } from '../../src/errors.ts'

const test = suite('report')

function reported(
  error: unknown,
  mode: { json?: boolean; verbose?: boolean; color?: boolean; signal?: AbortSignal } = {},
): { code: number; stderr: string } {
  const { json = false, verbose = false, color = false } = mode
  let stderr = ''
  const io = {
    note: (text: string) => {
      stderr += text
    },
    signal: mode.signal ?? new AbortController().signal,
    platform: 'node v20, test',
  } as unknown as Io
  const code = report(error, io, { json, verbose, color })
  return { code, stderr }
}

test('every code of the library ends with its exit code', () => {
  for (const code of Object.keys(EXIT_CODES) as ErrorCode[]) {
    assert.is(reported(new ArtifactsError(code, 'x')).code, EXIT_CODES[code])
  }
  assert.is(reported(new UsageError('x')).code, EXIT_CODES.ERR_USAGE)
})

test('people get what went wrong and what to do', () => {
  const error = new ArtifactsError('ERR_NOT_FOUND', 'No artifact named "bik".', {
    hint: 'Did you mean "bike"?',
  })
  assert.is(reported(error).stderr, 'error: No artifact named "bik".\nhint: Did you mean "bike"?\n')
  assert.is(
    reported(error, { color: true }).stderr,
    '\x1b[31merror:\x1b[0m No artifact named "bik".\n\x1b[36mhint:\x1b[0m Did you mean "bike"?\n',
  )
})

test('programs get one object', () => {
  const error = new ArtifactsError('ERR_NOT_FOUND', 'No.', { hint: 'Look.', data: { name: 'bik' } })
  const { code, stderr } = reported(error, { json: true, verbose: true })
  assert.is(code, 12)
  assert.equal(JSON.parse(stderr), {
    type: 'error',
    code: 'ERR_NOT_FOUND',
    message: 'No.',
    hint: 'Look.',
    name: 'bik',
  })
})

test('causes are shown when asked for', () => {
  const cause = new Error('middle', { cause: new Error('root') })
  const error = new ArtifactsError('ERR_IO', 'Top.', { cause })
  assert.is(reported(error).stderr, 'error: Top.\n')
  assert.match(
    reported(error, { verbose: true }).stderr,
    /^error: Top\.\ncaused by: middle\ncaused by: root\n/,
  )
})

test('a system error gets a sentence, a hint and exit code 4', () => {
  for (const code of ['ENOSPC', 'EACCES', 'EMFILE', 'EROFS', 'EDQUOT', 'EIO']) {
    const error = Object.assign(new Error(`${code}: raw text, write`), {
      code,
      syscall: 'write',
      path: '/x/y',
    })
    const { code: exit, stderr } = reported(error)
    assert.is(exit, 4)
    assert.match(stderr, new RegExp(`^error: "/x/y": .*\\(${code}\\)\\.\nhint: `))
    assert.not.match(stderr, 'raw text')
    assert.not.match(stderr, '    at ')
  }
})

test('a full disk under the index is a full disk', () => {
  const error = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
  assert.match(reported(error).stderr, 'no space is left')
})

test('a mistake in the program shows its stack and asks for a report', () => {
  const { code, stderr } = reported(new TypeError('x is not a function'))
  assert.is(code, 4)
  assert.match(stderr, /^error: Unexpected: x is not a function\nhint: .*Report it/)
  assert.match(stderr, /\n {4}at /)
  assert.match(stderr, 'node v20, test')
  const record = JSON.parse(reported(new TypeError('y'), { json: true }).stderr)
  assert.is(record.code, 'ERR_BUG')
  assert.match(record.stack, 'report.test')
})

test('what is thrown need not be an error', () => {
  assert.match(reported('nothing').stderr, 'Unexpected: nothing')
  assert.match(reported(undefined).stderr, 'Unexpected: undefined')
})

test('an interruption ends with 130, without a stack', () => {
  const controller = new AbortController()
  controller.abort()
  const { signal } = controller
  const { code, stderr } = reported(signal.reason, { signal })
  assert.is(code, 130)
  assert.match(stderr, /^Interrupted; .*\n$/)
  assert.is(
    JSON.parse(reported(signal.reason, { signal, json: true }).stderr).code,
    'ERR_INTERRUPTED',
  )
})

test('another error while being interrupted is told as what it is', () => {
  const controller = new AbortController()
  controller.abort()
  const error = new ArtifactsError('ERR_DAMAGED', 'Broken.')
  assert.is(reported(error, { signal: controller.signal }).code, 13)
})

test('a name in a message cannot play tricks on the terminal', () => {
  const error = new ArtifactsError('ERR_NOT_FOUND', 'No "\x1b[2Jx\u202e".')
  assert.is(reported(error).stderr, 'error: No "\\x1b[2Jx\\u202e".\n')
})

test.run()
