import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { plainTar } from '../../src/tar/plain.ts'
import { rejects } from '../support/rejects.ts'
import { tarOf } from './raw.ts'

const test = suite('tar/plain')
const TAR = tarOf({ name: 'a', content: 'some content '.repeat(1000) })

async function* inPieces(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

async function unpack(bytes: Buffer, length = 1000): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of plainTar(inPieces(bytes, length), '"x"')) pieces.push(piece)
  return Buffer.concat(pieces)
}

test('gives back what is not packed, and what gzip packed, in one piece or several', async () => {
  for (const length of [1, 3, 1000, 1e6]) {
    assert.ok((await unpack(TAR, length)).equals(TAR))
    assert.ok((await unpack(gzipSync(TAR), length)).equals(TAR))
  }
  const halves = [gzipSync(TAR.subarray(0, 700)), gzipSync(TAR.subarray(700))]
  assert.ok((await unpack(Buffer.concat(halves))).equals(TAR))
  assert.is((await unpack(Buffer.alloc(0))).length, 0)
})

test('a gzip file that was cut, changed or has something behind it is refused', async () => {
  const packed = gzipSync(TAR)
  for (const length of [2, 5, 20, packed.length - 9, packed.length - 1]) {
    await rejects(unpack(packed.subarray(0, length)), 'ERR_DAMAGED')
  }
  const changed = Buffer.from(packed)
  changed[packed.length - 6] = (changed[packed.length - 6] as number) ^ 1
  await rejects(unpack(changed), 'ERR_DAMAGED')
  await rejects(unpack(Buffer.concat([packed, TAR])), 'ERR_DAMAGED')
  await rejects(unpack(Buffer.concat([packed, Buffer.alloc(600)])), 'ERR_DAMAGED')
})

test('what other programs packed is named, with the command that unpacks it', async () => {
  const magics = { zstd: '28b52ffd', xz: 'fd377a585a00', bzip2: '425a683931' }
  for (const [program, magic] of Object.entries(magics)) {
    const packed = Buffer.concat([Buffer.from(magic, 'hex'), Buffer.alloc(100)])
    const { hint } = await rejects(unpack(packed), 'ERR_UNSUPPORTED')
    assert.match(String(hint), `${program} -dc FILE | artifacts import -`)
  }
})

test('a bomb is given up after 1 GiB', async () => {
  const member = gzipSync(Buffer.alloc(2 ** 25))
  let given = 0
  const bomb = async function* (): AsyncGenerator<Buffer> {
    for (let count = 0; count < 1000; count++) yield member
  }
  const run = async (): Promise<void> => {
    for await (const piece of plainTar(bomb(), '"bomb"')) given += piece.length
  }
  const { message } = await rejects(run(), 'ERR_UNSUPPORTED')
  assert.match(message, 'more than 200 times its size')
  assert.ok(given <= 2 ** 30, `${given} bytes`)
})

test('an error of the source comes through as it is', async () => {
  const failing = async function* (): AsyncGenerator<Buffer> {
    yield gzipSync(TAR).subarray(0, 30)
    throw new Error('the cable is out')
  }
  try {
    for await (const _ of plainTar(failing(), 'x'));
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'the cable is out')
  }
})

test.run()
