import { mkdirSync, rmdirSync, truncateSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { operationPath } from '../../../src/store/layout.ts'
import { checkNoGap, readEntry } from '../../../src/store/log/log.ts'
import { encodeOperation } from '../../../src/store/log/operation.ts'
import { throwsCode } from '../../support/rejects.ts'
import { type Store, temporaryStore } from '../index/temporary-store.ts'
import { sampleArtifact, sampleId, sampleOperation } from './samples.ts'

const test = suite('log')

test('reads an operation', async () => {
  await using store = await temporaryStore()
  const hash = write(store, 1)
  const entry = readEntry(store.layout, 1, store.identity.hash)
  assert.is(entry?.hash, hash)
  assert.is(entry?.kind === 'operation' && entry.operation.n, 1)
})

test('finds nothing under a number that no operation has', async () => {
  await using store = await temporaryStore()
  assert.is(readEntry(store.layout, 1, store.identity.hash), undefined)
})

test('names the file of a damaged operation', async () => {
  await using store = await temporaryStore()
  write(store, 1)
  truncateSync(operationPath(store.layout, 1), 100)
  const error = throwsCode(() => readEntry(store.layout, 1, store.identity.hash), 'ERR_DAMAGED')
  assert.match(error.message, operationPath(store.layout, 1))
})

test('refuses a file larger than any operation without reading all of it', async () => {
  await using store = await temporaryStore()
  writeFileSync(operationPath(store.layout, 1), '')
  truncateSync(operationPath(store.layout, 1), 2 ** 40)
  throwsCode(() => readEntry(store.layout, 1, store.identity.hash), 'ERR_DAMAGED')
})

test('notices that an operation between others is lost', async () => {
  await using store = await temporaryStore()
  checkNoGap(store.layout, 0)
  write(store, 1)
  checkNoGap(store.layout, 1)
  checkNoGap(store.layout, 0)
  write(store, 3)
  const error = throwsCode(() => checkNoGap(store.layout, 1), 'ERR_DAMAGED')
  assert.match(error.message, operationPath(store.layout, 2))
  write(store, 2)
  checkNoGap(store.layout, 1)
})

test('takes no other file for an operation', async () => {
  await using store = await temporaryStore()
  for (const name of [
    '.0123',
    '000000000009.json.tmp',
    '9.json',
    '000000000001-000000000256.jsonl',
  ]) {
    writeFileSync(`${store.layout.log}/${name}`, '')
  }
  checkNoGap(store.layout, 0)
})

test('says that the log is gone', async () => {
  await using store = await temporaryStore()
  rmdirSync(store.layout.log)
  throwsCode(() => checkNoGap(store.layout, 0), 'ERR_DAMAGED')
  mkdirSync(store.layout.log)
  checkNoGap(store.layout, 0)
})

function write(store: Store, n: number): string {
  const artifact = sampleArtifact(n)
  const { bytes, hash } = encodeOperation(
    sampleOperation(n, n === 1 ? store.identity.hash : sampleId(n), [
      { kind: 'artifact.create', artifact, project: 'p', name: `a${n}`, type: 'model' },
    ]),
  )
  writeFileSync(operationPath(store.layout, n), bytes)
  return hash
}

test.run()
