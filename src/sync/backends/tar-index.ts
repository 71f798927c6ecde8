/**
 * Where the files lie in a tar, found by its headers alone: the contents are stepped over. Read are the ustar headers of
 * POSIX.1-1988 (pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html), and of their kinds of entries only regular
 * files with short names: nothing else is in a bundle, and what else a tar can hold is how archives break out.
 */
import { fstatSync, readSync } from 'node:fs'
import { ArtifactsError } from '../../errors.ts'
import type { Range } from '../backend.ts'
import { isFileName } from './names.ts'

const BLOCK = 512
/** A tar of nothing but empty files would fill the memory. Some 16 TB of packs have fewer. */
const MOST_FILES = 250_000
/** More zeros behind the end than any program writes: GNU tar fills up to 10 KiB, tapes to more. */
const LONGEST_END = 2 ** 20

/**
 * The files of a tar in their order, each with where its bytes are.
 * @throws ArtifactsError ERR_DAMAGED for anything but regular files with names of a remote's files, each once, and zeros
 */
export function indexTar(fd: number, path: string): Map<string, Range> {
  const { size } = fstatSync(fd)
  const files = new Map<string, Range>()
  const header = Buffer.alloc(BLOCK)
  let at = 0
  for (; at + BLOCK <= size; ) {
    readExactly(fd, header, at, path)
    if (header.every((byte) => byte === 0)) break
    const { name, length } = readHeader(header, path, at)
    const start = at + BLOCK
    if (files.size === MOST_FILES) throw wrong(path, 'holds more files than a bundle has')
    if (files.has(name)) throw wrong(path, `holds "${name}" twice`)
    if (start + length > size) throw wrong(path, `ends in the middle of "${name}"`)
    files.set(name, { start, end: start + length })
    at = start + Math.ceil(length / BLOCK) * BLOCK
  }
  checkEnd(fd, path, at, size)
  return files
}

/** Fills the buffer with what lies at a position. */
export function readExactly(fd: number, buffer: Buffer, at: number, path: string): void {
  for (let done = 0; done < buffer.length; ) {
    const got = readSync(fd, buffer, done, buffer.length - done, at + done)
    if (got === 0) throw wrong(path, 'became shorter while it was read')
    done += got
  }
}

export function wrong(path: string, what: string): ArtifactsError {
  return new ArtifactsError('ERR_DAMAGED', `The bundle "${path}" ${what}.`, {
    hint: 'Copy it once more from where it was made, or make it again.',
  })
}

interface Header {
  readonly name: string
  readonly length: number
}

function readHeader(block: Buffer, path: string, at: number): Header {
  const field = (from: number, length: number): string => {
    const bytes = block.subarray(from, from + length)
    const end = bytes.indexOf(0)
    return bytes.toString('latin1', 0, end < 0 ? length : end)
  }
  const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0)
  if (octal(field(148, 8)) !== sum || !field(257, 6).startsWith('ustar')) {
    throw wrong(path, `has no header where one should be, at byte ${at}`)
  }
  const name = field(0, 100)
  const type = field(156, 1)
  if ((type !== '0' && type !== '') || field(345, 155) !== '' || !isFileName(name)) {
    throw wrong(path, `holds ${JSON.stringify(name)}, which is no file of a bundle`)
  }
  const length = octal(field(124, 12))
  if (length === undefined) throw wrong(path, `does not say how long "${name}" is`)
  return { name, length }
}

/** A number in octal digits, between spaces. */
function octal(text: string): number | undefined {
  const digits = text.trim()
  return /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : undefined
}

/** Two blocks of zeros, and nothing behind them but zeros. */
function checkEnd(fd: number, path: string, at: number, size: number): void {
  if (size - at < 2 * BLOCK) throw wrong(path, 'was cut')
  if (size - at > LONGEST_END) throw wrong(path, 'has something behind its end')
  const rest = Buffer.alloc(size - at)
  readExactly(fd, rest, at, path)
  if (rest.some((byte) => byte !== 0)) throw wrong(path, 'has something behind its end')
}
