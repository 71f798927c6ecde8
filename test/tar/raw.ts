/** Tars by hand: well-formed and otherwise, with every field at hand. */

export interface RawEntry {
  readonly name?: string | Buffer
  /** Default `0`. */
  readonly type?: string
  readonly content?: string | Buffer
  /** What the header says; default: the content's length. */
  readonly size?: number | Buffer
  readonly target?: string
  readonly mode?: number
  /** `ustar` (default), `gnu` or none. */
  readonly magic?: string
  readonly prefix?: string
}

export const END: Buffer = Buffer.alloc(1024)
const USTAR = 'ustar\x0000'

/** The entries and the end. */
export function tarOf(...entries: readonly (RawEntry | Buffer)[]): Buffer {
  return Buffer.concat([
    ...entries.map((each) => (Buffer.isBuffer(each) ? each : rawEntry(each))),
    END,
  ])
}

export function rawEntry(entry: RawEntry): Buffer {
  const content = Buffer.from(entry.content ?? '')
  const { name = 'file', type = '0', target = '', mode = 0o644, magic = USTAR, prefix = '' } = entry
  const block = Buffer.alloc(512)
  Buffer.from(name).copy(block, 0, 0, 100)
  block.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
  block.write('0000000\0', 108)
  block.write('0000000\0', 116)
  const size = entry.size ?? content.length
  if (typeof size === 'number') block.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  else size.copy(block, 124, 0, 12)
  block.write('00000000000\0', 136)
  block.write(type, 156, 'latin1')
  block.write(target, 157)
  block.write(magic, 257, 'latin1')
  block.write(prefix, 345)
  return Buffer.concat([withChecksum(block), content, Buffer.alloc(-content.length & 511)])
}

export function withChecksum(block: Buffer): Buffer {
  block.fill(0x20, 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** Pax records, of the next entry or with `g` of all. */
export function pax(
  records: Readonly<Record<string, string | Buffer>>,
  type: 'x' | 'g' = 'x',
): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
    let length = rest.length + 1
    while (String(length).length + rest.length !== length) length++
    return Buffer.concat([Buffer.from(String(length)), rest])
  })
  return rawEntry({ name: 'PaxHeader', type, content: Buffer.concat(lines) })
}

/** A long name as GNU has it. */
export function longName(name: string, type: 'L' | 'K' = 'L'): Buffer {
  return rawEntry({ name: '././@LongLink', type, content: `${name}\0`, magic: 'ustar  \0' })
}
