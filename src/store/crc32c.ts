/** CRC-32C (Castagnoli, RFC 3720 appendix B.4), reflected, by a table of 256: what Google Cloud Storage has of every object. */

const POLYNOMIAL = 0x82f63b78

const TABLE = new Uint32Array(256)
for (let byte = 0; byte < 256; byte++) {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  TABLE[byte] = value >>> 0
}

/** Continues the checksum `before` (0 at the start) with `bytes`; an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let state = ~before
  for (const byte of bytes) state = (state >>> 8) ^ (TABLE[(state ^ byte) & 0xff] as number)
  return ~state >>> 0
}
