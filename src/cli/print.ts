/**
 * Answers to standard output, as text or JSON, in pieces: a listing of a million entries is never one string, the
 * reader's pace is ours, and between two pieces signals are heard.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Answer } from './command.ts'
import type { Io } from './io.ts'

const PIECE = 64 * 1024

export async function print(answer: Answer, json: boolean, io: Io): Promise<void> {
  if ('bytes' in answer) {
    for await (const piece of answer.bytes) await send(piece, io)
    return
  }
  let piece = ''
  for (const line of linesOf(answer, json)) {
    piece += line
    if (piece.length < PIECE) continue
    await send(piece, io)
    piece = ''
  }
  if (piece !== '') await io.write(piece)
}

async function send(piece: string | Uint8Array, io: Io): Promise<void> {
  await io.write(piece)
  await turn()
  io.signal.throwIfAborted()
}

function* linesOf(answer: Exclude<Answer, { bytes: unknown }>, json: boolean): Iterable<string> {
  if (json) {
    for (const record of 'value' in answer ? [answer.value] : answer.records) {
      yield `${JSON.stringify(record)}\n`
    }
  } else if ('text' in answer) {
    yield answer.text
  } else {
    for (const line of answer.lines) yield `${line}\n`
  }
}
