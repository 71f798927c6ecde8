import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readEnvironment } from '../../src/cli/io.ts'

const test = suite('io')

test('a variable set to nothing counts as not set', () => {
  const variables = { ARTIFACTS_STORE: '', NO_COLOR: '', SHELL: '/bin/zsh' }
  const environment = readEnvironment(variables)
  assert.equal(environment, {
    store: undefined,
    cacheDir: undefined,
    entity: undefined,
    shell: '/bin/zsh',
    color: undefined,
    variables,
    run: undefined,
  })
})

test('NO_COLOR and a dumb terminal win over FORCE_COLOR', () => {
  assert.is(readEnvironment({ NO_COLOR: '1', FORCE_COLOR: '1' }).color, false)
  assert.is(readEnvironment({ TERM: 'dumb', FORCE_COLOR: '1' }).color, false)
  assert.is(readEnvironment({ FORCE_COLOR: '1' }).color, true)
  assert.is(readEnvironment({ FORCE_COLOR: '0' }).color, false)
})

test.run()
