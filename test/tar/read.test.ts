import fc from 'fast-check'
import { pack } from 'tar-stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ErrorCode } from '../../src/errors.ts'
import { readTar } from '../../src/tar/read.ts'
import { rejects } from '../support/rejects.ts'
import { END, longName, pax, type RawEntry, rawEntry, tarOf, withChecksum } from './raw.ts'

const test = suite('tar/read')

/** Hands a tar out in pieces of this many bytes. */
async function* inPieces(tar: Buffer, length = tar.length): AsyncGenerator<Buffer> {
  for (let at = 0; at < tar.length; at += length) yield tar.subarray(at, at + length)
}

/** `kind path content or target`, with `*` where it is executable. */
async function read(tar: Buffer, length?: number): Promise<string[]> {
  const lines: string[] = []
  for await (const entry of readTar(inPieces(tar, length), '"x.tar"')) {
    const pieces: Uint8Array[] = []
    for await (const piece of entry.bytes()) pieces.push(Uint8Array.from(piece))
    const content = entry.kind === 'symlink' ? entry.target : Buffer.concat(pieces).toString()
    lines.push(`${entry.kind} ${entry.path}${entry.executable ? '*' : ''} ${content}`.trim())
  }
  return lines
}

test('files, directories and symbolic links are read, whatever the pieces they come in', async () => {
  const tar = tarOf(
    { name: './', type: '5', mode: 0o755 },
    { name: './a', content: 'a'.repeat(700) },
    { name: 'run', content: 'x', mode: 0o755 },
    { name: 'old', type: '\0', content: 'v7', magic: '' },
    { name: 'dir/', type: '5', mode: 0o755 },
    { name: 'told/by/its/name/', type: '0' },
    { name: 'dir/link', type: '2', target: '../a' },
    { name: 'name', prefix: 'in/front', content: 'p' },
    { name: 'gnu', magic: 'ustar  \0', prefix: '14000000000', content: 'g' },
    { name: 'x//y/./z', content: 'z' },
    { name: 'last', type: '7', content: '' },
  )
  const expected = [
    `file a ${'a'.repeat(700)}`,
    'file run* x',
    'file old v7',
    'directory dir*',
    'directory told/by/its/name',
    'symlink dir/link ../a',
    'file in/front/name p',
    'file gnu g',
    'file x/y/z z',
    'file last',
  ]
  for (const length of [undefined, 1, 7, 511, 512, 513]) {
    assert.equal(await read(tar, length), expected, `pieces of ${length}`)
  }
})

test('long names come from pax records and from GNU, and pax comes first', async () => {
  const long = `${'d'.repeat(120)}/${'é'.repeat(60)}`
  const tar = tarOf(
    pax({ path: long, size: '3', mtime: '1.5', 'SCHILY.xattr.user.x': Buffer.of(0, 255, 10) }),
    { name: 'short', content: 'abc', size: 0 },
    longName(long),
    { name: 'short', content: 'gnu' },
    longName('t'.repeat(200), 'K'),
    { name: 'l', type: '2' },
    longName('from GNU'),
    pax({ path: 'from pax' }),
    { content: 'both' },
    pax({ comment: 'a commit' }, 'g'),
    { name: 'with=equals\n', content: '' },
  )
  assert.equal(await read(tar), [
    `file ${long} abc`,
    `file ${long} gnu`,
    `symlink l ${'t'.repeat(200)}`,
    'file from pax both',
    'file with=equals',
  ])
})

test('sizes in base 256 are read, and those that nothing can have are refused', async () => {
  const size = Buffer.alloc(12)
  size[0] = 0x80
  size[11] = 4
  assert.equal(await read(tarOf({ size, content: 'four' })), ['file file four'])
  size.fill(0xff)
  await rejects(read(tarOf({ size, content: 'four' })), 'ERR_DAMAGED')
})

test('what is not read of an entry is stepped over', async () => {
  const tar = tarOf({ name: 'a', content: 'a'.repeat(5000) }, { name: 'b', content: 'b' })
  const names: string[] = []
  for await (const { path } of readTar(inPieces(tar, 300), 'x')) names.push(path)
  assert.equal(names, ['a', 'b'])
})

test('a tar that was cut anywhere is refused', async () => {
  const whole = tarOf(
    { name: 'a', content: Buffer.alloc(1500) },
    pax({ path: 'b' }),
    longName('c'),
    { content: 'x' },
  )
  assert.is((await read(whole)).length, 2)
  for (let length = 0; length < whole.length; length++) {
    await rejects(read(whole.subarray(0, length)), 'ERR_DAMAGED')
  }
})

test('a tar that is filled up with zeros is whole', async () => {
  assert.is((await read(Buffer.concat([tarOf({}), Buffer.alloc(10240)]), 4000)).length, 1)
})

/** What is refused: its name, the tar, the code, and what the message says. */
const HOSTILE: readonly (readonly [string, Buffer, ErrorCode, string])[] = [
  ['a hard link', tarOf({ type: '1', target: 'a' }), 'ERR_UNSUPPORTED', 'hard link, "file"'],
  ['a character device', tarOf({ type: '3' }), 'ERR_UNSUPPORTED', 'device'],
  ['a block device', tarOf({ type: '4' }), 'ERR_UNSUPPORTED', 'device'],
  ['a FIFO', tarOf({ type: '6' }), 'ERR_UNSUPPORTED', 'FIFO'],
  ["GNU's sparse file", tarOf({ type: 'S', content: 'x' }), 'ERR_UNSUPPORTED', 'sparse file'],
  [
    'a sparse file in pax',
    tarOf(pax({ 'GNU.sparse.major': '1', 'GNU.sparse.name': 'big' }), { content: 'x' }),
    'ERR_UNSUPPORTED',
    'sparse file',
  ],
  ['a part of a volume', tarOf({ type: 'M' }), 'ERR_UNSUPPORTED', 'unknown kind "M"'],
  [
    'a long name without end',
    tarOf({ type: 'L', size: 2 ** 31 }),
    'ERR_DAMAGED',
    'more than 1048576 bytes',
  ],
  [
    'pax records without end',
    tarOf({ type: 'x', size: 2 ** 33 - 1 }),
    'ERR_DAMAGED',
    'more than 1048576 bytes',
  ],
  ['two names', tarOf(longName('a'), longName('b'), {}), 'ERR_DAMAGED', 'two things'],
  ['a name for all', tarOf(pax({ path: 'a' }, 'g'), {}), 'ERR_DAMAGED', 'the same "path"'],
  ['a size for all', tarOf(pax({ size: '9' }, 'g'), {}), 'ERR_DAMAGED', 'the same "size"'],
  ['a size that is none', tarOf(pax({ size: '-1' }), {}), 'ERR_DAMAGED', 'how long'],
  ['a size beyond counting', tarOf(pax({ size: '9'.repeat(16) }), {}), 'ERR_DAMAGED', 'how long'],
  [
    'records without length',
    tarOf(rawEntry({ type: 'x', content: 'path=a\n' })),
    'ERR_DAMAGED',
    '',
  ],
  ['records too long', tarOf(rawEntry({ type: 'x', content: '99 path=a\n' })), 'ERR_DAMAGED', ''],
  ['records without key', tarOf(rawEntry({ type: 'x', content: '5 ab\n' })), 'ERR_DAMAGED', ''],
  ['a directory with bytes', tarOf({ type: '5', content: 'x' }), 'ERR_DAMAGED', 'no file'],
  ['a link with bytes', tarOf({ type: '2', content: 'x' }), 'ERR_DAMAGED', 'no file'],
  [
    'a size beyond the end',
    tarOf({ name: 'a', size: 2 ** 33 - 1 }),
    'ERR_DAMAGED',
    'middle of "a"',
  ],
  ['garbage behind the end', Buffer.concat([tarOf({}), Buffer.from('x')]), 'ERR_DAMAGED', 'behind'],
  ['a second tar', Buffer.concat([tarOf({}), tarOf({})]), 'ERR_DAMAGED', 'behind its end'],
  ['one block of zeros', Buffer.concat([Buffer.alloc(512), tarOf({})]), 'ERR_DAMAGED', 'behind'],
  ['a name that is no text', tarOf({ name: Buffer.of(0xff, 0xfe) }), 'ERR_INVALID_PATH', 'UTF-8'],
  ['nothing', Buffer.alloc(0), 'ERR_DAMAGED', 'cut'],
  ['a text', Buffer.from('no tar at all\n'.repeat(100)), 'ERR_DAMAGED', 'no header'],
]

for (const [what, tar, code, says] of HOSTILE) {
  test(`${what} is refused`, async () => {
    const { message, hint } = await rejects(read(tar), code)
    assert.match(message, says)
    assert.match(message, '"x.tar"')
    assert.ok(hint)
  })
}

test('a bit that flips in a header is noticed', async () => {
  const tar = tarOf({ name: 'a', content: 'x' })
  for (let bit = 0; bit < 512 * 8; bit += 5) {
    const flipped = Buffer.from(tar)
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    // What stands between the digits of the checksum itself means nothing.
    const isSame = (await read(flipped).catch(() => ['refused'])).join() === 'file a x'
    assert.ok(!isSame || (bit >> 3 >= 148 && bit >> 3 < 156), `bit ${bit}`)
  }
})

test('any bytes are read or refused, and end', async () => {
  const entry: fc.Arbitrary<RawEntry | Buffer> = fc.oneof(
    fc.record({
      name: fc.string({ maxLength: 100 }),
      type: fc.constantFrom('0', '1', '2', '5', 'L', 'K', 'x', 'g', 'S', '\0'),
      content: fc.string({ maxLength: 600 }),
      size: fc.nat({ max: 2000 }),
    }),
    fc
      .uint8Array({ minLength: 512, maxLength: 512 })
      .map((bytes) => withChecksum(Buffer.from(bytes))),
    fc.constant(END),
  )
  const bytes = fc.array(entry, { maxLength: 6 }).map((entries) => tarOf(...entries))
  await fc.assert(
    fc.asyncProperty(bytes, async (tar) => {
      const result = await read(tar).catch((error: { code?: string }) => error.code)
      const codes = ['ERR_DAMAGED', 'ERR_UNSUPPORTED', 'ERR_INVALID_PATH']
      assert.ok(Array.isArray(result) || codes.includes(result ?? ''), String(result))
    }),
    { numRuns: 300 },
  )
})

test('what tar-stream packs is read', async () => {
  const name = fc.stringMatching(/^[a-zé\u{1f600} ]{1,80}(\/[a-z0-9 ]{1,90}){0,3}$/u)
  const items = fc.array(fc.tuple(name, fc.string({ maxLength: 1200 })), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(items, async (entries) => {
      const tar = pack()
      for (const [path, content] of entries) tar.entry({ name: path }, content)
      tar.finalize()
      const pieces: Uint8Array[] = []
      for await (const piece of tar) pieces.push(piece as Uint8Array)
      const expected = entries.map(([path, content]) => `file ${path} ${content}`.trim())
      assert.equal(await read(Buffer.concat(pieces), 1000), expected)
    }),
    { numRuns: 60 },
  )
})

test.run()
