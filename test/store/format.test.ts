import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeFormat, FORMAT, readFormat } from '../../src/store/format.ts'
import { throwsCode } from '../support/rejects.ts'
import { temporaryDirectory } from '../support/temp.ts'

const test = suite('format')
const ID = '0123456789abcdef0123456789abcdef'

function signed(line: string): string {
  return `${line}\n${createHash('sha256').update(line).digest('hex')}\n`
}

async function withText<T>(text: string | Uint8Array, read: (path: string) => T): Promise<T> {
  await using dir = await temporaryDirectory()
  const path = join(dir.path, 'format.json')
  fs.writeFileSync(path, text)
  return read(path)
}

test('it is the object and its hash, as the specification says', () => {
  const text = encodeFormat({ id: ID, tool: 'artifacts/0.1.0' }).toString()
  assert.is(text, signed(`{"format":4,"store":"${ID}","tool":"artifacts/0.1.0"}`))
})

test('it is read as it was written; its hash begins the chain of operations', async () => {
  const text = encodeFormat({ id: ID, tool: 'some "tool"\n' })
  const hash = text.toString().split('\n')[1]
  assert.equal(await withText(text, readFormat), { id: ID, hash, format: FORMAT })
})

test('anything else than what was written is damage', async () => {
  const good = encodeFormat({ id: ID, tool: 'x' })
  const texts: (string | Uint8Array)[] = [
    '',
    '\n',
    good.subarray(0, -1),
    good.subarray(0, 40),
    `${good}\n`,
    `${good}x`,
    signed('[]'),
    signed('not json'),
    signed(`{"format":"1","store":"${ID}","tool":"x"}`),
    signed(`{"format":0,"store":"${ID}","tool":"x"}`),
    signed(`{"format":1.5,"store":"${ID}","tool":"x"}`),
    signed(`{"format":1,"store":"${ID.toUpperCase()}","tool":"x"}`),
    signed('{"format":1,"store":"short","tool":"x"}'),
    signed(`{"format":1,"store":"${ID}"}`),
    signed(`{"format":1,"store":"${ID}","tool":"${'x'.repeat(201)}"}`),
    ...Array.from({ length: good.length }, (_, at) => {
      const flipped = Buffer.from(good)
      flipped[at] = (flipped[at] as number) ^ 1
      return flipped
    }),
  ]
  for (const text of texts) {
    await withText(text, (path) => {
      const error = throwsCode(() => readFormat(path), 'ERR_DAMAGED')
      assert.match(error.message, path)
    })
  }
})

test('a later format is refused, naming the program that knows it', async () => {
  const text = signed(`{"format":${FORMAT + 1},"store":"${ID}","tool":"artifacts/9.9"}`)
  await withText(text, (path) => {
    const error = throwsCode(() => readFormat(path), 'ERR_UNSUPPORTED')
    assert.match(`${error.message} ${error.hint}`, 'artifacts/9.9')
  })
})

test('without the file there is no store', async () => {
  await withText('', (path) => {
    for (const missing of [`${path}.not`, `${path}/format.json`]) {
      throwsCode(() => readFormat(missing), 'ERR_NO_STORE')
    }
  })
})

test.run()
