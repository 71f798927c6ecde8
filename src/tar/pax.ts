/** The records of a pax header: `LENGTH KEY=VALUE\n`, where LENGTH counts all of it, itself included. */

/** Keys that say where an entry's bytes are or what it is called; the others are times, owners and the like. */
export type PaxRecords = ReadonlyMap<string, Buffer>

/** Of a key that comes twice the last counts, as POSIX has it. Undefined: these are no records. */
export function decodePax(bytes: Buffer): PaxRecords | undefined {
  const records = new Map<string, Buffer>()
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at)
    const digits = bytes.toString('latin1', at, space < 0 ? at : Math.min(space, at + 10))
    const end = /^[1-9]\d*$/.test(digits) ? at + Number(digits) : 0
    const equals = bytes.indexOf(0x3d, space)
    if (end > bytes.length || bytes[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      return undefined
    }
    records.set(bytes.toString('utf8', space + 1, equals), bytes.subarray(equals + 1, end - 1))
    at = end
  }
  return records
}

/** A whole number in decimal digits that can be counted with. */
export function decimal(bytes: Buffer): number | undefined {
  const digits = bytes.toString('latin1')
  const value = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}
