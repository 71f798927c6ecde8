/** Compares what `--json` printed with the fields that a command documents. */
import * as assert from 'uvu/assert'

/** Every field that is there is documented, and every one that is always there is there. */
export function assertFields(value: unknown, documented: string | undefined): void {
  assert.ok(documented !== undefined, 'the shape is not documented')
  const fields = (documented ?? '').split(' ')
  const required = fields.filter((field) => !field.endsWith('?'))
  const allowed = fields.map((field) => field.replace('?', ''))
  const found = Object.keys(value as object)
  assert.equal(
    found.filter((field) => !allowed.includes(field)),
    [],
    'fields without documentation',
  )
  assert.equal(
    required.filter((field) => !found.includes(field)),
    [],
    'fields that are missing',
  )
}

/** The objects of an answer with one on each line. */
export function lines(text: string): Record<string, unknown>[] {
  assert.ok(text === '' || text.endsWith('\n'))
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}
