/**
 * Which addresses belong to the internet at large (the special-purpose registries of RFC 6890). What a version refers
 * to was written by others: a request for it must not reach this machine, its network or a cloud's metadata service
 * unless a person has named that host. IPv4 inside IPv6 (mapped, NAT64) is judged as IPv4.
 */
import { BlockList, isIP } from 'node:net'

export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 0) return false
  return !SPECIAL.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** Network and prefix length. */
const SPECIAL_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const
const SPECIAL_V6 = [
  ['::', 127],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const

const SPECIAL = new BlockList()
for (const [network, bits] of SPECIAL_V4) {
  SPECIAL.addSubnet(network, bits, 'ipv4')
  SPECIAL.addSubnet(`64:ff9b::${network}`, 96 + bits, 'ipv6')
  SPECIAL.addSubnet(`::ffff:${network}`, 96 + bits, 'ipv6')
}
for (const [network, bits] of SPECIAL_V6) SPECIAL.addSubnet(network, bits, 'ipv6')
