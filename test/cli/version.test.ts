import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { VERSION } from '../../src/cli/version.ts'

const test = suite('version')

test('is the one of the package', () => {
  assert.is(VERSION, JSON.parse(readFileSync('package.json', 'utf8')).version)
})

test.run()
