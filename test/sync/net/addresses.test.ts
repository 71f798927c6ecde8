import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isPublicAddress } from '../../../src/sync/net/addresses.ts'

const test = suite('addresses')

test('addresses of the internet are public', () => {
  for (const address of [
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '2606:4700::1111',
    '64:ff9b::808:808',
  ]) {
    assert.ok(isPublicAddress(address), address)
  }
})

test('addresses of this machine, of private networks and of metadata services are not', () => {
  const special = [
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
    '::',
    '::1',
    'fe80::1',
    'fd00:ec2::254',
    'fc00::1',
    'ff02::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'fec0::1',
  ]
  for (const address of special) assert.not.ok(isPublicAddress(address), address)
})

test('IPv4 inside IPv6 is judged as IPv4', () => {
  for (const address of [
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '64:ff9b::7f00:1',
    '64:ff9b::a9fe:a9fe',
  ]) {
    assert.not.ok(isPublicAddress(address), address)
  }
  assert.ok(isPublicAddress('::ffff:8.8.8.8'))
})

test('what is no address is not public', () => {
  for (const text of ['', 'localhost', '1.2.3', '0x7f.1'])
    assert.not.ok(isPublicAddress(text), text)
})

test.run()
