import { spawnSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Preview, previewOf } from '../../src/previews/preview.ts'
import { encodeNpy, NdArray } from '../../src/values/npy.ts'
import { longName, pax, tarOf } from '../tar/raw.ts'
import { fileOf } from './sources.ts'

const test = suite('previews/preview')

function preview(path: string, content: string | Uint8Array, lines = 3): Promise<Preview> {
  return previewOf(fileOf(path, content), { lines })
}

test('of a text, the first lines', async () => {
  assert.equal(await preview('a.txt', 'one\r\ntwo\n\nfour\nfive'), {
    kind: 'text',
    lines: ['one', 'two', ''],
    isCut: true,
  })
  assert.equal(await preview('a', 'é\n'), { kind: 'text', lines: ['é'], isCut: false })
  assert.equal(await preview('empty', ''), { kind: 'text', lines: [], isCut: false })
  const wide = await preview('a.md', 'x'.repeat(9000))
  assert.is(wide.kind === 'text' && wide.lines[0], `${'x'.repeat(200)}…`)
  const utf16 = Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from('hällo\n', 'utf16le')])
  assert.equal(await preview('a', utf16), { kind: 'text', lines: ['hällo'], isCut: false })
  // The head ends within a character.
  assert.is((await preview('a', `${'x'.repeat(8191)}é`)).kind, 'text')
})

test('of a table, its columns and first rows', async () => {
  const csv = 'id,name\n1,"a, b"\n2,"say ""x"""\n3,c\n4,d\n'
  assert.equal(await preview('t.csv', csv), {
    kind: 'table',
    format: 'csv',
    columns: ['id', 'name'],
    rows: [
      ['1', 'a, b'],
      ['2', 'say "x"'],
      ['3', 'c'],
    ],
    isCut: true,
  })
  const tsv = await preview('t.tsv', 'a\tb\n1\t2\n')
  assert.equal(tsv.kind === 'table' && [tsv.columns, tsv.rows, tsv.isCut], [
    ['a', 'b'],
    [['1', '2']],
    false,
  ])
  assert.is((await preview('t.csv', Buffer.of(0, 1, 2))).kind, 'bytes')
})

test('of a document, its outline; what is none is shown as text', async () => {
  const json = await preview('a.json', '{"a":[1,2],"b":{"c":"d"}}')
  assert.is(json.kind === 'values' && json.outline.size, 2)
  const lines = await preview('a.jsonl', '{"a":1}\n{"b":2}\n')
  assert.is(lines.kind === 'values' && lines.outline.size, 1)
  const yaml = await preview('a.yaml', 'a: 1\nb: [1, 2]\n')
  assert.is(yaml.kind === 'values' && yaml.outline.members?.[1]?.value.size, 2)
  assert.is((await preview('a.json', 'no JSON')).kind, 'text')
  assert.is((await preview('a.yaml', 'a: [')).kind, 'text')
})

test('of an image, its size', async () => {
  const png = Buffer.alloc(40)
  png.write('\x89PNG\r\n\x1a\n', 'latin1')
  png.writeUInt32BE(640, 16)
  png.writeUInt32BE(480, 20)
  const expected = { kind: 'image', format: 'PNG', width: 640, height: 480 }
  assert.equal(await preview('a.png', png), expected)
  assert.equal(await preview('no-ending', png), expected)
  assert.is((await preview('a.png', png.subarray(0, 12))).kind, 'bytes')
})

test('of tensors, their names, types and shapes', async () => {
  const header = JSON.stringify({
    __metadata__: { format: 'pt' },
    'b.weight': { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
    'a.bias': { dtype: 'BF16', shape: [], data_offsets: [24, 26] },
  })
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const file = Buffer.concat([length, Buffer.from(header), Buffer.alloc(26)])
  assert.equal(await preview('m.safetensors', file, 1), {
    kind: 'tensors',
    format: 'safetensors',
    count: 2,
    elements: 7,
    tensors: [{ name: 'b.weight', dtype: 'F32', shape: [2, 3] }],
  })
  const npy = await preview('a.npy', encodeNpy(new NdArray(new Float32Array(6), [2, 3])))
  assert.equal(npy.kind === 'tensors' && npy.tensors, [{ dtype: '<f4', shape: [2, 3] }])
  assert.is((await preview('m.safetensors', file.subarray(0, 40))).kind, 'bytes')
})

const TAR = tarOf(
  { name: 'a/', type: '5' },
  { name: 'a/b', content: 'b'.repeat(1000) },
  pax({ path: 'from/pax', size: '4' }),
  { content: 'four', size: 0 },
  longName('from/gnu'),
  { content: 'x' },
)

test('of a tar, its first entries', async () => {
  const entries = [
    { path: 'a/', size: 0 },
    { path: 'a/b', size: 1000 },
    { path: 'from/pax', size: 4 },
    { path: 'from/gnu', size: 1 },
  ]
  assert.equal(await preview('a.tar', TAR, 10), {
    kind: 'archive',
    format: 'tar',
    entries,
    isCut: false,
  })
  const some = await preview('a.tar', TAR, 2)
  assert.equal(some.kind === 'archive' && [some.entries, some.isCut], [entries.slice(0, 2), true])
})

test('of a zip, what its directory says, however many entries there are', async () => {
  const script =
    'import sys, zipfile; z = zipfile.ZipFile(sys.stdout.buffer, "w", zipfile.ZIP_STORED)\nfor i in range(int(sys.argv[1])): z.writestr(f"d/é{i}", "x" * min(i, 9))\nz.comment = b"PK not an end"; z.close()'
  for (const count of [0, 3, 66_000]) {
    const { status, stdout } = spawnSync('python3', ['-c', script, String(count)], {
      maxBuffer: 2 ** 28,
      env: { ...process.env, PYTHONIOENCODING: 'utf8' },
    })
    // Without Python there is nobody to write one.
    if (status !== 0) return
    const file = fileOf('a.zip', stdout)
    const found = await previewOf(file, { lines: 3 })
    assert.equal(found, {
      kind: 'archive',
      format: 'zip',
      count,
      entries: [0, 1, 2].slice(0, count).map((size) => ({ path: `d/é${size}`, size })),
      isCut: count > 3,
    })
    assert.ok(file.bytesRead() < 300_000, `${file.bytesRead()} bytes were read`)
  }
})

test('of what gzip packed, the same', async () => {
  const table = await preview('t.csv.gz', gzipSync('a,b\n1,2\n'))
  assert.equal(table, {
    kind: 'table',
    format: 'csv',
    columns: ['a', 'b'],
    rows: [['1', '2']],
    isCut: false,
    packed: 'gzip',
  })
  for (const name of ['a.tgz', 'a.tar.gz']) {
    const tar = await preview(name, gzipSync(TAR))
    assert.is(tar.kind === 'archive' && tar.format, 'tar')
  }
  const long = await preview('a.txt.gz', gzipSync(Buffer.from('line\n'.repeat(9e6))))
  assert.equal(long, { kind: 'text', lines: ['line', 'line', 'line'], isCut: true, packed: 'gzip' })
  const twice = await preview('a.gz.gz', gzipSync(gzipSync('x')))
  assert.ok(twice)
  assert.is((await preview('a.gz', Buffer.of(0x1f, 0x8b, 1, 2))).kind, 'bytes')
})

test('of anything else, the first bytes and what files begin so', async () => {
  assert.equal(await preview('a.parquet', Buffer.from('PAR1\0\0')), {
    kind: 'bytes',
    format: 'Parquet',
    head: '504152310000',
  })
  assert.equal(await preview('a', Buffer.of(0, 1)), { kind: 'bytes', head: '0001' })
})

test('any bytes under any name have a preview, for which little of them is read', async () => {
  const endings = [
    'csv',
    'tsv',
    'json',
    'jsonl',
    'yaml',
    'safetensors',
    'npy',
    'zip',
    'tar',
    'gz',
    '',
  ]
  const magics = [
    '',
    'PK\x03\x04',
    'PK\x05\x06',
    '\x1f\x8b',
    '\x93NUMPY\x01\0',
    '\x89PNG\r\n\x1a\n',
    '\xff\xd8\xff',
    '{"a":[',
    '[[[',
  ]
  const bytes = fc.tuple(
    fc.constantFrom(...endings),
    fc.constantFrom(...magics),
    fc.oneof(fc.uint8Array({ maxLength: 700 }), fc.string({ maxLength: 700 })),
    fc.constantFrom(0, 100_000),
  )
  await fc.assert(
    fc.asyncProperty(bytes, async ([ending, magic, rest, more]) => {
      const content = Buffer.concat([
        Buffer.from(magic, 'latin1'),
        Buffer.from(rest as string),
        Buffer.alloc(more, rest.length % 2 === 0 ? 0 : 'x,y\n'),
      ])
      const file = fileOf(`x.${ending}`, content)
      const { kind } = await previewOf(file, { lines: 5 })
      assert.ok(kind)
      assert.ok(file.bytesRead() < 1_200_000, `${file.bytesRead()} bytes for ${kind}`)
    }),
    { numRuns: 100 },
  )
})

test('a large file is not read for its preview', async () => {
  const mib = 1 << 20
  const large: Record<string, Buffer> = {
    'a.csv': Buffer.from('id,name\n'.concat('1,some name\n'.repeat(mib))),
    'a.json': Buffer.from(`{"a":[${'1,'.repeat(4 * mib)}1]}`),
    'a.txt': Buffer.alloc(10 * mib, 'line\n'),
    'a.bin': Buffer.alloc(10 * mib),
    'a.tar': tarOf({ name: 'big', content: Buffer.alloc(10 * mib) }, { name: 'b' }),
    'quoted.csv': Buffer.from(`a,b\n"${'x'.repeat(3 * mib)}`),
  }
  for (const [path, content] of Object.entries(large)) {
    const file = fileOf(path, content)
    await previewOf(file, { lines: 5 })
    const most = path === 'quoted.csv' ? 6 * mib : 300_000
    assert.ok(file.bytesRead() < most, `${path}: ${file.bytesRead()} bytes`)
  }
})

test.run()
