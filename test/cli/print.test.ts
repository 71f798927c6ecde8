import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Io, OutputClosed } from '../../src/cli/io.ts'
import { print } from '../../src/cli/print.ts'

const test = suite('print')

/** An output that notes how long each piece was. */
function output(signal: AbortSignal = new AbortController().signal): { io: Io; pieces: number[] } {
  const pieces: number[] = []
  const write = async (piece: string | Uint8Array): Promise<void> => {
    pieces.push(piece.length)
  }
  return { io: { write, signal } as unknown as Io, pieces }
}

function* numbered(length: number): Iterable<string> {
  for (let i = 0; i < length; i++) yield `line ${i}`
}

test('a long answer is written in pieces of bounded size', async () => {
  const { io, pieces } = output()
  await print({ records: [], lines: numbered(1_000_000) }, false, io)
  assert.ok(pieces.length > 100)
  assert.ok(Math.max(...pieces) < 70_000)
})

test('only as much is asked for as the reader takes', async () => {
  let made = 0
  function* lines(): Iterable<string> {
    for (;;) yield `${made++}`
  }
  let written = 0
  const write = async (piece: string | Uint8Array): Promise<void> => {
    written += piece.length
    if (written > 200_000) throw new OutputClosed()
  }
  const io = { write, signal: new AbortController().signal } as unknown as Io
  try {
    await print({ records: [], lines: lines() }, false, io)
    assert.unreachable()
  } catch (error) {
    assert.instance(error, OutputClosed)
  }
  assert.ok(made < 100_000)
})

test('an interruption is heard between two pieces', async () => {
  const controller = new AbortController()
  const { io, pieces } = output(controller.signal)
  setImmediate(() => controller.abort())
  try {
    await print({ records: [], lines: numbered(1_000_000) }, false, io)
    assert.unreachable()
  } catch (error) {
    assert.is(error, controller.signal.reason)
  }
  assert.ok(pieces.length < 10)
})

test.run()
