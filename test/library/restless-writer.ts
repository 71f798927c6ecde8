/**
 * A program that never lets a directory rest: thousands of small files come and go, one file is rewritten in pieces
 * without a pause, and others are rewritten in pieces and then left alone for a while.
 *
 * usage: restless-writer.js DIR SECONDS PAUSE_MS; prints how many changes it made a second, and for how many milliseconds
 * at most it paused within a file
 */
import fs from 'node:fs'
import { join } from 'node:path'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const PIECES = 8
const LINES = 50

/** A file's content in the pieces it is written in; whole, it begins and ends with the same number. */
export function piecesOf(number: number): string[] {
  return Array.from({ length: PIECES }, (_, piece) => {
    const first = piece === 0 ? `begin ${number}\n` : ''
    const last = piece === PIECES - 1 ? `end ${number}\n` : ''
    return `${first}${`${number}-${piece}\n`.repeat(LINES)}${last}`
  })
}

/** Why it is torn; undefined: it is whole. */
export function tearIn(content: string): string | undefined {
  const number = Number(/^begin (\d+)\n/.exec(content)?.[1])
  return content === piecesOf(number).join('') ? undefined : content.slice(0, 40)
}

let longestGap = 0

async function rewrite(file: string, number: number, pause: number): Promise<void> {
  const fd = fs.openSync(file, 'w')
  let last = performance.now()
  for (const piece of piecesOf(number)) {
    fs.writeSync(fd, piece)
    longestGap = Math.max(longestGap, performance.now() - last)
    last = performance.now()
    await setTimeout(pause)
  }
  fs.closeSync(fd)
}

async function noise(dir: string, until: number): Promise<number> {
  fs.mkdirSync(dir, { recursive: true })
  let changes = 0
  for (let round = 0; Date.now() < until; round++) {
    for (let index = 0; index < 50; index++) {
      const file = join(dir, `${index}`)
      fs.writeFileSync(`${file}.tmp`, piecesOf(round).join(''))
      fs.renameSync(`${file}.tmp`, file)
      if (index % 3 === 0) fs.unlinkSync(file)
      // Made, written and renamed: what inotify tells is more than that.
      changes += index % 3 === 0 ? 4 : 3
    }
    await setImmediate()
  }
  return changes
}

async function work(dir: string, seconds: number, pause: number): Promise<void> {
  const began = Date.now()
  const until = began + seconds * 1000
  const busy = async (): Promise<void> => {
    for (let number = 1; Date.now() < until; number++) await rewrite(join(dir, 'busy'), number, 1)
  }
  const steps = async (name: string): Promise<void> => {
    for (let number = 1; Date.now() < until; number++) {
      // Slow enough that only the time that has passed since tells that it is not whole.
      await rewrite(join(dir, name), number, 50)
      await setTimeout(pause)
    }
  }
  const slow = ['step-1', 'step-2', 'step-3', 'step-4'].map(steps)
  const [changes] = await Promise.all([noise(join(dir, 'noise'), until), busy(), ...slow])
  const rate = Math.round((changes / (Date.now() - began)) * 1000)
  process.stdout.write(`${rate} ${Math.round(longestGap)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [dir = '', seconds, pause] = process.argv.slice(2)
  await work(dir, Number(seconds), Number(pause))
}
