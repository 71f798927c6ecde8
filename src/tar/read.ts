/**
 * Reads a tar as a stream, entry by entry, and takes nothing on trust: it comes from anybody.
 *
 * Read are ustar, pax, GNU's long names and v7, which is what GNU tar, bsdtar and Python write. `tar-stream`, with which
 * tars are written here, is too lenient to read those of others: a tar that was cut between two entries is whole to it,
 * it goes on behind the end, ignores global pax records, and makes U+FFFD of bytes that are no UTF-8, so that two names
 * become one. What is no file, directory or symbolic link, and what could be read in two ways, is refused by name.
 */
import { isUtf8 } from 'node:buffer'
import { ArtifactsError } from '../errors.ts'
import { ByteSource } from './byte-source.ts'
import { BLOCK, decodeHeader, isZero, type TarHeader } from './header.ts'
import { decimal, decodePax, type PaxRecords } from './pax.ts'

export interface TarEntry {
  readonly kind: 'file' | 'directory' | 'symlink'
  /** Without `.` and empty parts; otherwise as it stands in the tar. */
  readonly path: string
  /** Bytes of a file; else 0. */
  readonly size: number
  readonly executable: boolean
  /** What a symbolic link says. */
  readonly target: string
  /** The file's bytes, once, until the next entry is asked for. A piece is valid until the next one. */
  readonly bytes: () => AsyncIterable<Uint8Array>
}

/** Bytes of a long name or of pax records: paths are at most 4 KiB, what else tars keep there is small. */
const LONGEST_EXTENSION = 1 << 20
const PIECE = 1 << 20

/** Names that records of a whole tar would give to every entry. */
const OF_ONE_ENTRY: readonly string[] = ['path', 'linkpath', 'size']

interface Kind {
  readonly what: string
  readonly hint: string
}

const REFUSED: Readonly<Record<string, Kind>> = {
  '1': { what: 'a hard link', hint: 'Pack it again with `tar --hard-dereference -cf FILE DIR`.' },
  '3': { what: 'a device', hint: 'Pack it again without it: `tar --exclude=PATH -cf FILE DIR`.' },
  '4': { what: 'a device', hint: 'Pack it again without it: `tar --exclude=PATH -cf FILE DIR`.' },
  '6': { what: 'a FIFO', hint: 'Pack it again without it: `tar --exclude=PATH -cf FILE DIR`.' },
  S: { what: 'a sparse file', hint: 'Pack it again without `--sparse`: `tar -cf FILE DIR`.' },
}

/** What stands before an entry and is about it. */
interface Extensions {
  name?: Buffer
  target?: Buffer
  pax?: PaxRecords
}

/**
 * The entries of a tar in their order.
 * @param name what errors call it, in quotes where it is a file
 * @throws ArtifactsError ERR_DAMAGED for what is no whole tar, ERR_UNSUPPORTED for entries that are neither files,
 * directories nor symbolic links, ERR_INVALID_PATH for names that are no text
 */
export async function* readTar(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<TarEntry, void, undefined> {
  const source = new ByteSource(bytes)
  try {
    for (;;) {
      const found = await nextHeader(source, name)
      if (found === undefined) break
      const { entry, size, path } = describe(found, name)
      const content = new Content(source, size, `${name} ends in the middle of ${quoted(path)}`)
      if (entry !== undefined) yield { ...entry, bytes: () => content.pieces() }
      await content.skip()
    }
    await readEnd(source, name)
  } finally {
    await source.close()
  }
}

interface Found {
  readonly header: TarHeader
  readonly extensions: Extensions
}

/** The header of the next entry, with all that stands before it; undefined at the first of the two blocks of zeros. */
async function nextHeader(source: ByteSource, name: string): Promise<Found | undefined> {
  const extensions: Extensions = {}
  for (;;) {
    const at = source.position
    const block = await source.take(BLOCK)
    if (block.length < BLOCK) throw cut(name)
    if (isZero(block)) {
      if (Object.keys(extensions).length > 0) throw cut(name)
      return undefined
    }
    const header = decodeHeader(block)
    if (header === undefined)
      throw damagedTar(`${name} has no header where one should be, at byte ${at}`)
    switch (header.type) {
      case 'L':
        once(extensions.name, name, at)
        extensions.name = withoutNuls(await extension(source, header, name))
        break
      case 'K':
        once(extensions.target, name, at)
        extensions.target = withoutNuls(await extension(source, header, name))
        break
      case 'x':
        once(extensions.pax, name, at)
        extensions.pax = recordsOf(await extension(source, header, name), name, at)
        break
      case 'g':
        refuseGlobal(recordsOf(await extension(source, header, name), name, at), name)
        break
      default:
        // The block is a view of what the source takes next.
        return {
          header: { ...header, name: copyOf(header.name), target: copyOf(header.target) },
          extensions,
        }
    }
  }
}

async function extension(source: ByteSource, { size }: TarHeader, name: string): Promise<Buffer> {
  if (size === undefined || size > LONGEST_EXTENSION) {
    throw damagedTar(`${name} has a header of more than ${LONGEST_EXTENSION} bytes`)
  }
  const padded = Math.ceil(size / BLOCK) * BLOCK
  const bytes = padded === 0 ? Buffer.alloc(0) : await source.take(padded)
  if (bytes.length < padded) throw cut(name)
  return copyOf(bytes.subarray(0, size))
}

function describe(
  { header, extensions }: Found,
  name: string,
): { entry: Omit<TarEntry, 'bytes'> | undefined; size: number; path: string } {
  const { pax } = extensions
  const given = textOf(pax?.get('path') ?? extensions.name ?? header.name, name)
  const kind = REFUSED[header.type]
  if (kind !== undefined) throw unsupported(name, given, kind)
  for (const key of pax?.keys() ?? []) {
    if (key.startsWith('GNU.sparse.')) throw unsupported(name, given, REFUSED['S'] as Kind)
  }
  const long = pax?.get('size')
  const size = long === undefined ? header.size : decimal(long)
  if (size === undefined) throw damagedTar(`${name} does not say how long ${quoted(given)} is`)
  const path = cleaned(given)
  const executable = (header.mode & 0o100) !== 0
  const shared = { path, executable, target: '' }
  switch (header.type) {
    case '0':
    case '7':
      // Before there was a type for directories they were told by their names.
      if (!given.endsWith('/'))
        return { entry: { ...shared, kind: 'file', size }, size, path: given }
      break
    case '2': {
      refuseContent(size, given, name)
      const target = textOf(pax?.get('linkpath') ?? extensions.target ?? header.target, name)
      return { entry: { ...shared, kind: 'symlink', size: 0, target }, size: 0, path: given }
    }
    case '5':
      break
    default:
      throw unsupported(name, given, {
        what: `an entry of the unknown kind ${quoted(header.type)}`,
        hint: 'Extract it with the program that wrote it, then `artifacts commit DIR`.',
      })
  }
  refuseContent(size, given, name)
  const isRoot = path === ''
  return {
    entry: isRoot ? undefined : { ...shared, kind: 'directory', size: 0 },
    size: 0,
    path: given,
  }
}

/** Some programs would step over it, others would take it for the next header. */
function refuseContent(size: number, path: string, name: string): void {
  if (size > 0) throw damagedTar(`${name} has bytes for ${quoted(path)}, which is no file`)
}

function refuseGlobal(records: PaxRecords, name: string): void {
  for (const key of records.keys()) {
    if (!OF_ONE_ENTRY.includes(key) && !key.startsWith('GNU.sparse.')) continue
    throw damagedTar(`${name} gives all of its entries the same ${quoted(key)}`)
  }
}

/** The bytes of one entry, read through or stepped over. */
class Content {
  readonly #source: ByteSource
  readonly #cut: string
  readonly #padding: number
  #left: number
  #isStarted = false

  constructor(source: ByteSource, size: number, cut: string) {
    this.#source = source
    this.#left = size
    this.#padding = -size & (BLOCK - 1)
    this.#cut = cut
  }

  async *pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#isStarted) throw new Error('The bytes of an entry are read once.')
    this.#isStarted = true
    while (this.#left > 0) yield await this.#next()
  }

  /** Goes to the next header. */
  async skip(): Promise<void> {
    while (this.#left > 0) await this.#next()
    if (this.#padding === 0) return
    const { length } = await this.#source.take(this.#padding)
    if (length < this.#padding) throw damagedTar(this.#cut)
  }

  async #next(): Promise<Buffer> {
    const bytes = await this.#source.some(Math.min(this.#left, PIECE))
    if (bytes === undefined) throw damagedTar(this.#cut)
    this.#left -= bytes.length
    return bytes
  }
}

/** The second block of zeros, and nothing behind it but zeros. */
async function readEnd(source: ByteSource, name: string): Promise<void> {
  const second = await source.take(BLOCK)
  if (second.length < BLOCK) throw cut(name)
  for (
    let bytes: Buffer | undefined = second;
    bytes !== undefined;
    bytes = await source.some(PIECE)
  ) {
    if (!isZero(bytes)) throw damagedTar(`${name} has something behind its end`)
  }
}

function recordsOf(bytes: Buffer, name: string, at: number): PaxRecords {
  const records = decodePax(bytes)
  if (records !== undefined) return records
  throw damagedTar(`${name} has pax records that can't be read, at byte ${at}`)
}

function once(before: unknown, name: string, at: number): void {
  if (before !== undefined)
    throw damagedTar(`${name} says two things about one entry, at byte ${at}`)
}

function textOf(bytes: Buffer, name: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  throw new ArtifactsError(
    'ERR_INVALID_PATH',
    `${name} holds ${quoted(bytes.toString('latin1'))}, which is not valid UTF-8.`,
    { hint: 'Rename it before packing it again.' },
  )
}

/** `./a//b/` is `a/b`; a path that begins at the root still does. */
function cleaned(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  return `${path.startsWith('/') ? '/' : ''}${parts.join('/')}`
}

function copyOf(bytes: Buffer): Buffer {
  return Buffer.from(bytes)
}

/** A name up to its end: GNU's end with a NUL. */
function withoutNuls(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text)
}

function cut(name: string): ArtifactsError {
  return damagedTar(`${name} was cut: its end is missing`)
}

export function damagedTar(what: string): ArtifactsError {
  return new ArtifactsError('ERR_DAMAGED', `The tar ${what}.`, {
    hint: 'Copy it once more from where it was made, or make it again. Nothing was imported.',
  })
}

function unsupported(name: string, path: string, { what, hint }: Kind): ArtifactsError {
  return new ArtifactsError('ERR_UNSUPPORTED', `The tar ${name} holds ${what}, ${quoted(path)}.`, {
    hint,
  })
}
