import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Media, type MediaOptions } from '../../src/values/media.ts'
import { Table } from '../../src/values/table.ts'
import { rejects, throwsCode } from '../support/rejects.ts'
import { temporaryDirectory } from '../support/temp.ts'
import { MemoryFiles, StoredFiles } from './memory.ts'

const test = suite('media')

const PIXELS = Buffer.from('pixels')
const SHA256 = createHash('sha256').update(PIXELS).digest('hex')
const CLASSES = [
  { id: 0, name: 'road' },
  { id: 7, name: 'car' },
]

test("an image becomes W&B's document and a file named by its content", async () => {
  const files = new MemoryFiles()
  const path = await files.add('cat', new Media('image', PIXELS, { caption: 'a cat' }))
  assert.is(path, 'cat.image-file.json')
  assert.equal(JSON.parse(String(files.files.get(path))), {
    _type: 'image-file',
    path: `media/images/${SHA256.slice(0, 20)}.png`,
    sha256: SHA256,
    size: 6,
    format: 'png',
    caption: 'a cat',
  })
  const found = (await files.get('cat')) as Media
  assert.is(found.kind, 'image')
  assert.is(found.caption, 'a cat')
  assert.is(found.format, 'png')
  assert.equal(await found.bytes(), PIXELS)
})

test('a local file keeps its name, and two of the same name do not meet', async () => {
  await using dir = await temporaryDirectory()
  const file = join(dir.path, 'Song 1.ogg')
  writeFileSync(file, 'one')
  const files = new MemoryFiles()
  await files.add('one', new Media('audio', file))
  writeFileSync(file, 'two')
  await files.add('two', new Media('audio', file))
  const songs = [...files.files.keys()].filter((path) => path.endsWith('/Song 1.ogg'))
  assert.is(songs.length, 2)
  const one = (await files.get('one')) as Media
  assert.equal([one.kind, one.format, String(await one.bytes())], ['audio', 'ogg', 'one'])
  await rejectsSystem(files.add('gone', new Media('audio', join(dir.path, 'gone.ogg'))), 'ENOENT')
})

const KINDS = {
  image: 'x.image-file.json',
  audio: 'x.audio-file.json',
  video: 'x.video-file.json',
  html: 'x.html-file.json',
  object3d: 'x.object3D-file.json',
  bokeh: 'x.bokeh-file.json',
} as const

for (const [kind, path] of Object.entries(KINDS) as [keyof typeof KINDS, string][]) {
  test(`${kind} is stored as ${path} and comes back`, async () => {
    const files = new MemoryFiles()
    assert.is(await files.add('x', new Media(kind, PIXELS)), path)
    const found = (await files.get('x')) as Media
    assert.is(found.kind, kind)
    assert.equal(await found.bytes(), PIXELS)
  })
}

test('classes, masks and boxes of an image come back as they were', async () => {
  const files = new MemoryFiles()
  const options: MediaOptions = {
    classes: CLASSES,
    masks: {
      truth: { source: Buffer.from('mask'), classes: [{ id: 9, name: 'sky' }] },
      constructor: { source: Buffer.from('other') },
    },
    boxes: {
      predictions: [
        {
          position: { minX: 0.1, minY: 0.2, maxX: 0.3, maxY: 0.4 },
          domain: 'fraction',
          classId: 7,
          caption: 'car 0.9',
          scores: { acc: 0.9 },
        },
        { position: { minX: 1, minY: 2, maxX: 3, maxY: 4 }, domain: 'pixel', classId: 0 },
      ],
    },
  }
  const given = new Media('image', PIXELS, options)
  await files.add('street', given)
  const found = (await files.get('street')) as Media
  assert.equal(found.classes, [...CLASSES, { id: 9, name: 'sky' }])
  assert.equal(found.boxes, given.boxes)
  assert.equal(Object.keys(found.masks ?? {}), ['truth', 'constructor'])
  assert.equal(found.masks?.['truth']?.classes, [{ id: 9, name: 'sky' }])
  assert.equal(await found.maskBytes('truth'), Buffer.from('mask'))
  assert.equal(await found.maskBytes('constructor'), Buffer.from('other'))
  assert.is(await found.maskBytes('toString'), undefined)
})

test('the size of an image is found in its bytes, else the one that was given', async () => {
  const png =
    'iVBORw0KGgoAAAANSUhEUgAAAEYAAAADCAIAAACh2e4MAAAAGElEQVR4nGM8wcXFMLwA00A7gPpgGHoJACkEAOKfPzU9AAAAAElFTkSuQmCC'
  const files = new MemoryFiles()
  await files.add('seen', new Media('image', Buffer.from(png, 'base64')))
  await files.add('told', new Media('image', PIXELS, { size: { width: 4, height: 5 } }))
  await files.add('unknown', new Media('image', PIXELS))
  assert.equal(((await files.get('seen')) as Media).size, { width: 70, height: 3 })
  assert.equal(((await files.get('told')) as Media).size, { width: 4, height: 5 })
  assert.is(((await files.get('unknown')) as Media).size, undefined)
  const document = JSON.parse(String(files.files.get('seen.image-file.json')))
  assert.equal([document.width, document.height], [70, 3])
})

test('what W&B writes as null is not there', async () => {
  const files = new MemoryFiles()
  const document = { _type: 'audio-file', path: 'media/audio/a.ogg', caption: null, format: null }
  files.put('a.audio-file.json', JSON.stringify(document))
  const found = (await files.get('a')) as Media
  assert.equal([found.kind, found.caption, found.format], ['audio', undefined, 'ogg'])
})

test('an image that W&B wrote is read, with boxes by their middle', async () => {
  const files = new MemoryFiles()
  files.put('media/images/abc/cat.png', PIXELS)
  files.put(
    'media/classes/1_cls.classes.json',
    JSON.stringify({ _type: 'classes', class_set: CLASSES }),
  )
  const box = {
    position: { middle: [10, 20], width: 4, height: 6 },
    domain: 'pixel',
    class_id: 7,
    box_caption: 'car',
  }
  const document = {
    _type: 'image-file',
    path: 'media/images/abc/cat.png',
    sha256: SHA256,
    format: 'png',
    width: 2,
    height: 2,
    classes: { type: 'classes-file', path: 'media/classes/1_cls.classes.json', digest: 'x' },
    boxes: {
      predictions: [
        box,
        { position: { minX: 0, minY: 0, maxX: 1, maxY: 1 }, domain: null, class_id: 0 },
      ],
    },
  }
  files.put('cat.image-file.json', JSON.stringify(document))
  const found = (await files.get('cat')) as Media
  assert.equal(found.classes, CLASSES)
  assert.equal(found.boxes, {
    predictions: [
      {
        position: { minX: 8, minY: 17, maxX: 12, maxY: 23 },
        domain: 'pixel',
        classId: 7,
        caption: 'car',
      },
      { position: { minX: 0, minY: 0, maxX: 1, maxY: 1 }, classId: 0 },
    ],
  })
  assert.equal(await found.bytes(), PIXELS)
})

test('a table holds media, each file once, and gives them back', async () => {
  const files = new MemoryFiles()
  const cat = new Media('image', PIXELS)
  const data = [
    [cat, 'a'],
    [null, 'b'],
    [new Media('image', Buffer.from('dog')), 'c'],
    [cat, 'd'],
  ]
  await files.add('pictures', new Table({ columns: ['image', 'name'], data }))
  assert.is(files.files.size, 3)
  const found = ((await files.get('pictures')) as Table).data
  const contents = await Promise.all(
    found.map(async ([image]) => image && String(await (image as Media).bytes())),
  )
  assert.equal(contents, ['pixels', null, 'dog', 'pixels'])
})

test('JSON in a table that looks like media is JSON', async () => {
  const files = new MemoryFiles()
  const cell = { _type: 'image-file', path: '../../etc/passwd' }
  await files.add('t', new Table({ columns: ['a'], data: [[cell]] }))
  assert.equal(((await files.get('t')) as Table).data, [[cell]])
})

test('images of another version become references to it', async () => {
  const stored = new StoredFiles()
  await stored.add(
    'pictures',
    new Table({ columns: ['image'], data: [[new Media('image', PIXELS)]] }),
  )
  const { data } = (await stored.get('pictures')) as Table
  const files = new MemoryFiles()
  await files.add('again', new Table({ columns: ['image'], data }))
  const from = [...stored.files.keys()].find((path) => path.startsWith('media/')) as string
  assert.equal([...files.urls.values()], [stored.url(from)])
})

test('images of a draft are stored with the value', async () => {
  const draft = new MemoryFiles()
  await draft.add('a', new Media('image', PIXELS))
  const files = new MemoryFiles()
  await files.add('b', (await draft.get('a')) as Media)
  assert.equal(await ((await files.get('b')) as Media).bytes(), PIXELS)
})

test('a file that a document names and that is not there is an error when it is read', async () => {
  const files = new MemoryFiles()
  files.put('x.image-file.json', JSON.stringify({ _type: 'image-file', path: '../../etc/passwd' }))
  const found = (await files.get('x')) as Media
  await rejects(found.bytes(), 'ERR_NOT_FOUND')
})

const REFUSED: Readonly<Record<string, () => unknown>> = {
  'of no kind': () => new Media('smell' as 'image', PIXELS),
  'with a format that is a path': () => new Media('image', PIXELS, { format: '../x' }),
  'that are sounds with classes': () => new Media('audio', PIXELS, { classes: CLASSES }),
  'with two names for a class': () =>
    new Media('image', PIXELS, {
      classes: CLASSES,
      masks: { m: { source: PIXELS, classes: [{ id: 7, name: 'bus' }] } },
    }),
  'with half a class': () => new Media('image', PIXELS, { classes: [{ id: 0.5, name: 'x' }] }),
  'with a box without end': () =>
    new Media('image', PIXELS, {
      boxes: {
        b: [
          { position: { minX: 0, minY: 0, maxX: 1, maxY: Number.POSITIVE_INFINITY }, classId: 0 },
        ],
      },
    }),
}

for (const [what, make] of Object.entries(REFUSED)) {
  test(`media ${what} are refused`, () => {
    throwsCode(make, 'ERR_INVALID_VALUE')
  })
}

const DOCUMENT = { _type: 'image-file', path: 'media/a.png' }
const HOSTILE: Readonly<Record<string, unknown>> = {
  'of another type': { ...DOCUMENT, _type: 'toString' },
  'without a path': { _type: 'image-file' },
  'with an empty path': { ...DOCUMENT, path: '' },
  'with a number for a caption': { ...DOCUMENT, caption: 5 },
  'with boxes that are a list': { ...DOCUMENT, boxes: [] },
  'with a box without a class': {
    ...DOCUMENT,
    boxes: { a: [{ position: { minX: 0, minY: 0, maxX: 1, maxY: 1 } }] },
  },
  'with a box without corners': { ...DOCUMENT, boxes: { a: [{ position: {}, class_id: 1 }] } },
  'with a score that is text': {
    ...DOCUMENT,
    boxes: {
      a: [{ position: { minX: 0, minY: 0, maxX: 1, maxY: 1 }, class_id: 1, scores: { a: 'x' } }],
    },
  },
  'with masks that are text': { ...DOCUMENT, masks: 'x' },
  'with a format that is a path': { ...DOCUMENT, format: '../x' },
}

for (const [what, document] of Object.entries(HOSTILE)) {
  test(`a document ${what} is refused`, async () => {
    const files = new MemoryFiles()
    files.put('x.image-file.json', JSON.stringify(document))
    await rejects(files.get('x'), 'ERR_INVALID_VALUE')
  })
}

test.run()

async function rejectsSystem(promise: Promise<unknown>, code: string): Promise<void> {
  await promise.then(
    () => assert.unreachable(),
    (error: NodeJS.ErrnoException) => assert.is(error.code, code),
  )
}
