import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ArtifactsError, ErrorCode } from '../../../src/errors.ts'
import { parseRef } from '../../../src/names.ts'
import type { Connection } from '../../../src/store/index/connection.ts'
import {
  resolveAnyVersion,
  resolveArtifact,
  resolveVersion,
} from '../../../src/store/index/resolve.ts'
import { seal } from '../../../src/store/index/row-sum.ts'
import { versionId } from '../../../src/store/log/version-object.ts'
import { throwsCode } from '../../support/rejects.ts'
import { sampleArtifact, sampleId, sampleObject } from '../log/samples.ts'
import { type MemoryState, memoryState, removeLatest } from './memory-state.ts'

const test = suite('resolve')

const DEFAULTS = { entity: 'ann', project: 'default' }

test('finds versions by number, alias, id and steps back', () => {
  const memory = bikes()
  const id = versionId(sampleObject(1))
  for (const [ref, number] of [
    ['bike', 2],
    ['bike:latest', 2],
    ['bike:v0', 0],
    ['bike:best', 1],
    ['default/bike:v1', 1],
    ['ann/default/bike:v1', 1],
    [`bike@${id.slice(0, 8)}`, 1],
    [`@${id.slice(0, 6)}`, 1],
    [`@${id}`, 1],
    ['bike~1', 1],
    ['bike~2', 0],
    ['bike:best~1', 0],
    ['bike:best~0', 1],
    [`@${id}~1`, 0],
  ] as const) {
    const { artifact, version } = resolveVersion(memory.state, parseRef(ref), DEFAULTS)
    assert.is(version.number, number, ref)
    assert.is(artifact.name, 'bike')
  }
})

test('looks in the project that is named, else in the default one', () => {
  const { state, commit } = bikes()
  commit('bike', sampleObject('other'), {
    project: 'vision',
    newArtifact: sampleArtifact('vision'),
  })
  const find = (ref: string, project = 'default'): string =>
    resolveVersion(state, parseRef(ref), { entity: 'ann', project }).artifact.project
  assert.is(find('bike'), 'default')
  assert.is(find('vision/bike'), 'vision')
  assert.is(find('bike', 'vision'), 'vision')
})

test('means by a bare name the highest version where there is no latest', () => {
  const memory = bikes()
  const { state } = memory
  removeLatest(memory, 'bike')
  assert.is(resolveVersion(state, parseRef('bike'), DEFAULTS).version.number, 2)
  throwsCode(() => resolveVersion(state, parseRef('bike:latest'), DEFAULTS), 'ERR_NOT_FOUND')
})

test('says what is not there, and what may have been meant', () => {
  const memory = bikes()
  memory.commit('train', sampleObject('train'), { project: 'other' })
  for (const [ref, message, hint] of [
    ['bkie', 'No artifact named "bkie".', 'Did you mean "bike"? Run `artifacts ls`'],
    ['other/trian', 'No artifact named "other/trian".', 'Did you mean "other/train"?'],
    ['train', 'No artifact named "train".', 'Did you mean "other/train"?'],
    ['zebra', 'No artifact named "zebra".', 'Run `artifacts ls`'],
    ['bike:v9', 'No version "bike:v9".', 'The highest is "bike:v2". Run `artifacts log bike`'],
    ['bike:bets', 'No version "bike:bets".', 'Did you mean "bike:best"?'],
    ['bike@000000', 'No version "bike@000000".', 'Run `artifacts log bike`'],
    ['@000000', 'No version with the id "@000000".', 'Run `artifacts log`'],
    ['bike~3', '"bike~3" goes back beyond the first version.', 'Run `artifacts log bike`'],
  ] as const) {
    const error = failure(memory, ref, 'ERR_NOT_FOUND')
    assert.is(error.message, message)
    assert.ok(error.hint?.startsWith(hint), `${ref}: ${error.hint}`)
  }
})

test('refuses another entity, and names both', () => {
  const error = failure(bikes(), 'bob/default/bike', 'ERR_NOT_FOUND')
  assert.match(error.message, '"bob"')
  assert.match(error.message, '"ann"')
})

test('lists the candidates of an id that fits several versions', () => {
  const { state, connection, commit } = memoryState()
  for (let i = 0; i < 12; i++) commit('bike', sampleObject(i))
  connection.run("UPDATE version SET id = 'abcdef' || substr(id, 7)")
  sealVersions(connection)
  const error = throwsCode(
    () => resolveVersion(state, parseRef('@abcdef'), DEFAULTS),
    'ERR_AMBIGUOUS',
  )
  assert.match(error.hint ?? '', /^It could be (bike:v\d+ \(@abcdef[0-9a-f]{6}\), ){10}and more\.$/)
  assert.is((error.data['candidates'] as unknown[]).length, 10)
})

test('takes an id for an artifact only if the version is one of its own', () => {
  const memory = bikes()
  memory.commit('car', sampleObject('car'))
  const id = versionId(sampleObject('car'))
  failure(memory, `bike@${id.slice(0, 10)}`, 'ERR_NOT_FOUND')
})

test('finds artifacts whatever version is selected', () => {
  const { state } = bikes()
  const find = (ref: string): string => resolveArtifact(state, parseRef(ref), DEFAULTS).id
  assert.is(find('bike:nothing'), sampleArtifact('bike'))
  assert.is(find(`@${versionId(sampleObject(1))}`), sampleArtifact('bike'))
})

test('treats an artifact without versions as having none', () => {
  const memory = memoryState()
  const artifact = sampleId('x').slice(0, 32) as ReturnType<typeof sampleArtifact>
  memory.apply({ kind: 'artifact.create', artifact, project: 'default', name: 'empty', type: 't' })
  assert.is(failure(memory, 'empty', 'ERR_NOT_FOUND').message, 'No version "empty".')
})

test('finds a deleted version only for who asks for such, and says how to get it back', () => {
  const memory = bikes()
  const { state, apply } = memory
  const artifact = sampleArtifact('bike')
  const version = versionId(sampleObject(1))
  apply(
    { kind: 'alias.remove', artifact, alias: 'best', old: version },
    { kind: 'version.delete', artifact, version },
  )
  for (const ref of ['bike:v1', `@${version}`, `bike@${version.slice(0, 8)}`, 'bike:v1~1']) {
    const error = failure(memory, ref, 'ERR_NOT_FOUND')
    assert.is(error.message, 'Version "bike:v1" is deleted.')
    assert.match(error.hint ?? '', '`artifacts restore bike:v1`')
  }
  const find = (ref: string): number =>
    resolveAnyVersion(state, parseRef(ref), DEFAULTS).version.number
  assert.is(find('bike:v1'), 1)
  assert.is(find(`@${version}`), 1)
  assert.is(find('bike~1'), 0)
  assert.match(failure(memory, 'bike:bets', 'ERR_NOT_FOUND').message, 'No version "bike:bets"')

  apply({ kind: 'version.purge', artifact, version })
  const error = failure(memory, 'bike:v1', 'ERR_NOT_FOUND')
  assert.is(error.message, 'Version "bike:v1" was removed by gc.')
})

test('prefers live versions for an id that fits deleted ones too', () => {
  const { state, connection, commit } = memoryState()
  for (let i = 0; i < 14; i++) commit('bike', sampleObject(i))
  connection.run("UPDATE version SET id = 'abcdef' || substr(id, 7)")
  sealVersions(connection)
  connection.run('UPDATE version SET deleted = 1 WHERE number <> 9')
  sealVersions(connection)
  assert.is(resolveVersion(state, parseRef('@abcdef'), DEFAULTS).version.number, 9)
  connection.run('UPDATE version SET deleted = 1')
  sealVersions(connection)
  throwsCode(() => resolveAnyVersion(state, parseRef('@abcdef'), DEFAULTS), 'ERR_AMBIGUOUS')
})

test('says of an artifact whose versions are all deleted that they are', () => {
  const memory = memoryState()
  memory.commit('bike', sampleObject(0))
  const artifact = sampleArtifact('bike')
  const version = versionId(sampleObject(0))
  memory.apply(
    { kind: 'alias.remove', artifact, alias: 'latest', old: version },
    { kind: 'version.delete', artifact, version },
  )
  const error = failure(memory, 'bike', 'ERR_NOT_FOUND')
  assert.is(error.message, 'All versions of "bike" are deleted.')
  assert.match(error.hint ?? '', '`artifacts restore bike:v0`')
  memory.apply({ kind: 'version.purge', artifact, version })
  assert.match(failure(memory, 'bike', 'ERR_NOT_FOUND').hint ?? '', 'v1')
})

/** An artifact with v0, v1 (best) and v2 (latest). */
function bikes(): MemoryState {
  const memory = memoryState()
  memory.commit('bike', sampleObject(0))
  memory.commit('bike', sampleObject(1), { aliases: ['best'] })
  memory.commit('bike', sampleObject(2))
  return memory
}

function failure({ state }: MemoryState, ref: string, code: ErrorCode): ArtifactsError {
  return throwsCode(() => resolveVersion(state, parseRef(ref), DEFAULTS), code)
}

/** Takes rows that were changed by hand for rows that were written. */
function sealVersions(connection: Connection): void {
  for (const { id } of connection.all<{ id: string }>('SELECT id FROM version')) {
    seal(connection, 'version', id)
  }
}

test.run()
