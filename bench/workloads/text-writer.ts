/** A reused buffer of ASCII text. Writing digits by hand makes half a gigabyte of CSV in seconds. */
export class TextWriter {
  readonly bytes: Buffer
  length = 0

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafe(capacity)
  }

  text(text: string): void {
    const { bytes } = this
    let at = this.length
    for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index)
    this.length = at
  }

  /** A whole number from 0. */
  integer(value: number): void {
    let width = 1
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) width++
    this.digits(value, width)
  }

  /** The last `width` digits of a whole number, with leading zeros. */
  digits(value: number, width: number): void {
    const { bytes } = this
    let rest = value
    for (let at = this.length + width - 1; at >= this.length; at--) {
      const next = Math.floor(rest / 10)
      bytes[at] = 48 + rest - next * 10
      rest = next
    }
    this.length += width
  }

  /** The text so far, valid until the next write. */
  view(limit: number = this.length): Buffer {
    return this.bytes.subarray(0, Math.min(limit, this.length))
  }
}
