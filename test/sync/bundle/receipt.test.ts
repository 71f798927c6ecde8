import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeReceipt, readReceipt } from '../../../src/sync/bundle/receipt.ts'
import type { ObjectId } from '../../../src/types.ts'
import { throwsCode } from '../../support/rejects.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('receipts')
const id = (digit: string): ObjectId => digit.repeat(64) as ObjectId
const RECEIPT = { store: 'a'.repeat(32), n: 12, hash: id('b'), complete: [id('2'), id('1')] }

test('a receipt comes back, with its versions in order', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'receipt.json')
  writeFileSync(path, encodeReceipt(RECEIPT))
  assert.equal(readReceipt(path), { ...RECEIPT, complete: [id('1'), id('2')] })
})

test('what is no receipt is named', async () => {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'receipt.json')
  const text = encodeReceipt(RECEIPT).toString()
  const wrong = ['', '{', '[]', 'null', text.slice(1), text.replace('"n":12', '"n":-1')]
  wrong.push(text.replace(id('1'), id('2')), text.replace('"store"', '"shop"'))
  wrong.push(JSON.stringify({ ...RECEIPT, complete: ['x'] }))
  for (const bytes of wrong) {
    writeFileSync(path, bytes)
    assert.match(throwsCode(() => readReceipt(path), 'ERR_INVALID_VALUE').message, path)
  }
  mkdirSync(join(dir.path, 'folder'))
  assert.throws(() => readReceipt(join(dir.path, 'folder')))
})

test.run()
