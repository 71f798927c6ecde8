import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  decodeVersionObject,
  encodeVersionObject,
  versionId,
} from '../../../src/store/log/version-object.ts'
import { throwsCode } from '../../support/rejects.ts'
import { sampleId, sampleObject } from './samples.ts'

const test = suite('version object')

const OBJECT = { ...sampleObject(1), parents: [sampleId(2)], run: 'run-1' }

test('is canonical JSON, named by its hash in a domain of its own', () => {
  const text = `{"bytes":1000,"createdAt":"2026-11-20T00:00:00.000Z","files":3,"parents":["${sampleId(2)}"],"root":"${OBJECT.root}","run":"run-1"}`
  assert.is(encodeVersionObject(OBJECT).toString(), text)
  const hash = createHash('sha256').update(`artifacts.version\0${text}`).digest('hex')
  assert.is(versionId(OBJECT), hash)
})

test('is read as it was written', () => {
  for (const object of [OBJECT, sampleObject(2)]) {
    assert.equal(decodeVersionObject(encodeVersionObject(object)), object)
  }
})

test('is refused with any field too many, too few or amiss, and in any other spelling', () => {
  const wrong = [
    { ...OBJECT, color: 'red' },
    { ...OBJECT, files: -1 },
    { ...OBJECT, bytes: 0.5 },
    { ...OBJECT, root: OBJECT.root.toUpperCase() },
    { ...OBJECT, parents: [sampleId(1), sampleId(1)] },
    { ...OBJECT, createdAt: '2026-11-20' },
    { ...OBJECT, run: 'a/b' },
    {},
  ].map((object) => encodeVersionObject(object as typeof OBJECT))
  const bytes = encodeVersionObject(OBJECT)
  wrong.push(Buffer.from(''), Buffer.from('null'), Buffer.from(` ${bytes}`), bytes.subarray(1))
  for (const value of wrong) throwsCode(() => decodeVersionObject(value), 'ERR_DAMAGED')
})

test.run()
