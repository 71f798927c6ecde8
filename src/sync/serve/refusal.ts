/** What a request is refused with: a status, and a sentence for the person who asked. */
import type { OutgoingHttpHeaders } from 'node:http'

export class Refusal extends Error {
  readonly status: number
  readonly headers: OutgoingHttpHeaders

  static {
    this.prototype.name = 'Refusal'
  }

  constructor(status: number, message: string, headers: OutgoingHttpHeaders = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** There is no such file. */
export function absent(): Refusal {
  return new Refusal(404, 'There is no such file.')
}
