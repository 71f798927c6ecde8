import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DeadError, installFaults, watchCalls } from '../../../src/store/io/faults.ts'
import { type CallKind, intercept } from '../../../src/store/io/intercept.ts'
import { operationPath, temporaryName } from '../../../src/store/layout.ts'
import { type Appended, appendOperation } from '../../../src/store/log/append.ts'
import { readEntry } from '../../../src/store/log/log.ts'
import type { Operation } from '../../../src/store/log/operation.ts'
import { throwsCode } from '../../support/rejects.ts'
import { type Store, temporaryStore } from '../index/temporary-store.ts'
import { sampleArtifact, sampleId, sampleOperation } from './samples.ts'

const test = suite('append')

test('creates the operation whole, and nothing else', async () => {
  await using store = await temporaryStore()
  const operation = operationOf(store)
  const appended = append(store, operation)
  if (appended.kind !== 'created') throw new Error(appended.kind)
  const entry = readEntry(store.layout, 1, store.identity.hash)
  assert.equal(entry, { kind: 'operation', operation, hash: appended.hash })
  assert.equal(readdirSync(store.layout.log), ['000000000001.json'])
})

test('leaves a number alone that another operation has', async () => {
  await using store = await temporaryStore()
  append(store, operationOf(store))
  const before = readFileSync(operationPath(store.layout, 1))
  assert.equal(append(store, operationOf(store, 'other')), { kind: 'taken' })
  assert.equal(readFileSync(operationPath(store.layout, 1)), before)
  assert.equal(readdirSync(store.layout.log), ['000000000001.json'])
})

test('syncs the file before its name, and the name before it returns', async () => {
  await using store = await temporaryStore()
  assert.equal(callsOf(store, true), [
    'open',
    'write',
    'fsync',
    'close',
    'link',
    'fsyncDirectory',
    'unlink',
  ])
})

test('syncs the names before it where they may not be durable', async () => {
  await using store = await temporaryStore()
  assert.is(callsOf(store, false)[0], 'fsyncDirectory')
  await using scratch = await temporaryStore('process')
  const calls = callsOf(scratch, false)
  assert.not.ok(calls.includes('fsync') || calls.includes('fsyncDirectory'))
})

test('commits nothing when a call before the link fails', async () => {
  for (const kind of ['open', 'write', 'fsync', 'close', 'link', 'fsyncDirectory'] as const) {
    await using store = await temporaryStore()
    using faults = installFaults({ at: 1, kinds: [kind], fault: { do: 'fail', code: 'EIO' } })
    assert.throws(() => append(store, operationOf(store), false), hasCode('EIO'))
    assert.ok(faults.fired)
    faults.reset()
    assert.equal(readdirSync(store.layout.log), [], kind)
    assert.is(append(store, operationOf(store)).kind, 'created')
  }
})

test('says that the commit stands when the disk does not confirm its name', async () => {
  await using store = await temporaryStore()
  using faults = installFaults({
    at: 1,
    kinds: ['fsyncDirectory'],
    fault: { do: 'fail', code: 'EIO' },
  })
  const error = throwsCode(() => append(store, operationOf(store)), 'ERR_DURABILITY_UNKNOWN')
  faults.reset()
  assert.match(error.message, 'Operation 1 was committed')
  assert.is(readEntry(store.layout, 1, store.identity.hash)?.kind, 'operation')
  assert.equal(readdirSync(store.layout.log), ['000000000001.json'])
})

test('needs no end of its temporary name', async () => {
  await using store = await temporaryStore()
  using faults = installFaults({ at: 1, kinds: ['unlink'], fault: { do: 'fail', code: 'EIO' } })
  assert.is(append(store, operationOf(store)).kind, 'created')
  assert.ok(faults.fired)
})

test('knows its own operation when the answer to the link is lost or wrong', async () => {
  for (const code of ['EIO', 'EEXIST']) {
    await using store = await temporaryStore()
    const remove = failLinks(code, 'after')
    try {
      assert.is(append(store, operationOf(store)).kind, 'created')
    } finally {
      remove()
    }
  }
})

test('leaves the whole operation or none, wherever the process ends', async () => {
  let reached = 0
  for (let at = 1; ; at++) {
    let fired = false
    for (const when of ['before', 'after'] as const) {
      await using store = await temporaryStore()
      const operation = operationOf(store)
      using faults = installFaults({ at, fault: { do: 'die', when } })
      try {
        append(store, operation, false)
      } catch (error) {
        if (!(error instanceof DeadError)) throw error
      }
      fired = faults.fired
      faults.reset()
      const entry = readEntry(store.layout, 1, store.identity.hash)
      if (entry?.kind === 'operation') assert.equal(entry.operation, operation)
      const next = append(store, operationOf(store, 'other'))
      assert.is(next.kind, entry === undefined ? 'created' : 'taken')
    }
    if (!fired) break
    reached = at
  }
  assert.is(reached, 8)
})

test('creates the operation under a lock where there are no hard links', async () => {
  await using store = await temporaryStore()
  const remove = failLinks('EPERM', 'before')
  try {
    assert.is(append(store, operationOf(store)).kind, 'created')
    assert.is(append(store, operationOf(store, 'other')).kind, 'taken')
    assert.equal(readdirSync(store.layout.log), ['000000000001.json'])
    assert.is(readEntry(store.layout, 1, store.identity.hash)?.kind, 'operation')
  } finally {
    remove()
  }
})

test('waits for the lock of a running process, of this host or another', async () => {
  await using store = await temporaryStore()
  const remove = failLinks('EPERM', 'before')
  try {
    for (const holder of [temporaryName(), 'elsewhere.12.34.0123456789abcdef', '']) {
      writeFileSync(lockPath(store, 0), holder)
      const appended = append(store, operationOf(store))
      assert.equal(appended, { kind: 'busy', lock: lockPath(store, 0), holder })
    }
    assert.equal(readdirSync(store.layout.log), ['.lock-000000000001.0'])
  } finally {
    remove()
  }
})

test('goes past the locks of dead processes, and clears them away', async () => {
  await using store = await temporaryStore()
  const dead = temporaryName().replace(/\.\d+\.\d+\./, '.999999999.1.')
  writeFileSync(lockPath(store, 0), dead)
  writeFileSync(lockPath(store, 1), '')
  utimesSync(lockPath(store, 1), 0, 0)
  const remove = failLinks('EPERM', 'before')
  try {
    assert.is(append(store, operationOf(store)).kind, 'created')
    assert.equal(readdirSync(store.layout.log), ['000000000001.json'])
  } finally {
    remove()
  }
})

test('gives the lock back when the operation cannot be put in its place', async () => {
  await using store = await temporaryStore()
  const remove = failLinks('EPERM', 'before')
  using faults = installFaults({ at: 1, kinds: ['rename'], fault: { do: 'fail', code: 'EIO' } })
  try {
    assert.throws(() => append(store, operationOf(store)), hasCode('EIO'))
    faults.reset()
    assert.not.ok(existsSync(lockPath(store, 0)))
    assert.is(append(store, operationOf(store)).kind, 'created')
  } finally {
    remove()
  }
})

function operationOf(store: Store, nonce = 'mine'): Operation {
  const artifact = sampleArtifact(1)
  const change = {
    kind: 'artifact.create' as const,
    artifact,
    project: 'p',
    name: 'bike',
    type: 'model',
  }
  return {
    ...sampleOperation(1, store.identity.hash, [change]),
    nonce: sampleId(nonce).slice(0, 32),
  }
}

function append({ io, layout }: Store, operation: Operation, previousIsDurable = true): Appended {
  return appendOperation(operation, { io, layout, previousIsDurable })
}

function callsOf(store: Store, previousIsDurable: boolean): CallKind[] {
  const watched = watchCalls()
  append(store, operationOf(store), previousIsDurable)
  return watched.stop().map(({ kind }) => kind)
}

/** Makes links fail by themselves, or report a failure although they were made. */
function failLinks(code: string, when: 'before' | 'after'): () => void {
  const fail = ({ kind }: { kind: CallKind }): void => {
    if (kind === 'link') throw Object.assign(new Error(code), { code, errno: -1 })
  }
  return intercept(when === 'before' ? { before: fail } : { after: fail })
}

function lockPath(store: Store, generation: number): string {
  return join(store.layout.log, `.lock-000000000001.${generation}`)
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => (error as NodeJS.ErrnoException).code === code
}

test.run()
