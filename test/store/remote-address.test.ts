import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  isRemoteAddress,
  looksLikeAddress,
  pathOfAddress,
  remoteAddress,
  shownAddress,
} from '../../src/store/remote-address.ts'
import { throwsCode } from '../support/rejects.ts'

const test = suite('remote address')

test('each place has one form', () => {
  for (const [text, form] of [
    ['s3://bucket', 's3://bucket'],
    ['s3://bucket/', 's3://bucket'],
    ['s3://bucket//a/b/', 's3://bucket/a/b'],
    ['HTTPS://Host:443/x', 'https://host/x/'],
    ['http://host', 'http://host/'],
    ['file:///a/b/', 'file:///a/b'],
    ['../x y', 'file:///work/x%20y'],
    ['/m/../drive/', 'file:///drive'],
    ['x.tar', 'file:///work/here/x.tar'],
    ['.', 'file:///work/here'],
  ] as const) {
    assert.is(remoteAddress(text, '/work/here'), form)
    assert.is(remoteAddress(form, '/elsewhere'), form)
    assert.ok(isRemoteAddress(form))
    if (text !== form) assert.not(isRemoteAddress(text), text)
  }
})

test('what may hold a secret is refused and not repeated', () => {
  for (const text of [
    'https://user:hunter2@host/x',
    'https://hunter2@host/x',
    'https://host/x?token=hunter2',
    'https://host/x#hunter2',
    's3://key:hunter2@bucket/x',
    's3://bucket/x?secret=hunter2',
    'ftp://me:hunter2@host/x',
    'me:hunter2@host:x',
    'file://me:hunter2@host/x',
  ]) {
    const error = throwsCode(() => remoteAddress(text, '/'), 'ERR_USAGE')
    assert.not.match(JSON.stringify(error), 'hunter2')
    assert.not.match(shownAddress(text), 'hunter2')
    assert.not(isRemoteAddress(text))
  }
})

test('what is no address is refused', () => {
  for (const text of [
    '',
    's3:bucket',
    's3://',
    's3://b/../x',
    'https:/host',
    'gs://b/x',
    'file://host/x',
    'file:///a%2fb',
    'a\0b',
  ]) {
    throwsCode(() => remoteAddress(text, '/'), 'ERR_USAGE')
  }
})

test('a name is told from an address or a path', () => {
  for (const text of ['./x', 'a/b', 'x.tar', 's3://b', '.', '..']) assert.ok(looksLikeAddress(text))
  for (const text of ['origin', 'team.eu', 'a-b']) assert.not(looksLikeAddress(text))
  assert.is(pathOfAddress('file:///a%20b'), '/a b')
  assert.is(pathOfAddress('s3://b/x'), undefined)
})

test.run()
